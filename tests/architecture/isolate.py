"""Each service starts with only its own folder, shared/ and its own requirements.

    python -m tests.architecture.isolate

For every service: a new virtual environment from `requirements/<service>.txt` (hashes checked), a copy of the folders
in an empty place, and there the processes are imported, the operator commands asked for help, and the migrations
written out as SQL. Takes seconds with uv's cache, and needs the network only where that is empty.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.architecture.sources import REPOSITORY, SERVICES

_IMPORTS = """
import importlib, pathlib, sys
for module in ("main", "worker", "bootstrap"):
    importlib.import_module(f"services.{sys.argv[1]}.{module}")
here = pathlib.Path.cwd()
ours = [module for name, module in sys.modules.items() if name.split(".")[0] in ("services", "shared", "tests")]
places = [pathlib.Path(module.__file__ or next(iter(module.__path__))) for module in ours]
strangers = [str(place) for place in places if here not in place.parents]
sys.exit(f"imported from elsewhere: {strangers}" if strangers else 0)
"""
_SQL = """
import sys
from alembic import command
from shared.db.migrations import config_for
command.upgrade(config_for(f"services.{sys.argv[1]}", ""), "head", sql=True)
"""


class NotIsolatedError(Exception):
    """A step failed; the text says which and why."""


def find_uv() -> str:
    """`UV` as make sets it, the one on the PATH, or the one that `make install` fetched."""
    for candidate in (os.environ.get("UV"), shutil.which("uv"), str(REPOSITORY / ".tools" / "uv")):
        if candidate and Path(candidate).exists():
            return candidate
    raise NotIsolatedError("uv was not found; run `make install`")


def isolate(service: str, uv: str, root: Path) -> float:
    """Check one service below the empty folder `root`; seconds it took. Raises `NotIsolatedError`."""
    started = time.monotonic()
    tree, venv = root / "tree", root / "venv"
    copy_service(service, tree)
    requirements = REPOSITORY / "requirements" / f"{service}.txt"
    _step(service, "virtual environment", [uv, "venv", "--quiet", "--python", sys.executable, str(venv)], tree)
    python = str(venv / "bin" / "python")
    install = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, str(requirements)]
    try:
        _step(service, "installation", [*install, "--offline"], tree, _with_index())
    except NotIsolatedError:
        _step(service, "installation", install, tree, _with_index())
    _step(service, "imports", [python, "-c", _IMPORTS, service], tree)
    _step(service, "operator commands", [python, "-m", "shared.ops", f"services.{service}", "--help"], tree)
    _step(service, "migrations", [python, "-c", _SQL, service], tree)
    return time.monotonic() - started


def _with_index() -> dict[str, str]:
    """The environment for uv, which may need a proxy, an index or certificates; no virtual environment is active."""
    return {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}


def _bare() -> dict[str, str]:
    """Nothing of this process may lead back to the repository."""
    return {"PATH": os.environ.get("PATH", os.defpath), "PYTHONDONTWRITEBYTECODE": "1"}


def copy_service(service: str, tree: Path) -> None:
    """What the image of `service` holds, and nothing else."""
    leave = shutil.ignore_patterns("__pycache__")
    (tree / "services").mkdir(parents=True)
    shutil.copy(REPOSITORY / "services" / "__init__.py", tree / "services")
    shutil.copytree(REPOSITORY / "services" / service, tree / "services" / service, ignore=leave)
    shutil.copytree(REPOSITORY / "shared", tree / "shared", ignore=leave)


def _step(service: str, what: str, command: list[str], cwd: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, env=environment or _bare(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotIsolatedError(f"{service}: {what} failed\n{done.stderr.strip() or done.stdout.strip()}")


def main() -> int:
    failures = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        uv = find_uv()
        running = {name: pool.submit(isolate, name, uv, Path(folder) / name) for name in SERVICES}
        for name, task in running.items():
            try:
                print(f"{name}: starts on its own ({task.result():.1f} s)")
            except NotIsolatedError as failure:
                failures += 1
                print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
