"""The JSON documents of submissions: every number with its origin."""

import datetime as dt
from typing import Any
from uuid import UUID

from pydantic import Field, StrictInt, StrictStr

from services.reporting.api.campaign_documents import ClosedOut, CutoffOut
from services.reporting.api.wire import In, Out, TextOut
from services.reporting.domain import templates
from services.reporting.domain.deadlines import Cutoff
from services.reporting.domain.submissions import FROZEN, State
from services.reporting.domain.values import Entry, Held
from services.reporting.storage.tables import SubmissionStep, SubmissionValue
from services.reporting.usecases.find import Dates
from services.reporting.usecases.queries import SubmissionLine, SubmissionView

Value = StrictInt | list[StrictStr]


class EntryIn(In):
    """`value` null takes back what was typed. `reason` is needed where a prefilled number is overridden."""

    value: Value | None
    reason: str | None = Field(default=None, max_length=2000)


class ValuesIn(In):
    values: dict[str, EntryIn] = Field(min_length=1, max_length=500)

    def entries(self) -> dict[str, Entry]:
        return {name: Entry(entry.value, entry.reason) for name, entry in self.values.items()}


class PrefilledOut(Out):
    """A number from another service: which event said so, what to look up there, and as of when."""

    value: int
    source: dict[str, Any] = Field(description="`service`, `event`, and the id of the import or material behind it.")
    as_of: dt.datetime

    @classmethod
    def of(cls, value: int | None, source: dict[str, Any] | None, as_of: dt.datetime | None) -> "PrefilledOut | None":
        if value is None or source is None or as_of is None:
            return None
        return cls(value=value, source=source, as_of=as_of)


class EnteredOut(Out):
    """What a person typed, and why where it differs from the prefilled number."""

    value: Value
    by: str
    at: dt.datetime
    reason: str | None


class ValueOut(Out):
    """`value` is what counts: what was typed, otherwise the prefilled number.

    `changedSinceSubmitted` is what the source says now, where that differs from what was submitted.
    """

    name: str
    type: templates.FieldType
    label: TextOut
    required: bool
    value: Value | None
    prefilled: PrefilledOut | None
    entered: EnteredOut | None
    overridden: bool
    changed_since_submitted: PrefilledOut | None

    @classmethod
    def of(cls, field: templates.Field, row: SubmissionValue, *, frozen: bool) -> "ValueOut":
        held = Held(row.prefilled, row.entered, row.reason)
        changed = frozen and row.latest != row.prefilled
        return cls(
            name=field.name,
            type=field.type,
            label=TextOut.of(field.label),
            required=field.required,
            value=held.value,
            prefilled=PrefilledOut.of(row.prefilled, row.prefilled_source, row.prefilled_as_of),
            entered=_entered(row),
            overridden=held.overridden,
            changed_since_submitted=PrefilledOut.of(row.latest, row.latest_source, row.latest_as_of)
            if changed
            else None,
        )


def _entered(row: SubmissionValue) -> EnteredOut | None:
    if row.entered is None or row.entered_by is None or row.entered_at is None:
        return None
    return EnteredOut(value=row.entered, by=row.entered_by, at=row.entered_at, reason=row.reason)


class StepOut(Out):
    """`content` is what an edit changed, or the values a submit certified."""

    action: str
    from_state: State = Field(alias="from")
    to_state: State = Field(alias="to")
    by: str
    client_id: str
    at: dt.datetime
    reason: str | None
    late: bool | None
    content: dict[str, Any] | None

    @classmethod
    def from_row(cls, row: SubmissionStep) -> "StepOut":
        return cls(
            action=row.action,
            from_state=State(row.from_state),
            to_state=State(row.to_state),
            by=row.acted_by,
            client_id=row.client_id,
            at=row.acted_at,
            reason=row.reason,
            late=row.late,
            content=row.content,
        )


class SeenLayerOut(Out):
    """Who set a layer, and for whom."""

    org: str
    set_by: str
    set_by_name: str | None
    deadline: CutoffOut
    reason: str


