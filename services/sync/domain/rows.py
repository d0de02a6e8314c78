"""Reading the rows of one kept file, one at a time: a row becomes staged records or a refusal with all its faults."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.sync.domain.blocks import Block, BlockReader
from services.sync.domain.catalogue import is_error
from services.sync.domain.cells import CellError, Reader, Repair, read_datetime, read_id, reader_of, repair_datetime
from services.sync.domain.columns import ENROLLMENT_ROLE_IN_1_2, FAMILY_ROLES, ROLE_IN_1_2, STATUS_WORDS, Column
from services.sync.domain.gradebook_records import BY_FILE
from services.sync.domain.package import FilePlan
from services.sync.domain.problems import Problem, shortened
from services.sync.domain.records import ROLE, RecordType
from services.sync.domain.staged import ACCEPTED, DROPPED, REFUSED, Registry, Staged, Tally

REPAIRS_LISTED = 1000


@dataclass(slots=True)
class RowReader:
    """Reads the rows of `plan`. Call `read` per row, then `finish` once for what is reported per column."""

    plan: FilePlan
    registry: Registry
    lenient: bool
    tally: Tally = field(default_factory=Tally)
    schools: set[str] = field(default_factory=set)  # named by the accepted rows of orgs.csv
    _cells: list[tuple[Column, int, Reader, Repair | None]] = field(init=False)
    _dropped: list[tuple[str, int]] = field(init=False)
    _dropped_counts: Counter[str] = field(init=False, default_factory=Counter)
    _repairs: Counter[tuple[str, str | None]] = field(init=False, default_factory=Counter)
    _problems: list[Problem] = field(init=False, default_factory=list)
    _blocks: BlockReader | None = field(init=False)

    def __post_init__(self) -> None:
        positions, spec = self.plan.positions, self.plan.spec
        self._cells = [
            (column, positions[column.name], *reader_of(column))
            for column in spec.columns
            if column.name in positions and column.name not in spec.dropped
        ]
        self._dropped = [
            (name, index) for name, index in positions.items() if name in spec.dropped or name.startswith("metadata.")
        ]
        self._blocks = BlockReader.of(self.plan, self.registry.is_school, self._dropped_counts)

    def read_many(
        self, rows: Sequence[tuple[int, list[Any] | None]]
    ) -> tuple[Block | None, list[Staged], list[Problem]]:
        """The plain rows at once, the others one by one. A row of None is a line the CSV parser itself gave up on."""
        staged: list[Staged] = []
        unreadable = [Problem("row.unreadable", self.plan.spec.file_name, line) for line, row in rows if row is None]
        problems = [each for problem in unreadable for each in self.refuse(problem.line, None, [problem])[1]]
        rest = [(line, row) for line, row in rows if row is not None]
        block = None
        if self._blocks is not None:
            count = len(rest)
            block, rest = self._blocks.read(rest)
            self.tally.read += count - len(rest)
        for line, row in rest:
            made, found = self.read(line, row)
            staged += made
            problems += found
        return block, staged, sorted(problems, key=lambda each: each.line or 0)

    def read(self, line: int, row: Sequence[Any]) -> tuple[list[Staged], list[Problem]]:
        """The staged records of one row and its problems. A cell is text, or a list from `domain.objects`."""
        self.tally.read += 1
        self._problems = []
        staged = self._read(line, row)
        if not self._problems:
            return staged, []
        if any(map(is_error, self._problems)):
            self.tally.refused += 1
            # Refused is the whole story: that the row would have been left at the door anyway would only confuse.
            self._problems = [problem for problem in self._problems if not problem.code.startswith("dropped.")]
            staged = self._refusal(line, row)
            self._problems = _of_record(self._problems, staged)
        else:
            self.tally.repaired += any(problem.code.startswith("repair.") for problem in self._problems)
        return staged, self._listed()

    def refuse(self, line: int | None, row: Sequence[Any] | None, problems: list[Problem]) -> Any:
        """As `read`, for a row that others found wrong already; None when not even its cells are known."""
        self.tally.read += 1
        self.tally.refused += 1
        staged = self._refusal(line or 0, [] if row is None else row)
        return staged, _of_record(problems, staged)

    def finish(self) -> list[Problem]:
        """What is said once: of each dropped column, of repairs beyond those listed, of absence nobody can tell."""
        file, counts = self.plan.spec.file_name, self._dropped_counts
        dropped = [
            Problem("dropped.column", file, field=name, value=str(counts[name]), count=counts[name])
            for name, _ in self._dropped
            if counts[name]
        ]
        folded = [
            Problem(code, file, field=name, count=count - REPAIRS_LISTED)
            for (code, name), count in self._repairs.items()
            if count > REPAIRS_LISTED
        ]
        return dropped + folded + self._ending_nothing()

    def _ending_nothing(self) -> list[Problem]:
        """A nameless row may be that of any record: refused is not absent, so none of the file counts as absent."""
        if self.plan.mode != "bulk" or not self.tally.nameless:
            return []
        return [Problem("dropped.absence", self.plan.spec.file_name, count=self.tally.nameless)]

    def _read(self, line: int, row: Sequence[Any]) -> list[Staged]:
        cells = self._cells_of(line, row)
        if cells is None:
            return []
        sourced_id = self._sourced_id(line, cells)
        ended = self._status(line, cells)
        for name, index in self._dropped:
            if cells[index]:
                self._dropped_counts[name] += 1
        record = BY_FILE.get(self.plan.spec.name)
        if ended and record is not None:
            # A record that ends needs only its name; what else the row says no longer matters.
            return [Staged(record, line, sourced_id, ACCEPTED, ended=True)]
        values = self._values(line, cells)
        return _SHAPES.get(self.plan.spec.name, RowReader.plain)(self, line, sourced_id, values)

    def _cells_of(self, line: int, row: Sequence[Any]) -> Sequence[Any] | None:
        width = self.plan.width
        if any("\ufffd" in cell for cell in row):
            self._report("row.notUtf8", line)
            return None
        if len(row) == width:
            return row
        more = {"value": str(len(row)), "expected": str(width)}
        short = len(row) < width
        if self.lenient and (short or not any(cell.strip() for cell in row[width:])):
            filled = max(self.plan.positions.values()) + 1
            if len(row) < filled:
                self._report("repair.rowLength", line, **more)
            return [*row, *[""] * (width - len(row))] if short else row[:width]
        self._report("row.columnCount", line, **more)
        return None

    def _sourced_id(self, line: int, cells: Sequence[Any]) -> str:
        try:
            cell = cells[self.plan.positions["sourcedId"]]
            return read_id(cell) if cell else self._missing(line, "sourcedId")
        except CellError as fault:
            self._report(fault.code, line, "sourcedId")
            return ""

    def _missing(self, line: int, name: str) -> str:
        self._report("value.required", line, name)
        return ""

    def _status(self, line: int, cells: Sequence[Any]) -> bool:
        """Whether the row ends its record. Bulk leaves both cells empty; delta fills both."""
        status = self._cell(cells, "status")
        modified = self._cell(cells, "dateLastModified")
        if self.plan.mode == "bulk":
            for name, cell in (("status", status), ("dateLastModified", modified)):
                if cell:
                    self._report("repair.statusInBulk" if self.lenient else "bulk.statusFilled", line, name)
            if not self.lenient:
                return False
        elif not modified:
            self._missing(line, "dateLastModified")
        else:
            self._instant(line, modified)
        return self._ended(line, status)

    def _ended(self, line: int, status: str) -> bool:
        word = status.strip().lower() if self.lenient else status
        if word == "inactive" and self.lenient:
            self._report("repair.statusInactive", line, "status")
            return True
        if word in STATUS_WORDS:
            if word != status:
                self._report("repair.wordCase", line, "status", status, word)
            return word == "tobedeleted"
        if word:
            self._report("value.notInList", line, "status", status, ", ".join(STATUS_WORDS))
        elif self.plan.mode == "delta":
            self._missing(line, "status")
        return False

    def _instant(self, line: int, cell: str) -> None:
        try:
            read_datetime(cell)
        except CellError as fault:
            if self.lenient and repair_datetime(cell) is not None:
                self._report("repair.dateForm", line, "dateLastModified", cell)
            else:
                self._report(fault.code, line, "dateLastModified", cell, fault.expected)

    def _values(self, line: int, cells: Sequence[Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for column, index, read, repair in self._cells:
            cell = cells[index].strip() if self.lenient and isinstance(cells[index], str) else cells[index]
            if not cell:
                if column.required:
                    self._missing(line, column.name)
                continue
            try:
                value = read(cell)
            except CellError as fault:
                value = self._repaired(line, column, cell, repair, fault)
            if value is not None and column.target is not None:
                values[column.target] = value
                if column.org is not None:
                    self._check_org(line, column, value, values)
        return values

    def _repaired(self, line: int, column: Column, cell: str, repair: Repair | None, fault: CellError) -> Any:
        shown = None if column.personal else cell
        repaired = repair(cell) if self.lenient and repair is not None else None
        if repaired is None:
            self._report(fault.code, line, column.name, shown, fault.expected)
            return None
        value, code, expected = repaired
        self._report(code, line, column.name, shown, expected)
        return value

    def _check_org(self, line: int, column: Column, value: Any, values: dict[str, Any]) -> None:
        for sourced_id in value if isinstance(value, list) else [value]:
            known = self.registry.types.get(sourced_id)
            if known is None and self.lenient and not column.required:
                self._report("repair.referenceDropped", line, column.name, sourced_id)
                values.pop(str(column.target), None)
            elif known is None:
                self._report("org.unknown", line, column.name, sourced_id)
            elif column.org == "school" and known != "school":
                self._report("org.notSchool", line, column.name, sourced_id)

    def _cell(self, cells: Sequence[Any], name: str) -> str:
        index = self.plan.positions.get(name)
        return "" if index is None else str(cells[index])

    def _report(
        self, code: str, line: int, name: str | None = None, value: str | None = None, expected: str | None = None
    ) -> None:
        shown = None if value is None else shortened(value)
        self._problems.append(Problem(code, self.plan.spec.file_name, line, name, shown, expected))

    def _listed(self) -> list[Problem]:
        """Errors always; each kind of repair for its first thousand rows, then counted (`finish`)."""
        listed = []
        for problem in self._problems:
            if is_error(problem) or problem.code.startswith("dropped."):
                listed.append(problem)
                continue
            key = (problem.code, problem.field)
            self._repairs[key] += 1
            if self._repairs[key] <= REPAIRS_LISTED:
                listed.append(problem)
        return listed

    def _refusal(self, line: int, row: Sequence[Any]) -> list[Staged]:
        """A refused row keeps its id, so that its record does not count as absent from the package."""
        record = BY_FILE.get(self.plan.spec.name)
        if record is None:
            return []
        index = self.plan.positions["sourcedId"]
        sourced_id = row[index] if index < len(row) and len(row[index]) <= 255 else ""
        if not sourced_id or "\ufffd" in sourced_id:
            self.tally.nameless += 1
        if not row:
            return []
        return [Staged(record, line, sourced_id.replace("\x00", ""), REFUSED, values=self._refused_values(record, row))]

    def _refused_values(self, record: RecordType, row: Sequence[Any]) -> tuple[Any, ...]:
        """A refused role still says whose it is: that person then has no role for this row's reason."""
        index = self.plan.positions.get("userSourcedId", len(row))
        if record is not ROLE or index >= len(row):
            return ()
        try:
            return (read_id(row[index]), None, None, None, None)
        except CellError:
            return ()

    # What a good row of each file becomes.

    def org(self, line: int, sourced_id: str, values: dict[str, Any]) -> list[Staged]:
        known = self.registry.types.get(sourced_id)
        if known is None:
            self._report("org.unknown", line, "sourcedId", sourced_id)
        elif values.get("type") not in {None, known}:
            code = "repair.orgType" if self.lenient else "org.typeDiffers"
            self._report(code, line, "type", values["type"], known)
        if known == "school" and not any(map(is_error, self._problems)):
            self.schools.add(sourced_id)
        return []

    def session(self, line: int, sourced_id: str, values: dict[str, Any]) -> list[Staged]:
        self._in_order(line, values, "start_date", "end_date", "endDate")
        return [self._staged(line, sourced_id, values)]

    def plain(self, line: int, sourced_id: str, values: dict[str, Any]) -> list[Staged]:
        return [self._staged(line, sourced_id, values)]

    def user(self, line: int, sourced_id: str, values: dict[str, Any]) -> list[Staged]:
        if "org_sourced_ids" not in values and "role" not in values:
            return [self._staged(line, sourced_id, values)]
        return self._user_of_1_1(line, sourced_id, values)

    def _user_of_1_1(self, line: int, sourced_id: str, values: dict[str, Any]) -> list[Staged]:
        """OneRoster 1.1 writes one role and the orgs into the user's row; the roles become rows of their own."""
        role = values.get("role", "")
        if role in FAMILY_ROLES:
            return [self._family(line, "role", role, BY_FILE["users"], sourced_id)]
        role = ROLE_IN_1_2.get(role, role)
        staged = [self._staged(line, sourced_id, values)]
        for index, school in enumerate(values.get("org_sourced_ids", ())):
            kind = "primary" if index == 0 else "secondary"
            made = (sourced_id, kind, role, None, None)
            staged.append(Staged(ROLE, line, f"{sourced_id}/{school}/{role}", ACCEPTED, school=school, values=made))
        return staged

    def role(self, line: int, sourced_id: str, values: dict[str, Any]) -> list[Staged]:
        self._in_order(line, values, "begin_date", "end_date", "endDate")
        if values.get("role") in FAMILY_ROLES:
            # The person's id stays: someone with no other role is dropped too, and not refused for lack of a role.
            person = (values.get("user_sourced_id"), None, None, None, None)
            return [self._family(line, "role", values["role"], ROLE, sourced_id, person)]
        return [self._staged(line, sourced_id, values)]

    def enrollment(self, line: int, sourced_id: str, values: dict[str, Any]) -> list[Staged]:
        self._in_order(line, values, "begin_date", "end_date", "endDate")
        role = values.get("role", "")
        if role in FAMILY_ROLES:
            return [self._family(line, "role", role, BY_FILE["enrollments"], sourced_id)]
        values["role"] = ENROLLMENT_ROLE_IN_1_2.get(role, role)
        return [self._staged(line, sourced_id, values)]

    def score_scale(self, line: int, sourced_id: str, values: dict[str, Any]) -> list[Staged]:
        """`{left:right}` pairs become two lists, because either side may hold any character in the API."""
        pairs = [pair.split(":", 1) for pair in values.pop("score_scale_values", ())]
        values["item_values_lhs"] = [left for left, _ in pairs]
        values["item_values_rhs"] = [right for _, right in pairs]
        return [self._staged(line, sourced_id, values)]

    def user_resource(self, line: int, sourced_id: str, values: dict[str, Any]) -> list[Staged]:
        """An office above the school says nothing about where the row belongs; the user does."""
        if not self.registry.is_school(values.get("school_sourced_id", "")):
            values.pop("school_sourced_id", None)
        return [self._staged(line, sourced_id, values)]

    def _family(
        self, line: int, name: str, role: str, record: RecordType, sourced_id: str, values: tuple[Any, ...] = ()
    ) -> Staged:
        self._report("dropped.family", line, name, role)
        self.tally.dropped += 1
        return Staged(record, line, sourced_id, DROPPED, values=values)

    def _in_order(self, line: int, values: dict[str, Any], first: str, last: str, name: str) -> None:
        begin: dt.date | None = values.get(first)
        end: dt.date | None = values.get(last)
        if begin is not None and end is not None and end < begin:
            self._report("dates.reversed", line, name, end.isoformat())

    def _staged(self, line: int, sourced_id: str, values: dict[str, Any]) -> Staged:
        record = BY_FILE[self.plan.spec.name]
        school = values.get("school_sourced_id", "")
        return Staged(record, line, sourced_id, ACCEPTED, school=school, values=tuple(map(values.get, record.columns)))


def _of_record(problems: list[Problem], staged: list[Staged]) -> list[Problem]:
    """Rows that need a refused record are refused too; its id tells which of them this row caused."""
    return [replace(problem, record=staged[0].sourced_id if staged else None) for problem in problems]


_SHAPES: Mapping[str, Callable[[RowReader, int, str, dict[str, Any]], list[Staged]]] = {
    "orgs": RowReader.org,
    "academicSessions": RowReader.session,
    "users": RowReader.user,
    "roles": RowReader.role,
    "enrollments": RowReader.enrollment,
    "scoreScales": RowReader.score_scale,
    "userResources": RowReader.user_resource,
}
