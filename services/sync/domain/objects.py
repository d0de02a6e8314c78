"""A record written as a JSON object becomes the cells of its CSV row, so that one set of rules judges both.

Names are those of the CSV header, those our own reads use (`domain.records.camel`), or OneRoster's JSON: a reference
may be `{"sourcedId": …}` under the name without `SourcedId`. A list stays a list: its items may hold commas.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from services.sync.domain.columns import COMMON_COLUMNS, Cell, Column, FileSpec, optional
from services.sync.domain.files import KEPT_FILES, Mode
from services.sync.domain.gradebook_files import ASSESSMENT_SPECS
from services.sync.domain.gradebook_records import BY_FILE
from services.sync.domain.package import FilePlan
from services.sync.domain.records import camel


def _as_object(spec: FileSpec) -> FileSpec:
    """What the CSV file demands and the JSON object leaves open, and what only the object has."""
    columns = [replace(each, required=each.required and (spec.name, each.name) not in _OPEN) for each in spec.columns]
    return replace(spec, columns=(*columns, *_MORE.get(spec.name, ())))


_OPEN = frozenset(
    {("lineItems", "academicSessionSourcedId"), ("scoreScales", "orgSourcedId"), ("scoreScales", "courseSourcedId")}
)
_MORE = {"lineItems": (optional("gradingPeriodSourcedId", "grading_period_sourced_id", Cell.ID),)}
SPECS: Mapping[str, FileSpec] = {spec.name: _as_object(spec) for spec in (*KEPT_FILES["1.2"], *ASSESSMENT_SPECS)}
# What a reader of our own or OneRoster's API finds beside the record's fields; it says nothing about the record.
_AROUND = frozenset({"type", "href", "metadata", "school", "version", "recordedFrom", "recordedTo", "lastImportId"})
_AROUND |= {"resources", "userProfiles", "children"}
_LISTS = frozenset({Cell.IDS, Cell.TEXTS, Cell.USER_IDS, Cell.PAIRS})
_JSON_NAMES = {
    "preferredGivenName": ("preferredFirstName",),
    "preferredMiddleName": ("preferredMiddleName",),
    "preferredFamilyName": ("preferredLastName",),
    "termSourcedIds": ("terms",),
    "orgSourcedId": ("org", "school"),
    "parentSourcedId": ("parent",),
    "parentAssessmentLineItemSourcedId": ("parentSourcedId",),
    "resourceSourcedIds": ("resources",),
    "agentSourcedIds": ("agents",),
}
_REFERENCE, _REFERENCES = "SourcedId", "SourcedIds"

CellValue = str | list[str]


@dataclass(frozen=True, slots=True)
class Cells:
    """`row` in the order of the plan. `unknown` names no column has; `misshapen` ones hold what no cell can."""

    row: list[CellValue]
    unknown: tuple[str, ...]
    misshapen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectReader:
    """Reads the objects of one OneRoster collection, as `plan` reads the rows of its file."""

    spec: FileSpec
    mode: Mode
    plan: FilePlan = field(init=False)
    _names: tuple[tuple[Column, tuple[str, ...]], ...] = field(init=False)
    _known: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        header = self.spec.header
        positions = {name: index for index, name in enumerate(header)}
        object.__setattr__(self, "plan", FilePlan(self.spec, "", self.mode, len(header), positions))
        common = tuple((Column(name), (name,)) for name in COMMON_COLUMNS)
        own = tuple((column, tuple(_names_of(self.spec.name, column))) for column in self.spec.columns)
        object.__setattr__(self, "_names", (*common, *own))
        known = {name for _, names in self._names for name in names}
        object.__setattr__(self, "_known", known | _AROUND)

    def cells(self, given: Mapping[str, Any]) -> Cells:
        given = _paired(given)
        row: list[CellValue] = []
        misshapen: list[str] = []
        for column, names in self._names:
            name = next((each for each in names if given.get(each) is not None), None)
            cell = "" if name is None else _cell(column, given[name])
            if cell is None:
                misshapen.append(column.name)
            row.append(cell or "")
        unknown = tuple(sorted(name for name, value in given.items() if value is not None and name not in self._known))
        return Cells(row, unknown, tuple(misshapen))


def _paired(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our own reads give a scale's two sides as two lists."""
    left, right = given.get("itemValuesLhs"), given.get("itemValuesRhs")
    if not (isinstance(left, list) and isinstance(right, list) and len(left) == len(right)):
        return given
    pairs = [{"itemValueLHS": a, "itemValueRHS": b} for a, b in zip(left, right, strict=True)]
    others = {name: value for name, value in given.items() if not name.startswith("itemValues")}
    return others | {"scoreScaleValue": pairs}


def _names_of(collection: str, column: Column) -> Iterator[str]:
    """Every name a column's value may come under; the first that is filled counts."""
    yield column.name
    record = BY_FILE.get(collection)
    if column.target is not None and record is not None and column.target in record.columns:
        yield camel(column.target)
    for suffix, plural in ((_REFERENCES, "s"), (_REFERENCE, "")):
        if column.name.endswith(suffix):
            yield column.name.removesuffix(suffix) + plural
            break
    yield from _JSON_NAMES.get(column.name, ())


def _cell(column: Column, value: Any) -> CellValue | None:
    """The value as a cell; None when no cell of the column can hold it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if column.target is None and column.cell is Cell.TEXT:
        return "…"  # left at the door, whatever it is
    if isinstance(value, Mapping):
        return _sourced_id(value) if column.cell is Cell.ID else None
    if isinstance(value, Sequence) and column.cell in _LISTS:
        return _list(column, value)
    return None


def _number(value: float) -> str:
    """Without an exponent, as a CSV writes it."""
    return str(value) if isinstance(value, int) else f"{Decimal(repr(value)):f}"


def _sourced_id(value: Mapping[str, Any]) -> str | None:
    found = value.get("sourcedId")
    return found if isinstance(found, str) else None


def _list(column: Column, value: Sequence[Any]) -> list[str] | None:
    items = [_item(column.cell, each) for each in value]
    return None if any(item is None for item in items) else [str(item) for item in items]


def _item(cell: Cell, value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        return None
    pair = {Cell.USER_IDS: ("type", "identifier"), Cell.PAIRS: ("itemValueLHS", "itemValueRHS")}.get(cell)
    if pair is None:
        return _sourced_id(value)
    left, right = (value.get(name) for name in pair)
    return f"{left}:{right}" if isinstance(left, str) and isinstance(right, str) and ":" not in left else None
