"""What can be wrong with a package, a file or a row: the shape of a problem and of a published problem code."""

from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Text

VALUE_SHOWN = 40


class Severity(StrEnum):
    """`error` refuses the row or package; `repair` changed it (lenient only); `dropped` left something at the door."""

    ERROR = "error"
    REPAIR = "repair"
    DROPPED = "dropped"


class Who(StrEnum):
    """Who must act. `nobody`: the report is for information."""

    VENDOR = "vendor"
    SCHOOL = "school"
    DEPARTMENT = "department"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """One published code. `text` and `hint` may name `{field}`, `{value}` and `{expected}`."""

    code: str
    severity: Severity
    who: Who
    text: Text
    hint: Text


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `line` is the line in the file (the header is line 1); `value` is shortened and never personal.

    `count` is above 1 only where one entry stands for many: a dropped column, or repairs beyond the first thousand.
    `record` is the sourcedId of a refused row's record, where it has one.
    """

    code: str
    file: str
    line: int | None = None
    field: str | None = None
    value: str | None = None
    expected: str | None = None
    school: str | None = None
    count: int = 1
    record: str | None = None


def shortened(value: str) -> str:
    """A cell's value as a report may show it: one line of at most 40 characters."""
    flat = " ".join(value.replace("\x00", " ").split())
    return flat if len(flat) <= VALUE_SHOWN else flat[: VALUE_SHOWN - 1] + "…"


def fill(template: str, problem: Problem) -> str:
    """A text of the catalogue with the problem's field, value and expectation put in."""
    words = {"field": problem.field or "", "value": problem.value or "", "expected": problem.expected or ""}
    for name, word in words.items():
        template = template.replace("{" + name + "}", word)
    return template
