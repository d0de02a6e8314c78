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

from services.materials.inspection.report import TEXT_LIMIT, Inspection, Limits

_OPEN_FILES = 64


def bind(limits: Limits) -> None:
    """From here on memory, time and open files are bounded, and no file can be written."""
    for what, amount in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
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
        details = {key: value for key, value in error.details.items() if isinstance(value, str | int)}
        return {"refused": {"code": error.code, "vi": error.text.vi, "en": error.text.en, "details": details}}
    except (MemoryError, RecursionError):
        return {"costly": True}
    found.text = _plain(found.text)[:TEXT_LIMIT]
    found.sketch = sketch_of(found.text)
    found.title = _plain(found.title)[:300] if found.title else None
    found.contents = [_plain(line)[:300] for line in found.contents]
    return {"found": Inspection.as_json(found)}


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
