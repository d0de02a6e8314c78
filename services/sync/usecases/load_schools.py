"""Loading the department's schools from a file: each line creates a school with its issued code, or corrects it.

A school that is not in the org tree does not exist for a package: its rows are held under one cause, `org.unknown`.
"""

import csv
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from services.sync.domain.cells import CellError, read_date, read_id
from services.sync.domain.org_tree import OrgKind, ParentEdge, Validity
from services.sync.storage import orgs
from services.sync.usecases.orgs import OrgValues, put_org
from services.sync.usecases.registry import require_department
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Text

COLUMNS = ("sourcedId", "name", "level", "parentSourcedId", "identifier", "validFrom", "validTo")
LINE_UNREADABLE = Text("Dòng không đọc được.", "The line cannot be read.")
_LEVELS = ("lower_secondary", "upper_secondary")
_WRONG = {
    "sourcedId": Text("sourcedId gồm 1 đến 255 ký tự A–Z a–z 0–9 . - _ / @ :.", "sourcedId is not a code."),
    "name": Text("Thiếu tên trường.", "The name is missing."),
    "level": Text(f"level chỉ nhận: {', '.join(_LEVELS)}.", f"level takes: {', '.join(_LEVELS)}."),
    "parentSourcedId": Text("Thiếu đơn vị quản lí.", "The unit above is missing."),
    "validFrom": Text("Ngày phải có dạng YYYY-MM-DD.", "A date is YYYY-MM-DD."),
}


@dataclass(frozen=True, slots=True)
class Fault:
    line: int
    code: str
    text: Text


@dataclass(slots=True)
class LoadedSchools:
    """Lines by what became of them; of the faults all are kept."""

    read: int = 0
    added: int = 0
    changed: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)


class _LineError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.text = _WRONG[name]


async def load_schools(uow: UnitOfWork, principal: Principal, path: Path, *, is_csv: bool) -> LoadedSchools:
    """Each line by itself: a wrong one is told with its number, the others go on. Raises `registry.notDepartment`."""
    await require_department(uow, principal)
    done = LoadedSchools()
    for line, row in _rows(path, is_csv=is_csv):
        done.read += 1
        if row is None:
            done.faults.append(Fault(line, "registry.lineUnreadable", LINE_UNREADABLE))
            continue
        try:
            values = _school(row)
            async with uow.session.begin_nested():
                await _put(uow, principal, values, done)
        except _LineError as fault:
            done.faults.append(Fault(line, "registry.schoolInvalid", fault.text))
        except AppError as fault:
            said = fault.errors[0].text if fault.errors else fault.text
            done.faults.append(Fault(line, fault.code, said))
    return done


async def _put(uow: UnitOfWork, principal: Principal, values: OrgValues, done: LoadedSchools) -> None:
    """A school that is as the line says is left alone: loading again tells nobody anything."""
    known = await orgs.find_org(uow.session, values.sourced_id)
    if known is not None and known.kind == values.kind:
        parents = (await orgs.parents_of(uow.session, [values.sourced_id], None)).get(values.sourced_id, [])
        edges = {(each["parent_sourced_id"], each["valid_from"], each["valid_to"]) for each in parents}
        mine = (known.name, known.identifier, known.level, known.valid_from, known.valid_to)
        theirs = (values.name, values.identifier, values.level, values.validity.valid_from, values.validity.valid_to)
        if mine == theirs and {each.sourced_id for each in values.parents} <= {edge[0] for edge in edges}:
            done.known += 1
            return
    _, is_new = await put_org(uow, principal, values, None)
    done.added += is_new
    done.changed += not is_new


def _rows(path: Path, *, is_csv: bool) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        if is_csv:
            reader = csv.DictReader(lines)
            for row in reader:
                yield reader.line_num, row
            return
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, _object(line)


def _object(line: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _school(row: Mapping[str, Any]) -> OrgValues:
    cells = {name: str(row.get(name) or "").strip() for name in COLUMNS}
    for name in ("sourcedId", "parentSourcedId"):
        try:
            read_id(cells[name])
        except CellError as fault:
            raise _LineError(name) from fault
    if not cells["name"] or len(cells["name"]) > 255:  # as a unit's name by PUT
        raise _LineError("name")
    if cells["level"] not in _LEVELS:
        raise _LineError("level")
    return OrgValues(
        sourced_id=cells["sourcedId"],
        kind=OrgKind.SCHOOL,
        name=cells["name"],
        identifier=cells["identifier"] or None,
        level=cast("Any", cells["level"]),
        validity=Validity(_date(cells["validFrom"]), _date(cells["validTo"])),
        parents=(ParentEdge(cells["parentSourcedId"], Validity(None, None)),),
    )


def _date(cell: str) -> dt.date | None:
    try:
        return read_date(cell) if cell else None
    except CellError as fault:
        raise _LineError("validFrom") from fault
