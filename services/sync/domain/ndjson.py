"""Records as lines of JSON: what a line must be, and which files of OneRoster its lines stand for.

    {"type": "manifest", "record": {"mode": "bulk"}}
    {"type": "classes", "record": {"sourcedId": "lop-6a3", "title": "6A3", "course": {"sourcedId": "toan-6"}, …}}

The shape of a line is that of the change feed's items, so that what one service reads another may send. Without a
manifest the lines are a delta: nothing ends but by name.
"""

from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any, get_args

import msgspec

from services.sync.domain.columns import COMMON_COLUMNS
from services.sync.domain.files import Mode
from services.sync.domain.objects import SPECS, CellValue, ObjectReader
from services.sync.domain.package import Findings, PackagePlan
from services.sync.domain.problems import Problem, shortened

NAME = "records.ndjson"
MANIFEST = "manifest"
LONGEST_LINE = 1024 * 1024
_MODES = get_args(Mode)
_ANY_INSTANT = "1970-01-01T00:00:00.000Z"
_STATUS, _MODIFIED = (COMMON_COLUMNS.index(name) for name in ("status", "dateLastModified"))


class _Kind(msgspec.Struct):
    type: str


class _Plain(msgspec.Struct):
    """A record with its id, all of whose values are texts: most lines are such, and are read at once."""

    type: str
    record: dict[str, str]


class Line(msgspec.Struct):
    type: str
    record: dict[str, Any]
    sourcedId: str | None = None  # noqa: N815  # as the change feed writes it
    status: str | None = None
    action: str | None = None
    school: str | None = None


# Brackets nested deeper than the decoder goes are as unreadable as half a line.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_KINDS = msgspec.json.Decoder(_Kind)
_PLAIN = msgspec.json.Decoder(_Plain)
_LINES = msgspec.json.Decoder(Line)


def kind_of(line: bytes) -> str:
    """The type a line names; empty when the line is no object that names one."""
    try:
        return _KINDS.decode(line).type
    except _UNREADABLE:
        return ""


def read_manifest_line(line: bytes, findings: Findings) -> dict[str, Mode]:
    """Modes by collection, `""` for those not named. Faults go to `findings`."""
    try:
        given = _LINES.decode(line).record
    except _UNREADABLE:
        findings.add("manifest.unreadable", NAME)
        return {}
    modes: dict[str, Mode] = {}
    for name, value in given.items():
        file = name.removeprefix("file.")
        if name != "mode" and (file == name or file not in SPECS):
            findings.add("manifest.propertyUnknown", NAME, field=shortened(name))
        elif value not in _MODES or (name == "mode" and value == "absent"):
            findings.add("manifest.mode", NAME, field=name, value=shortened(str(value)), expected=", ".join(_MODES))
        else:
            modes["" if name == "mode" else file] = value
    return modes


def plan_lines(modes: Mapping[str, Mode], found: Iterable[str]) -> PackagePlan:
    """The plan of a file with lines of the types `found`. What a manifest calls bulk and has no line, ends."""
    usual = modes.get("", "delta")
    kinds = {kind for kind in found if kind in SPECS} | {kind for kind in modes if kind}
    every: dict[str, Mode] = dict.fromkeys(SPECS, "absent")
    every |= {kind: modes.get(kind, usual) for kind in kinds}
    files = tuple(ObjectReader(spec, every[name]).plan for name, spec in SPECS.items() if every[name] != "absent")
    return PackagePlan("1.2", every, files)


class LineReader:
    """Lines of one type as rows of cells. `unknown` and `misshapen` problems are those of the objects themselves."""

    def __init__(self, reader: ObjectReader, *, lenient: bool) -> None:
        self._reader = reader
        self._lenient = lenient
        self._header = reader.spec.header
        self._names = frozenset(self._header)
        self._bulk = reader.mode == "bulk"

    def row_of(self, line: bytes, number: int) -> tuple[list[CellValue] | None, list[Problem]]:
        """The cells, None for a line that is no record."""
        try:
            plain = _PLAIN.decode(line).record
            if "sourcedId" in plain and plain.keys() <= self._names:
                return self._with_state(list(map(plain.get, self._header, repeat("")))), []
        except _UNREADABLE:
            pass
        return self._row_of_any(line, number)

    def _row_of_any(self, line: bytes, number: int) -> tuple[list[CellValue] | None, list[Problem]]:
        file = self._reader.spec.file_name
        try:
            found = _LINES.decode(line)
        except _UNREADABLE:
            return None, [Problem("ndjson.unreadable", file, number)]
        given = {"sourcedId": found.sourcedId, "status": found.status, **found.record}
        if found.action == "removed":
            given["status"] = "tobedeleted"
        if found.school is not None:
            given.setdefault("school", found.school)
        cells = self._reader.cells(given)
        problems = [Problem("field.misshapen", file, number, name) for name in cells.misshapen]
        if not self._lenient:
            problems += [Problem("field.unknown", file, number, shortened(name)) for name in cells.unknown]
        return self._with_state(cells.row), problems

    def _with_state(self, row: list[CellValue]) -> list[CellValue]:
        """An active record says so or leaves it out; in bulk both cells are empty in a CSV."""
        if self._bulk and row[_STATUS] in {"", "active"}:
            row[_STATUS] = row[_MODIFIED] = ""
        elif not self._bulk:
            row[_STATUS] = row[_STATUS] or "active"
            row[_MODIFIED] = row[_MODIFIED] or _ANY_INSTANT
        return row
