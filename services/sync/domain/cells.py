"""Reading one cell: a strict reader per kind, and for some kinds a repair that `lenient=true` may try.

A reader raises `CellError`; a repair returns the value and what it made of it, or None when it cannot help either.
"""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from services.sync.domain.columns import Cell, Column

MAX_TEXT = 1000
MAX_ID = 255
_ID = re.compile(r"[0-9A-Za-z.\-_/@:]{1,255}")
_EXTENSION = re.compile(r"ext:[A-Za-z0-9._-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_YEAR = re.compile(r"\d{4}")
# At most 15 digits: what a JSON number of any reader holds exactly.
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,6})?")
_USER_ID = re.compile(r"\{([^{}:,]+):([^{},]+)\}")
_PAIR = re.compile(r"\{([^{}:]+:[^{}]+)\}")
_PAIRS = re.compile(rf"{_PAIR.pattern}(?:\s*,\s*{_PAIR.pattern})*")
_TRUE = frozenset({"true", "1", "yes", "y"})
_FALSE = frozenset({"false", "0", "no", "n"})


class CellError(ValueError):
    """`code` is a published problem code; `expected` what would have been right."""

    def __init__(self, code: str, expected: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.expected = expected


Reader = Callable[[str], Any]
Repair = Callable[[str], tuple[Any, str, str | None] | None]


def read_text(cell: str) -> str:
    if len(cell) > MAX_TEXT:
        raise CellError("value.tooLong", str(MAX_TEXT))
    if not cell.isprintable() and _CONTROL.search(cell):
        raise CellError("value.controlCharacter")
    return cell


def read_id(cell: str) -> str:
    if not _ID.fullmatch(cell):
        raise CellError("sourcedId.invalid")
    return cell


def read_list(cell: str | list[str]) -> list[str]:
    """A list in one cell, separated by commas; blanks around an item mean nothing. An object's list comes as one."""
    items = [read_text(item).strip() for item in (cell if isinstance(cell, list) else read_text(cell).split(","))]
    if not all(items):
        raise CellError("value.emptyItem")
    return items


def read_ids(cell: str | list[str]) -> list[str]:
    return [read_id(item) for item in read_list(cell)]


def read_date(cell: str) -> dt.date:
    if _DATE.fullmatch(cell):
        try:
            return dt.date.fromisoformat(cell)
        except ValueError:
            pass
    raise CellError("value.notDate", "YYYY-MM-DD")


def repair_date(cell: str) -> tuple[dt.date, str, str | None] | None:
    """Day first (d/m/yyyy), as schools here write it, or the date part of a date-time."""
    try:
        if found := _DAY_FIRST.fullmatch(cell.strip()):
            day, month, year = (int(part) for part in found.groups())
            return dt.date(year, month, day), "repair.dateForm", None
        return dt.datetime.fromisoformat(cell.strip()).date(), "repair.dateForm", None
    except ValueError:
        return None


def read_datetime(cell: str) -> dt.datetime:
    """An instant with zone (ISO 8601); the standard writes `YYYY-MM-DDTHH:MM:SS.sssZ`."""
    try:
        instant = dt.datetime.fromisoformat(cell)
    except ValueError:
        instant = None
    if instant is None or "T" not in cell or instant.tzinfo is None:
        raise CellError("value.notDateTime", "YYYY-MM-DDTHH:MM:SS.sssZ")
    return instant.astimezone(dt.UTC)


def repair_datetime(cell: str) -> tuple[dt.datetime, str, str | None] | None:
    found = repair_date(cell)
    return None if found is None else (dt.datetime.combine(found[0], dt.time(), dt.UTC), found[1], None)


def read_instant(cell: str) -> dt.datetime:
    """A date-time with zone, or a bare date, which stands for its first instant in UTC."""
    if _DATE.fullmatch(cell):
        return dt.datetime.combine(read_date(cell), dt.time(), dt.UTC)
    return read_datetime(cell)


def read_number(cell: str) -> Decimal:
    """An exact decimal with a point: at most nine digits before it and six after."""
    if not _NUMBER.fullmatch(cell):
        raise CellError("value.notNumber", "0.000000")
    return Decimal(cell)


def repair_number(cell: str) -> tuple[Decimal, str, str | None] | None:
    """The decimal comma schools here write."""
    word = cell.strip().replace(",", ".")
    return (Decimal(word), "repair.numberForm", word) if _NUMBER.fullmatch(word) else None


def read_boolean(cell: str) -> bool:
    if cell == "true":
        return True
    if cell == "false":
        return False
    raise CellError("value.notBoolean", "true, false")


def repair_boolean(cell: str) -> tuple[bool, str, str | None] | None:
    word = cell.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE, "repair.booleanForm", "true" if word in _TRUE else "false"
    return None


def read_year(cell: str) -> str:
    if not _YEAR.fullmatch(cell):
        raise CellError("value.notYear", "YYYY")
    return cell


def read_user_ids(cell: str | list[str]) -> list[str]:
    """`{type:identifier}` entries separated by commas, kept as `type:identifier`."""
    if isinstance(cell, list):
        return [read_text(item) for item in cell]
    found = _USER_ID.findall(read_text(cell))
    if ",".join(f"{{{kind}:{value}}}" for kind, value in found) != cell.replace(" ", ""):
        raise CellError("value.notUserIds", "{type:identifier},…")
    return [f"{kind}:{value}" for kind, value in found]


def read_pairs(cell: str | list[str]) -> list[str]:
    """`{left:right}` entries separated by commas, kept as `left:right`."""
    if isinstance(cell, list):
        return [read_text(item) for item in cell]
    if not _PAIRS.fullmatch(read_text(cell)):
        raise CellError("value.notUserIds", "{left:right},…")
    return _PAIR.findall(cell)


def _word_reader(column: Column) -> tuple[Reader, Repair]:
    words = frozenset(column.words)
    by_lower = {word.lower(): word for word in column.words}
    expected = ", ".join([*column.words, *(["ext:…"] if column.open_words else [])])

    def read(cell: str) -> str:
        if cell in words or (column.open_words and _EXTENSION.fullmatch(cell)):
            return cell
        raise CellError("value.notInList", expected)

    def repair(cell: str) -> tuple[str, str, str | None] | None:
        word = by_lower.get(cell.strip().lower())
        return None if word is None else (word, "repair.wordCase", word)

    return read, repair


_READERS: dict[Cell, tuple[Reader, Repair | None]] = {
    Cell.ID: (read_id, None),
    Cell.IDS: (read_ids, None),
    Cell.TEXT: (read_text, None),
    Cell.TEXTS: (read_list, None),
    Cell.DATE: (read_date, repair_date),
    Cell.BOOLEAN: (read_boolean, repair_boolean),
    Cell.YEAR: (read_year, None),
    Cell.USER_IDS: (read_user_ids, None),
    Cell.PAIRS: (read_pairs, None),
    Cell.NUMBER: (read_number, repair_number),
    Cell.INSTANT: (read_instant, repair_datetime),
}


def reader_of(column: Column) -> tuple[Reader, Repair | None]:
    """The strict reader of a column and the repair to try when it refuses, if there is one."""
    return _word_reader(column) if column.cell is Cell.WORD else _READERS[column.cell]
