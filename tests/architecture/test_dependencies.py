"""A member of the workspace declares what it imports, and imports what it declares."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.sources import CODE, REPOSITORY, SERVICES, python_files, tree_of

MEMBERS = ["shared", *(f"services/{name}" for name in SERVICES)]
# Used without an import: a protocol for uvicorn, the data behind zoneinfo, the parser of Starlette's `request.form()`.
NEVER_IMPORTED = {"httptools", "tzdata", "python-multipart"}
# Part of the public face of a declared library.
COMPANIONS = {"starlette": "fastapi", "pydantic-core": "pydantic"}


def _declared(member: str) -> set[str]:
    document = tomllib.loads((REPOSITORY / member / "pyproject.toml").read_text())
    return {canonicalize_name(Requirement(text).name) for text in document["project"]["dependencies"]}


def _modules(member: str) -> Iterator[str]:
    for path in python_files(member):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module


def _imported(member: str) -> dict[str, set[str]]:
    """Third-party module -> the distributions that may provide it (several for a namespace such as opentelemetry)."""
    providers = packages_distributions()
    tops = {module.split(".")[0] for module in _modules(member)} - sys.stdlib_module_names - set(CODE)
    return {top: {canonicalize_name(name) for name in providers.get(top, [f"nobody's {top}"])} for top in tops}


@pytest.mark.parametrize("member", MEMBERS)
def test_what_a_member_declares_it_imports(member):
    used = {name for names in _imported(member).values() for name in names}
    assert _declared(member) - used - NEVER_IMPORTED == set()


@pytest.mark.parametrize("member", MEMBERS)
def test_what_a_member_imports_it_declares(member):
    declared = _declared(member) | _declared("shared")
    declared |= {companion for companion, library in COMPANIONS.items() if library in declared}
    assert {top: names for top, names in _imported(member).items() if not names & declared} == {}
