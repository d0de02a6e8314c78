"""Habits of the house that a parser can see."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import CODE, name_of, python_files, tree_of

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}


def _dotted(node: ast.AST) -> str:
    """`a.b.c` for a chain of attributes, otherwise an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        root = _dotted(node.value)
        return f"{root}.{node.attr}" if root else ""
    return ""


def _uses(path: Path, *endings: str) -> Iterator[str]:
    """Places in `path` that mention a dotted name ending in one of `endings`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute | ast.Name):
            dotted = _dotted(node)
            if any(dotted == ending or dotted.endswith("." + ending) for ending in endings):
                yield f"{name_of(path)}:{node.lineno}: {dotted}"


def _mentions(folders: tuple[str, ...], endings: tuple[str, ...], allowed: set[str]) -> list[str]:
    return [use for path in python_files(*folders) if name_of(path) not in allowed for use in _uses(path, *endings)]


def test_no_module_has_a_name_that_says_nothing():
    parts = {name_of(path): set(name_of(path).removesuffix(".py").split("/")) for path in python_files()}
    assert [name for name, found in parts.items() if EMPTY_NAMES & found] == []


def test_only_the_composition_of_a_process_reads_the_environment():
    assert _mentions(("services", "shared"), ("os.environ", "os.getenv", "environ.get"), set()) == []


def test_time_comes_from_the_clock_that_was_handed_in():
    calls = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time")
    assert _mentions(("services", "shared"), calls, {"shared/clock.py"}) == []


def test_only_the_kit_raises_web_exceptions():
    assert _mentions(("services",), ("HTTPException",), set()) == []


def test_no_service_commits():
    found = []
    for path in python_files("services"):
        found += [
            f"{name_of(path)}:{node.lineno}"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Await)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
            and node.value.func.attr == "commit"
            and not node.value.args
            and not node.value.keywords
        ]
    assert found == []


def _asserts(node: ast.AST) -> bool:
    """An assertion that can fail, or `pytest.raises`/`warns`/`fail`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Assert) and not isinstance(child.test, ast.Constant):
            return True
        if isinstance(child, ast.Call) and _dotted(child.func) in {"pytest.raises", "pytest.warns", "pytest.fail"}:
            return True
    return False


def _calls(node: ast.AST) -> set[str]:
    called = {_dotted(child.func).rsplit(".", 1)[-1] for child in ast.walk(node) if isinstance(child, ast.Call)}
    # A method of a thing without a plain name: `(await x()).check()`.
    return called | {
        child.func.attr
        for child in ast.walk(node)
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute)
    }


def silent_tests(trees: dict[str, ast.Module]) -> list[str]:
    """Test functions that neither assert nor call, however far down, a function of the tests that does."""
    functions = [
        (name, node)
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    speaking = {node.name for _, node in functions if _asserts(node)}
    while more := {node.name for _, node in functions if _calls(node) & speaking} - speaking:
        speaking |= more
    return [
        f"{name}::{node.name}"
        for name, node in functions
        if node.name.startswith("test_") and not _asserts(node) and not _calls(node) & speaking
    ]


def test_every_test_asserts_something():
    assert silent_tests({name_of(path): tree_of(path) for path in python_files("tests")}) == []


@pytest.mark.parametrize(
    ("source", "silent"),
    [
        ("def test_a():\n    f()", ["t::test_a"]),
        ("def test_a():\n    assert True", ["t::test_a"]),
        ("def test_a():\n    assert f()", []),
        ("def test_a():\n    with pytest.raises(KeyError):\n        f()", []),
        ("def check(x):\n    assert x\ndef test_a():\n    check(1)", []),
        ("def check(x):\n    assert x\ndef two(x):\n    check(x)\nasync def test_a():\n    await two(1)", []),
    ],
)
def test_a_test_that_asserts_nothing_is_found(source, silent):
    assert silent_tests({"t": ast.parse(source)}) == silent


def test_every_folder_of_code_is_looked_at():
    assert {name_of(path).split("/")[0] for path in python_files()} == set(CODE)
