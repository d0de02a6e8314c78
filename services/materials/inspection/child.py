"""The child process: bind itself, look at the file that is its standard input, write one JSON document.

Started by `inspector` only, with the limits as its argument. It opens nothing by name, sends nothing, and dies when it
needs more than it was given.
"""

import gc
import json
import os
import resource
import sys
import unicodedata
from typing import Any

from services.materials.inspection.report import LINE_LIMIT, TEXT_LIMIT, Inspection, Limits, Problem

_OPEN_FILES = 64


def bind(limits: Limits) -> None:
    """From here on memory, time and open files are bounded; no file can be written and no process started."""
    for what, amount in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (amount, amount))


def answer(limits: Limits) -> dict[str, Any]:
    from services.materials.domain.fingerprint import sketch_of  # noqa: PLC0415  # under the limits already
    from services.materials.inspection.look import look  # noqa: PLC0415
    from shared.errors import AppError  # noqa: PLC0415

    try:
        with os.fdopen(os.dup(0), "rb") as file:
            found = look(file, limits)
    except AppError as error:
        told = {key: value for key, value in error.details.items() if isinstance(value, str | int)}
        details = {key: _line(value) if isinstance(value, str) else value for key, value in told.items()}
        return {"refused": {"code": error.code, "details": details}}
    except (MemoryError, RecursionError, OSError, ImportError):  # what the limits withhold comes as any of them
        return {"costly": True}
    except Exception as failure:  # noqa: BLE001  # a reader that stumbles is a fault of ours, told to the log by name
        return {"stumbled": type(failure).__name__}
    found.text = _plain(found.text)[:TEXT_LIMIT]
    found.sketch = sketch_of(found.text)
    found.title = _maybe(found.title, 300)
    found.launch, found.standard = _maybe(found.launch), _maybe(found.standard)
    found.contents = [_line(line, 300) for line in found.contents]
    found.problems = [Problem(each.code, each.text, _maybe(each.place)) for each in found.problems]
    return {"found": Inspection.as_json(found)}


def _line(said: str, most: int = LINE_LIMIT) -> str:
    """Cut to what the parent reads."""
    return _plain(said)[:most]


def _maybe(said: str | None, most: int = LINE_LIMIT) -> str | None:
    return _line(said, most) if said else None


def _plain(words: str) -> str:
    """NFC without what a database refuses or a reader cannot see."""
    kept = "".join(letter for letter in words if letter in "\n\t" or unicodedata.category(letter) not in {"Cc", "Cs"})
    return unicodedata.normalize("NFC", kept)


def main() -> None:
    gc.disable()  # it lives for one file
    limits = Limits(**json.loads(sys.argv[1]))
    bind(limits)
    try:
        said = answer(limits)
    except MemoryError:
        said = {"costly": True}
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
