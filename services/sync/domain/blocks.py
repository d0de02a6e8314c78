"""Reading many rows of a file at once, column by column: what a good row becomes, as the lines of a text COPY.

Most rows of most packages have nothing wrong with them. A row goes this way when every one of its cells is plainly
right; every other row, and every row of a file this module does not know, is left to `domain.rows.RowReader`, which
alone decides what is wrong and what is repaired. Both ways stage the same record for the same row
(`tests/unit/sync/test_blocks.py` compares them).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from operator import itemgetter
from typing import Any

from services.sync.domain.cells import CellError, read_datetime, reader_of
from services.sync.domain.columns import ENROLLMENT_ROLE_IN_1_2, FAMILY_ROLES, Cell, Column
from services.sync.domain.gradebook_records import BY_FILE
from services.sync.domain.package import FilePlan
from services.sync.domain.records import RecordType

NULL = "\\N"
_UNSURE = "\x00"  # no COPY text has a NUL: the mark of a cell that `RowReader` must look at
_REMEMBERED = 20_000
_ALL_IDS = re.compile(r"(?:[0-9A-Za-z.\-_/@:]{1,255}+\n)*+")
_KNOWN_CELLS = {Cell.ID, Cell.TEXT, Cell.DATE, Cell.BOOLEAN, Cell.WORD, Cell.NUMBER}
_ORDERED = {"roles": ("beginDate", "endDate"), "enrollments": ("beginDate", "endDate")}
# Files whose records are the row's cells and nothing else; `sourcedId` and `schoolSourcedId` go to the key.
_PLAIN = frozenset({"enrollments", "roles", "demographics", "results", "resultLearningObjectiveIds"})
_ESCAPED = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})

Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Block:
    """Accepted rows of one record type. `lines` are COPY text without the column of the import, in `columns`' order."""

    record: RecordType
    lines: list[str]

    @property
    def columns(self) -> tuple[str, ...]:
        return ("line", "sourced_id", "school_sourced_id", "outcome", "ended", *self.record.columns)


class _Memo(dict[str, str]):
    """COPY text by cell: a column repeats itself. Forgets everything when it has grown, so memory stays flat."""

    def __init__(self, text_of: Callable[[str], str]) -> None:
        super().__init__()
        self._text_of = text_of

    def __missing__(self, cell: str) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        made = self[cell] = self._text_of(cell)
        return made


