"""The columns of a OneRoster CSV file as data: what a cell holds, whether it must be filled, whether it is kept.

Source: OneRoster 1.2 CSV binding (document 1.2.1) and 1.1 CSV tables. Dropping follows the minimal-data rule: a field
nobody here needs is left at the door, whatever its content.
"""

from dataclasses import dataclass
from enum import StrEnum


class Cell(StrEnum):
    """What a cell holds; each kind has one strict reader and perhaps repairs (`domain.cells`)."""

    ID = "id"
    IDS = "ids"
    TEXT = "text"
    TEXTS = "texts"
    DATE = "date"
    BOOLEAN = "boolean"
    WORD = "word"
    YEAR = "year"
    USER_IDS = "userIds"
    PAIRS = "pairs"
    NUMBER = "number"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True)
class Column:
    """`name` as in the header; `target` is the column of the record table, None for a cell that is only checked.

    `personal` values never appear in a problem report. `words` is the vocabulary of a WORD; `open_words` allows the
    standard's `ext:` extensions. `org` marks a reference into the org registry: `school` or `any`.
    """

    name: str
    cell: Cell = Cell.TEXT
    target: str | None = None
    required: bool = False
    personal: bool = False
    words: tuple[str, ...] = ()
    open_words: bool = True
    org: str | None = None


def required(name: str, target: str, cell: Cell = Cell.TEXT, **more: object) -> Column:
    return Column(name, cell, target, required=True, **more)  # type: ignore[arg-type]  # forwarded as declared above


def optional(name: str, target: str, cell: Cell = Cell.TEXT, **more: object) -> Column:
    return Column(name, cell, target, **more)  # type: ignore[arg-type]  # forwarded as declared above


COMMON_COLUMNS = ("sourcedId", "status", "dateLastModified")
STATUS_WORDS = ("active", "tobedeleted")
SESSION_TYPES = ("gradingPeriod", "semester", "schoolYear", "term")
ORG_TYPES = ("department", "school", "district", "local", "state", "national")
CLASS_TYPES = ("homeroom", "scheduled")
ROLE_TYPES = ("primary", "secondary")
ENROLLMENT_ROLES = ("administrator", "proctor", "student", "teacher")

# Roles whose holders this database has no use for (minimal data): the row is dropped and the drop is reported.
FAMILY_ROLES = frozenset({"guardian", "parent", "relative"})
USER_ROLES = (
    "aide",
    "counselor",
    "districtAdministrator",
    "principal",
    "proctor",
    "siteAdministrator",
    "student",
    "systemAdministrator",
    "teacher",
    *sorted(FAMILY_ROLES),
)
# OneRoster 1.1 names roles that 1.2 renamed; the record keeps the 1.2 word.
USER_ROLES_OF_1_1 = ("administrator", "aide", "proctor", "student", "teacher", *sorted(FAMILY_ROLES))
ENROLLMENT_ROLES_OF_1_1 = ("administrator", "aide", "proctor", "student", "teacher", *sorted(FAMILY_ROLES))
ROLE_IN_1_2 = {"administrator": "siteAdministrator"}
ENROLLMENT_ROLE_IN_1_2 = {"aide": "ext:aide"}


@dataclass(frozen=True, slots=True)
class FileSpec:
    """`columns` follow the three common ones, in the standard's order. `dropped` columns are known and never kept."""

    name: str
    columns: tuple[Column, ...] = ()
    dropped: frozenset[str] = frozenset()
    # Columns some editions of the standard have and others do not: accepted either way, at any place.
    floating: frozenset[str] = frozenset()

    @property
    def file_name(self) -> str:
        return f"{self.name}.csv"

    @property
    def header(self) -> tuple[str, ...]:
        return (*COMMON_COLUMNS, *(column.name for column in self.columns))
