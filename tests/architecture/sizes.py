"""Limits on the size of files and functions: `python -m tests.architecture.sizes`.

Complexity is ruff's business (C901). The exceptions may only shrink: an entry that is no longer needed, or larger than
it needs to be, is a fault too.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.architecture.sources import name_of, python_files, tree_of

FILE_LINES = 400
FUNCTION_LINES = 60

# "path" or "path::function" -> lines it may have. Empty is the aim.
EXCEPTIONS: Mapping[str, int] = {}


def measures(path: Path, name: str) -> Iterator[tuple[str, int, int]]:
    """(what, lines, limit) of a file and of each function in it. A docstring counts: it is read as well."""
    if "migrations/versions" in name:
        # A migration is a list of statements in the order of time; splitting it hides that order.
        return
    yield name, len(path.read_text(encoding="utf-8").splitlines()), FILE_LINES
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{name}::{node.name}", node.end_lineno - node.lineno + 1, FUNCTION_LINES


def faults(paths: Iterable[tuple[Path, str]], exceptions: Mapping[str, int]) -> list[str]:
    """One sentence per broken limit, and per exception that should be smaller or gone."""
    found, seen = [], set()
    for path, name in paths:
        for what, lines, limit in measures(path, name):
            allowed = exceptions.get(what, limit)
            if what in exceptions:
                seen.add(what)
            if lines > allowed:
                found.append(f"{what}: {lines} lines, at most {allowed}")
            elif what in exceptions and lines < allowed:
                found.append(f"{what}: its exception says {allowed}, it has {lines}: lower the exception, or drop it")
    return found + [f"{what}: an exception for something that does not exist" for what in exceptions.keys() - seen]


def main() -> int:
    found = faults(((path, name_of(path)) for path in python_files()), EXCEPTIONS)
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
