"""Shapes of the sync API: JSON in camelCase, rows and shapes meet in `of`."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import RowMapping

from services.sync.domain import catalogue
from services.sync.domain.brake_texts import HOLD_TEXTS
from services.sync.domain.objects import SPECS
from services.sync.domain.org_tree import OrgKind, ParentEdge, Validity
from services.sync.domain.problems import Problem, ProblemCode
from services.sync.usecases.hold_import import RELEASING_ROLES
from services.sync.usecases.orgs import OrgValues, OrgView
from services.sync.usecases.queries import ImportView
from shared.errors import Language


class Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Closed(Shape):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


SourcedId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[0-9A-Za-z.\-_/@:]+$")]


class OrgParentShape(Closed):
    sourced_id: SourcedId
    valid_from: dt.date | None = None
    valid_to: dt.date | None = Field(default=None, description="Last day, inclusive.")

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        return cls(sourced_id=row["parent_sourced_id"], valid_from=row["valid_from"], valid_to=row["valid_to"])


class OrgIn(Closed):
    kind: OrgKind
    name: str = Field(min_length=1, max_length=255)
    identifier: str | None = Field(default=None, max_length=255)
    level: Literal["lower_secondary", "upper_secondary"] | None = Field(default=None, description="Schools only.")
    valid_from: dt.date | None = None
    valid_to: dt.date | None = Field(default=None, description="Last day, inclusive.")
    parents: list[OrgParentShape] = Field(default=[], max_length=50, description="Past, present and future parents.")

    def values(self, sourced_id: str) -> OrgValues:
        return OrgValues(
            sourced_id=sourced_id,
            kind=self.kind,
            name=self.name,
            identifier=self.identifier,
            level=self.level,
            validity=Validity(self.valid_from, self.valid_to),
            parents=tuple(
                ParentEdge(parent.sourced_id, Validity(parent.valid_from, parent.valid_to)) for parent in self.parents
            ),
        )


class OrgOut(Shape):
    sourced_id: str
    kind: OrgKind
    name: str
    identifier: str | None
    level: str | None
    valid_from: dt.date | None
    valid_to: dt.date | None
    parents: list[OrgParentShape]
    version: int
    date_last_modified: dt.datetime

    @classmethod
    def of(cls, view: OrgView) -> Self:
        parents = [OrgParentShape.of(parent) for parent in view.parents]
        row = {name: view.row[name] for name in cls.model_fields if name != "parents"}
        return cls(**row, parents=parents)


class Progress(Shape):
    rows_done: int
    rows_total: int | None


_ORDER = list(SPECS)


def _reading_order(entry: tuple[str, Any]) -> int:
    return _ORDER.index(entry[0])


class FileCounts(Shape):
    """Rows of one file, and records of its type the import adds, changes and ends. 1.1 has no roles.csv of its own."""

    file: str
    read: int
    accepted: int
    refused: int
    dropped: int = Field(description="Left at the door by the minimal-data rule.")
    repaired: int = Field(description="Accepted after a repair (lenient only).")
    added: int
    changed: int
    removed: int


class TypeCounts(Shape):
    before: int | None = Field(None, description="Active records before; not counted for one record by PUT.")
    added: int
    changed: int
    removed: int


class ImportSchoolOut(Shape):
    sourced_id: str
    complete: bool = Field(description="The package speaks for the whole school: what bulk files leave out ends.")
    counts: dict[str, TypeCounts]
    held: bool
    released_at: dt.datetime | None
    release_reason: str | None
    discarded_at: dt.datetime | None
    committed_at: dt.datetime | None

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        names = ("complete", "counts", "held", "released_at", "release_reason", "discarded_at", "committed_at")
        return cls(sourced_id=row["school_sourced_id"], **{name: row[name] for name in names})


class HoldReasonOut(Shape):
    code: str
    school: str
    type: str | None
    count: int | None
    before: int | None
    message: str
    released: bool
    discarded: bool
    who_can_decide: list[str] = Field(description="Roles at that school; empty when it was decided.")

    @classmethod
    def of(cls, reason: Mapping[str, Any], language: Language) -> Self:
        message = HOLD_TEXTS[reason["code"]].of(language).format_map(reason)
        decided = {word: reason.get(word, False) for word in ("released", "discarded")}
        who = [] if any(decided.values()) else list(RELEASING_ROLES)
        return cls(**{**reason, **decided}, message=message, who_can_decide=who)


class ImportOut(Shape):
    """An import as the caller may see it: a person of one school sees that school's part only (`files` is empty)."""

    id: UUID
    receipt: int = Field(description="Number of the receipt: unique, and in the order of arrival.")
    state: Literal["received", "validating", "ready", "held", "committing", "committed", "rejected", "discarded"]
    mode: Literal["review", "auto"]
    lenient: bool
    dry_run: bool = Field(description="Judged and compared only; can never be committed.")
    one_roster_version: str
    file_modes: dict[str, str]
    sha256: str
    size: int = Field(description="Bytes as received.")
    retry_of: UUID | None = Field(description="The import whose waiting rows this one tries again.")
    revert_of: UUID | None = Field(description="The import that this one undoes.")
    received_at: dt.datetime
    validated_at: dt.datetime | None
    committed_at: dt.datetime | None
    progress: Progress
    files: list[FileCounts]
    schools: list[ImportSchoolOut]
    hold_reasons: list[HoldReasonOut]
    version: int

    @classmethod
    def of(cls, view: ImportView, language: Language) -> Self:
        row = view.row
        schools = {school["school_sourced_id"] for school in view.schools}
        reasons = [each for each in row["hold_reasons"] if view.is_whole or each["school"] in schools]
        plain = ("id", "state", "lenient", "dry_run", "sha256", "received_at", "version", "retry_of", "revert_of")
        counts = row["counts"] if view.is_whole else {}
        return cls(
            **{name: row[name] for name in plain},
            receipt=row["receipt_number"],
            size=row["size_bytes"],
            mode="auto" if row["auto_commit"] else "review",
            one_roster_version=row["oneroster_version"],
            file_modes=row["modes"],
            validated_at=row["validated_at"],
            committed_at=row["committed_at"],
            progress=Progress(rows_done=row["rows_done"], rows_total=row["rows_total"]),
            files=[
                FileCounts(file=f"{name}.csv", **count) for name, count in sorted(counts.items(), key=_reading_order)
            ],
            schools=[ImportSchoolOut.of(school) for school in view.schools],
            hold_reasons=[HoldReasonOut.of(reason, language) for reason in reasons],
        )