class SeenExtensionOut(Out):
    org: str
    granted_by: str
    granted_by_name: str | None
    until: CutoffOut
    reason: str
    granted_at: dt.datetime


class SeenDeadlineOut(CutoffOut):
    """The deadline as this school sees it: the strictest layer, after extensions."""

    set_by: str
    set_by_name: str | None
    extended: bool
    layers: list[SeenLayerOut]
    extensions: list[SeenExtensionOut]

    @classmethod
    def seen(cls, dates: Dates, names: dict[str, str]) -> "SeenDeadlineOut":
        counts = CutoffOut.of(dates.seen.cutoff)
        setter = dates.seen.layer.set_by.sourced_id
        return cls(
            at=counts.at,
            inclusive=counts.inclusive,
            text=counts.text,
            set_by=setter,
            set_by_name=names.get(setter),
            extended=dates.seen.extension is not None,
            layers=[
                SeenLayerOut(
                    org=row.org_sourced_id,
                    set_by=row.set_by_org,
                    set_by_name=names.get(row.set_by_org),
                    deadline=CutoffOut.of(Cutoff(row.instant, row.inclusive)),
                    reason=row.reason,
                )
                for row in dates.layers
            ],
            extensions=[
                SeenExtensionOut(
                    org=row.org_sourced_id,
                    granted_by=row.granted_by_org,
                    granted_by_name=names.get(row.granted_by_org),
                    until=CutoffOut.of(Cutoff(row.until, inclusive=True)),
                    reason=row.reason,
                    granted_at=row.granted_at,
                )
                for row in dates.extensions
            ],
        )


class RecipientOut(Out):
    """Who receives it, by configuration. `status` other than `decided` is shown and never guessed."""

    status: str = Field(description="`decided`, `unknown` (no unit fits) or `ambiguous` (several fit).")
    kind: str | None
    org: str | None
    name: str | None


class SubmissionLineOut(Out):
    """A submission in a list. `late` is null until it is submitted."""

    id: UUID
    campaign_id: UUID
    school: str
    school_name: str | None
    level: str
    state: State
    late: bool | None
    submitted_at: dt.datetime | None
    accepted_at: dt.datetime | None
    changed_since_submitted: bool
    version: int

    @classmethod
    def of(cls, line: SubmissionLine) -> "SubmissionLineOut":
        row = line.row
        return cls(
            id=row.id,
            campaign_id=row.campaign_id,
            school=row.school_sourced_id,
            school_name=line.school_name,
            level=row.school_level,
            state=State(row.state),
            late=row.late,
            submitted_at=row.submitted_at,
            accepted_at=row.accepted_at,
            changed_since_submitted=line.changed_since_submitted,
            version=row.version,
        )


class SubmissionOut(SubmissionLineOut):
    template: str
    template_version: int
    recipient: RecipientOut
    deadline: SeenDeadlineOut
    closed: ClosedOut | None
    fields: list[ValueOut]
    history: list[StepOut]

    @classmethod
    def of_view(cls, view: SubmissionView) -> "SubmissionOut":
        row, names = view.row, dict(view.names)
        line = SubmissionLineOut.of(SubmissionLine(row, view.changed_since_submitted, names.get(row.school_sourced_id)))
        return cls(
            **line.model_dump(),
            template=view.template.code,
            template_version=view.template.version,
            recipient=_recipient(view, names),
            deadline=SeenDeadlineOut.seen(view.dates, names),
            closed=ClosedOut.of(view.closed_because, view.campaign.org_sourced_id),
            fields=[
                ValueOut.of(field, view.values[field.name], frozen=State(row.state) in FROZEN)
                for field in view.template.fields
            ],
            history=[StepOut.from_row(step) for step in view.steps],
        )


def _recipient(view: SubmissionView, names: dict[str, str]) -> RecipientOut:
    row = view.row
    status = {0: "unknown", 1: "decided"}.get(row.recipient_found, "ambiguous")
    return RecipientOut(
        status=status,
        kind=row.recipient_kind,
        org=row.recipient_sourced_id,
        name=names.get(row.recipient_sourced_id or ""),
    )
