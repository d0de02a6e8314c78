"""Root causes in words: one cause instead of the thousand rows that fail because of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.sync.domain import catalogue
from services.sync.domain.problems import Problem
from shared.errors import Text

# Where the value itself is what has to be cured (a code nobody knows), each value is a cause of its own; elsewhere a
# thousand different bad dates are one fault of the export.
CODES_BY_VALUE = frozenset({"org.notSchool", "org.typeDiffers", "org.unknown", "value.notInList"})
# What may become right without the vendor sending the row again: the record it needs arrives, or the registry learns
# the code. Such rows are kept for a while after the import is final.
CODES_THAT_WAIT = frozenset({"reference.ended", "reference.unknown", "registry.unknown", "user.noRole"})

_NOUNS: Mapping[str, tuple[str, str]] = {
    "academicSessions.csv": ("Kỳ học", "Session"),
    "categories.csv": ("Loại điểm", "Category"),
    "classes.csv": ("Lớp", "Class"),
    "courses.csv": ("Khóa học", "Course"),
    "lineItems.csv": ("Cột điểm", "Line item"),
    "resources.csv": ("Học liệu", "Resource"),
    "scoreScales.csv": ("Thang điểm", "Score scale"),
    "users.csv": ("Người dùng", "User"),
}
_RECORD = ("Bản ghi", "Record")


@dataclass(frozen=True, slots=True)
class Cause:
    """One root cause: its first finding, the missing record (where that is the cause), and the rows it costs."""

    problem: Problem
    missing_file: str | None
    missing: str | None
    rows: int


def message(cause: Cause) -> Text:
    """What is wrong, and how many rows fail because of it."""
    vi, en = f"{cause.rows} dòng bị ảnh hưởng.", f"{cause.rows} rows affected."
    if cause.missing is None:
        said = catalogue.message(cause.problem)
        return Text(f"{said.vi} {vi}", f"{said.en} {en}")
    noun = _NOUNS.get(cause.missing_file or "", _RECORD)
    if cause.problem.code == "reference.ended":
        return Text(f"{noun[0]} “{cause.missing}” đã kết thúc: {vi}", f"{noun[1]} “{cause.missing}” has ended: {en}")
    return Text(f"{noun[0]} “{cause.missing}” chưa có: {vi}", f"{noun[1]} “{cause.missing}” is not there: {en}")
