"""The project's own Python sources, parsed once for all architecture tests."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICES = ("gateway", "sync", "materials", "reporting")
CODE = ("services", "shared", "deploy", "tests")
_IGNORED = {"__pycache__", ".venv", ".run"}


def python_files(*folders: str) -> Iterator[Path]:
    """Every Python file below `folders` (default: all code), whether Git knows it already or not."""
    for folder in folders or CODE:
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            if not _IGNORED.intersection(path.parts):
                yield path


def name_of(path: Path) -> str:
    """The path as a reader writes it: relative to the repository."""
    return path.relative_to(REPOSITORY).as_posix()


def module_of(path: Path) -> str:
    dotted = path.relative_to(REPOSITORY).with_suffix("").as_posix().replace("/", ".")
    return dotted.removesuffix(".__init__")


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def project_files() -> list[Path]:
    """What a clone holds, plus what is new and not ignored. Without Git (a copied tree): the files of its folders."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        return [path for folder in (*CODE, "docs", "requirements") for path in (REPOSITORY / folder).rglob("*.*")]
    paths = (REPOSITORY / name for name in listed.stdout.decode().split("\0") if name)
    return sorted(path for path in paths if path.is_file())
