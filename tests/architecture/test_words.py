"""What no file of the project may contain, whatever its kind."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import name_of, project_files

# Written in pieces, so that this file passes its own test.
_UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
_NOT_DONE = re.compile("raise " + "NotImplementedError")
_MACHINE = re.compile(r"(?<![\w.$}])/(?:" + "|".join(["ro" + "ot", "wo" + "rk", "ho" + "me", "Us" + "ers"]) + r")/\w")
_HOSTS = [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("debian", "org")]
_REGISTRIES = re.compile("|".join(re.escape(".".join(host)) for host in _HOSTS))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def _places(pattern: re.Pattern[str], ending: str = "") -> list[str]:
    return [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path in project_files()
        if path.name.endswith(ending)
        for number, line in enumerate(_text_of(path).splitlines(), start=1)
        if pattern.search(line)
    ]


def test_nothing_is_left_for_later_in_a_comment():
    assert _places(_UNFINISHED) == []


def test_no_function_is_a_stub():
    assert _places(_NOT_DONE, ".py") == []


def test_no_file_names_a_path_of_one_machine():
    assert _places(_MACHINE) == []


def test_no_file_names_the_host_of_a_package_registry():
    assert _places(_REGISTRIES) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (_UNFINISHED, "# TO" + "DO: later"),
        (_MACHINE, "open('/ro" + "ot/secret')"),
        (_REGISTRIES, "https://pypi" + ".org/simple"),
    ],
)
def test_the_forbidden_words_would_be_found(pattern, text):
    assert pattern.search(text)