@dataclass(slots=True)
class BlockReader:
    """Reads the plain rows of `plan`. `is_school` tells whether an org is a school the caller may name."""

    plan: FilePlan
    is_school: Callable[[str], bool]
    dropped: Counter[str]  # filled cells of columns left at the door, by name; counted up here
    _columns: list[tuple[int, Column, _Memo]] = field(init=False)
    _left: list[tuple[str, int]] = field(init=False)
    _modified: _Memo = field(init=False)

    def __post_init__(self) -> None:
        spec, positions = self.plan.spec, self.plan.positions
        kept = [each for each in spec.columns if each.name in positions and each.name not in spec.dropped]
        self._columns = [(positions[each.name], each, _Memo(self._text_of(each))) for each in kept]
        self._left = [
            (name, at) for name, at in positions.items() if name in spec.dropped or name.startswith("metadata.")
        ]
        self._modified = _Memo(_instant_or_unsure)

    @classmethod
    def of(cls, plan: FilePlan, is_school: Callable[[str], bool], dropped: Counter[str]) -> "BlockReader | None":
        """None when rows of the file are more than their cells, or hold a kind of cell this module does not know."""
        if plan.spec.name not in _PLAIN or "sourcedId" not in plan.positions:
            return None
        kept = {each.name for each in plan.spec.columns} - plan.spec.dropped
        known = all(each.cell in _KNOWN_CELLS for each in plan.spec.columns if each.name in kept)
        return cls(plan, is_school, dropped) if known else None

    def read(self, rows: Sequence[Row]) -> tuple[Block, list[Row]]:
        """The plain rows as a block, and the rows that must be read one by one, in their order."""
        record, width = BY_FILE[self.plan.spec.name], self.plan.width
        fitting = [row for row in rows if len(row[1]) == width]
        block, unsure = self._read(record, fitting) if fitting else (Block(record, []), set[int]())
        if not unsure and len(fitting) == len(rows):
            return block, []
        doubtful = [row for at, row in enumerate(fitting) if at in unsure]
        return block, sorted(doubtful + [row for row in rows if len(row[1]) != width], key=itemgetter(0))

    def _read(self, record: RecordType, rows: Sequence[Row]) -> tuple[Block, set[int]]:
        cells = list(zip(*(row for _, row in rows), strict=True))
        ids = cells[self.plan.positions["sourcedId"]]
        unsure = _undecodable(rows) | _odd_ids(ids) | self._odd_states(cells, len(rows)) | self._reversed(cells)
        texts: dict[str, Sequence[str]] = {}
        for at, column, memo in self._columns:
            texts[column.target or column.name], odd = _texts(cells[at], column, memo)
            unsure |= odd
        fields: list[Iterable[str]] = [
            map(str, map(itemgetter(0), rows)),
            ids,
            [("" if each == NULL else each) for each in texts["school_sourced_id"]]
            if "school_sourced_id" in texts
            else repeat(""),
            repeat("accepted"),
            repeat("f"),
            *(texts.get(name, repeat(NULL)) for name in record.columns),
        ]
        lines = list(map("\t".join, zip(*fields, strict=False)))
        if unsure:
            lines = [line for at, line in enumerate(lines) if at not in unsure]
        self._count_left(cells, unsure)
        return Block(record, lines), unsure

    def _odd_states(self, cells: Sequence[Sequence[str]], count: int) -> set[int]:
        """Rows that end their record, or say about it what the mode of the file does not allow."""
        positions = self.plan.positions
        status, modified = (
            cells[positions[name]] if name in positions else ("",) * count for name in ("status", "dateLastModified")
        )
        if self.plan.mode == "bulk":
            pairs = zip(status, modified, strict=True)
            return {at for at, (a, b) in enumerate(pairs) if a or b} if any(status) or any(modified) else set()
        known = map(self._modified.__getitem__, modified)
        pairs = zip(status, known, strict=True)
        return {at for at, (word, text) in enumerate(pairs) if word != "active" or text == _UNSURE}

    def _reversed(self, cells: Sequence[Sequence[str]]) -> set[int]:
        """Dates are ISO text here, whose order is that of the days."""
        names = _ORDERED.get(self.plan.spec.name, ())
        at = [self.plan.positions[name] for name in names if name in self.plan.positions]
        if len(at) < len(_ORDERED["roles"]) or not any(cells[at[1]]):
            return set()
        pairs = zip(cells[at[0]], cells[at[1]], strict=True)
        return {place for place, (begin, end) in enumerate(pairs) if end and end < begin}

    def _count_left(self, cells: Sequence[Sequence[str]], unsure: set[int]) -> None:
        for name, at in self._left:
            if filled := sum(1 for place, cell in enumerate(cells[at]) if cell and place not in unsure):
                self.dropped[name] += filled

    def _text_of(self, column: Column) -> Callable[[str], str]:
        read, _ = reader_of(column)

        def text_of(cell: str) -> str:
            if not cell:
                return _UNSURE if column.required else NULL
            try:
                value = read(cell)
            except CellError:
                return _UNSURE
            if (column.org and not self.is_school(cell)) or cell != cell.strip():
                return _UNSURE
            return self._copy_text(column, cell, value)

        return text_of

    def _copy_text(self, column: Column, cell: str, value: Any) -> str:
        if column.name == "role" and self.plan.spec.name in {"roles", "enrollments"}:
            if cell in FAMILY_ROLES:
                return _UNSURE
            if self.plan.spec.name == "enrollments":
                return ENROLLMENT_ROLE_IN_1_2.get(cell, cell)
        if column.cell is Cell.BOOLEAN:
            return "t" if value else "f"
        return cell.translate(_ESCAPED)


def _texts(cells: Sequence[str], column: Column, memo: _Memo) -> tuple[Sequence[str], set[int]]:
    """COPY text of a column, and the places that are not plainly right. A plain id is its own text."""
    if column.cell is Cell.ID and column.org is None and "" not in cells and not _odd_ids(cells):
        return cells, set()
    texts = list(map(memo.__getitem__, cells))
    return texts, {at for at, text in enumerate(texts) if text == _UNSURE} if _UNSURE in texts else set()


def _undecodable(rows: Sequence[Row]) -> set[int]:
    """Rows with bytes that were no UTF-8, in whatever column."""
    if "\ufffd" not in "".join(chain.from_iterable(row for _, row in rows)):
        return set()
    return {at for at, (_, row) in enumerate(rows) if "\ufffd" in "".join(row)}


def _odd_ids(cells: Sequence[str]) -> set[int]:
    """Places that hold no sourcedId; one match over the whole column when there is none, as nearly always."""
    joined = "\n".join(cells) + "\n"
    if joined.count("\n") == len(cells) and _ALL_IDS.fullmatch(joined):
        return set()
    return {at for at, cell in enumerate(cells) if "\n" in cell or not _ALL_IDS.fullmatch(cell + "\n")}


def _instant_or_unsure(cell: str) -> str:
    try:
        read_datetime(cell)
    except CellError:
        return _UNSURE
    return cell
