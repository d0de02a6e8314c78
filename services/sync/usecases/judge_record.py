"""Judging one record given as an object, by itself: every fault at once, in the words of the problem catalogue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.sync.domain import catalogue
from services.sync.domain.beside import BESIDE, Beside
from services.sync.domain.catalogue import is_error
from services.sync.domain.objects import SPECS, ObjectReader
from services.sync.domain.problems import Problem
from services.sync.domain.records import RecordType
from services.sync.domain.rows import RowReader
from services.sync.domain.staged import Registry, Staged
from shared.errors import AppError, FieldError, Kind, Text

READERS: Mapping[str, ObjectReader] = {name: ObjectReader(spec, "delta") for name, spec in SPECS.items()}
_ANY_INSTANT = "1970-01-01T00:00:00.000Z"


# Where an implementation sends a date-time and the standard has a date.
_DATES_SENT_AS_INSTANTS = {"results": ("scoreDate",), "assessmentResults": ("scoreDate",)}


@dataclass(frozen=True, slots=True)
class Judged:
    """`staged` has no school where the record names none.

    `beside` are rows of other types the object holds, by type: all of them there are for the record from now on.
    """

    staged: Staged
    dropped: tuple[str, ...]
    beside: Mapping[RecordType, tuple[Staged, ...]]

    @property
    def ended(self) -> bool:
        return self.staged.ended

    @property
    def school(self) -> str | None:
        """The school the record names, or its roles do."""
        named = {row.school for rows in self.beside.values() for row in rows if row.school}
        return self.staged.school or (named.pop() if len(named) == 1 else None)

    @property
    def values(self) -> dict[str, Any]:
        return dict(zip(self.staged.record.columns, self.staged.values, strict=False))


def judge(
    registry: Registry, record: RecordType, sourced_id: str, given: Mapping[str, Any], *, lenient: bool
) -> Judged:
    """`lenient`: fields nobody knows are left out. Raises `record.invalid` with every fault."""
    held = [each for each in BESIDE if each.owner is record and isinstance(given.get(each.member), each.shape)]
    members = {each.member for each in BESIDE if each.owner is record}
    body = _filled({name: value for name, value in given.items() if name not in members}, record, sourced_id)
    faults: list[tuple[str, Problem]] = []
    if given.get("sourcedId", sourced_id) != sourced_id:
        faults.append(("", Problem("record.idDiffers", record.file, field="sourcedId", expected=sourced_id)))
    staged, found, dropped = _read(registry, record, body, lenient=lenient)
    faults += [("", each) for each in found]
    beside: dict[RecordType, tuple[Staged, ...]] = {}
    for each in held:
        beside[each.record], more = _read_beside(registry, each, sourced_id, given[each.member], lenient=lenient)
        faults += more
    refuse([each for _, each in faults], [where for where, _ in faults])
    assert staged is not None
    return Judged(staged, dropped, beside)


def _filled(body: dict[str, Any], record: RecordType, sourced_id: str) -> dict[str, Any]:
    """What OneRoster lets a writer leave out: the id is in the path, the time is ours, the status is `active`."""
    body |= {"sourcedId": sourced_id, "dateLastModified": _ANY_INSTANT}
    body["status"] = body.get("status") or "active"
    for name in _DATES_SENT_AS_INSTANTS.get(record.file, ()):
        value = body.get(name)
        if isinstance(value, str) and "T" in value:
            body[name] = value.partition("T")[0]
    return body


def _read(
    registry: Registry, record: RecordType, body: Mapping[str, Any], *, lenient: bool
) -> tuple[Staged | None, list[Problem], tuple[str, ...]]:
    reader = READERS[record.file]
    cells = reader.cells(body)
    file = reader.spec.file_name
    problems = [Problem("field.unknown", file, field=name) for name in cells.unknown if not lenient]
    problems += [Problem("field.misshapen", file, field=name) for name in cells.misshapen]
    rows = RowReader(reader.plan, registry, lenient=False)
    staged, found = rows.read(1, cells.row)
    problems += [each for each in found if not (each.code == "value.required" and each.field in cells.misshapen)]
    dropped = tuple(sorted(str(each.field) for each in rows.finish() if each.code == "dropped.column"))
    return (staged[0] if staged else None), problems, dropped + (cells.unknown if lenient else ())


def _read_beside(
    registry: Registry, held: Beside, owner: str, given: Any, *, lenient: bool
) -> tuple[tuple[Staged, ...], list[tuple[str, Problem]]]:
    rows: list[Staged] = []
    faults: list[tuple[str, Problem]] = []
    for index, each in enumerate(held.objects_of(given)):
        where = f"/{held.member}/{index}" if held.shape is list else f"/{held.member}"
        if each is None:
            faults.append((where, Problem("field.misshapen", held.record.file, field=held.member)))
            continue
        body = {"sourcedId": str(index), "status": "active", "dateLastModified": _ANY_INSTANT, held.owner_field: owner}
        staged, found, _ = _read(registry, held.record, dict(each) | body, lenient=lenient)
        faults += [(where, problem) for problem in found]
        rows += [] if staged is None else [staged]
    return tuple(rows), faults


def refuse(problems: Iterable[Problem], places: Sequence[str] = ()) -> None:
    """Raise `record.invalid` with what refuses the record; what was left at the door with all of it refuses it too."""
    found = [
        _field_error(problem, places[index] if places else "")
        for index, problem in enumerate(problems)
        if is_error(problem) or problem.code in {"dropped.family", "dropped.courseUnused"}
    ]
    if found:
        raise AppError(
            "record.invalid",
            Kind.INVALID,
            Text("Bản ghi không được ghi. Xem errors.", "The record was not written. See errors."),
            errors=found,
        )


def _field_error(problem: Problem, place: str) -> FieldError:
    said, hint = catalogue.message(problem), catalogue.hint(problem)
    pointer = f"{place}/{problem.field}" if problem.field else place
    return FieldError(pointer, problem.code, Text(f"{said.vi} {hint.vi}", f"{said.en} {hint.en}"))