class ProblemOut(Shape):
    """One finding. `line` counts from 1, the header is line 1; `value` is shortened and never personal."""

    severity: str
    code: str
    file: str
    line: int | None
    field: str | None
    value: str | None
    message: str
    hint: str
    who: str = Field(description="Who must act: vendor, school, department, nobody.")
    count: int

    @classmethod
    def of(cls, row: RowMapping, language: Language) -> Self:
        names = ("code", "file", "line", "field", "value", "expected", "count")
        problem = Problem(**{name: row[name] for name in names})
        entry = catalogue.CATALOGUE[problem.code]
        return cls(
            severity=entry.severity.value,
            code=problem.code,
            file=problem.file,
            line=problem.line,
            field=problem.field,
            value=problem.value,
            message=catalogue.message(problem).of(language),
            hint=catalogue.hint(problem).of(language),
            who=entry.who.value,
            count=problem.count,
        )


class ProblemSummary(Shape):
    """Findings by code, file and field, commonest first; `line` and `value` are one sample."""

    items: list[ProblemOut]


class ChangeOut(Shape):
    type: str
    school: str
    sourced_id: str
    action: Literal["added", "changed", "removed"]
    fields: dict[str, Any] | None = Field(description="For `changed`: field -> {before, after}.")

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        return cls(
            type=row["type"],
            school=row["school_sourced_id"],
            sourced_id=row["sourced_id"],
            action=row["action"],
            fields=row["fields"],
        )


class CommitIn(Closed):
    reason: str | None = Field(default=None, max_length=1000, description="Needed to release what is held.")


class ProblemCodeOut(Shape):
    code: str
    severity: str
    who: str
    text: str
    hint: str

    @classmethod
    def of(cls, entry: ProblemCode, language: Language) -> Self:
        return cls(
            code=entry.code,
            severity=entry.severity.value,
            who=entry.who.value,
            text=entry.text.of(language),
            hint=entry.hint.of(language),
        )


class ProblemCodes(Shape):
    items: list[ProblemCodeOut]
