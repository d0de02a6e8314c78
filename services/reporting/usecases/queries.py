"""Reads: lists by keyset, one thing with everything a person needs to judge it. Nothing here changes a row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.reporting.domain.deadlines import Cutoff
from services.reporting.domain.orgs import OrgKind
from services.reporting.domain.submissions import State
from services.reporting.domain.templates import Template, template_of
from services.reporting.domain.windows import ClosedReason
from services.reporting.storage import campaigns, orgs, submissions, templates
from services.reporting.storage.submissions import Filters
from services.reporting.storage.tables import (
    Campaign,
    CampaignChange,
    CampaignDeadline,
    CampaignExtension,
    Submission,
    SubmissionStep,
    SubmissionValue,
)
from services.reporting.usecases.access import officer_units, scope_of
from services.reporting.usecases.find import (
    Dates,
    campaign_or_404,
    cutoffs_of,
    dates_of,
    submission_or_404,
    template_of_campaign,
    window_of,
)
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import not_found

HISTORY = 200


@dataclass(frozen=True, slots=True)
class CampaignView:
    """`cutoff` is the campaign's own deadline; a school may see a stricter or an extended one."""

    row: Campaign
    template: Template
    cutoff: Cutoff
    closed_because: ClosedReason | None
    changes: Sequence[CampaignChange]


@dataclass(frozen=True, slots=True)
class SubmissionView:
    row: Submission
    campaign: Campaign
    template: Template
    values: Mapping[str, SubmissionValue]
    steps: Sequence[SubmissionStep]
    dates: Dates
    closed_because: ClosedReason | None
    changed_since_submitted: bool
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SubmissionLine:
    """A submission in a list."""

    row: Submission
    changed_since_submitted: bool
    school_name: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts over the submissions the caller may see; `late` among those submitted or accepted."""

    campaign: UUID
    by_state: Mapping[State, int]
    late: int

    @property
    def total(self) -> int:
        return sum(self.by_state.values())


async def list_templates(uow: UnitOfWork, after: tuple[str, int] | None, limit: int) -> list[Template]:
    return [template_of(document) for document in await templates.template_documents(uow.session, after, limit)]


async def show_template(uow: UnitOfWork, code: str, version: int) -> Template:
    document = await templates.template_document(uow.session, code, version)
    if document is None:
        raise not_found("template.unknown", vi="Không có biểu mẫu này.", en="There is no such template.")
    return template_of(document)


async def list_campaigns(uow: UnitOfWork, after: UUID | None, limit: int) -> list[CampaignView]:
    """Newest first, without their history."""
    rows = await campaigns.campaign_page(uow.session, after, limit)
    return await _campaign_views(uow, rows, ())


async def show_campaign(uow: UnitOfWork, campaign_id: UUID) -> CampaignView:
    row = await campaign_or_404(uow, campaign_id)
    (view,) = await _campaign_views(uow, [row], await campaigns.changes_of(uow.session, row.id, HISTORY))
    return view


async def _campaign_views(
    uow: UnitOfWork, rows: Sequence[Campaign], changes: Sequence[CampaignChange]
) -> list[CampaignView]:
    now = await uow.now()
    cutoffs = await cutoffs_of(uow, [row.id for row in rows])
    versions = {(row.template_code, row.template_version): row for row in rows}
    known = {version: await template_of_campaign(uow, row) for version, row in versions.items()}
    return [
        CampaignView(
            row=row,
            template=known[row.template_code, row.template_version],
            cutoff=cutoffs[row.id],
            closed_because=window_of(row).closed_because(now),
            changes=changes,
        )
        for row in rows
    ]


async def show_progress(uow: UnitOfWork, campaign_id: UUID) -> Progress:
    await campaign_or_404(uow, campaign_id)
    counts = await campaigns.counts(uow.session, campaign_id)
    by_state = dict.fromkeys(State, 0)
    late = 0
    for (state, was_late), count in counts.items():
        by_state[State(state)] += count
        late += count if was_late and State(state) in {State.SUBMITTED, State.ACCEPTED} else 0
    return Progress(campaign_id, by_state, late)


async def list_deadlines(
    uow: UnitOfWork, principal: Principal, campaign_id: UUID, after: UUID | None, limit: int
) -> Sequence[CampaignDeadline]:
    """Every layer ever set for a unit the officer stands above or acts for, oldest first."""
    await campaign_or_404(uow, campaign_id)
    units = await _units_of_officer(uow, principal)
    return await campaigns.deadline_page(uow.session, campaign_id, units, after, limit)


async def list_extensions(
    uow: UnitOfWork, principal: Principal, campaign_id: UUID, after: UUID | None, limit: int
) -> Sequence[CampaignExtension]:
    """Every extension ever granted to a unit the officer stands above or acts for, oldest first."""
    await campaign_or_404(uow, campaign_id)
    units = await _units_of_officer(uow, principal)
    return await campaigns.extension_page(uow.session, campaign_id, units, after, limit)


async def _units_of_officer(uow: UnitOfWork, principal: Principal) -> Collection[str] | None:
    """None means every unit."""
    acting = await officer_units(uow, principal)
    if any(unit.kind is OrgKind.DEPARTMENT for unit in acting):
        return None
    return {unit.sourced_id for unit in acting} | (await scope_of(uow, principal)).schools


async def list_submissions(uow: UnitOfWork, filters: Filters, after: UUID | None, limit: int) -> list[SubmissionLine]:
    rows = await submissions.submission_page(uow.session, filters, after, limit)
    changed = await submissions.changed_since_submitted(uow.session, rows)
    named = await orgs.named(uow.session, {row.school_sourced_id for row in rows})
    return [
        SubmissionLine(
            row,
            changed[row.id],
            named[row.school_sourced_id].name if row.school_sourced_id in named else None,
        )
        for row in rows
    ]


async def show_submission(uow: UnitOfWork, submission_id: UUID) -> SubmissionView:
    """One report: every number with its origin, the deadline as this school sees it, and the history."""
    row = await submission_or_404(uow, submission_id)
    campaign = await campaign_or_404(uow, row.campaign_id)
    dates = await dates_of(uow, campaign, row.school_sourced_id)
    mentioned = {campaign.org_sourced_id, row.recipient_sourced_id or ""} | {layer.set_by_org for layer in dates.layers}
    named = await orgs.named(uow.session, mentioned | {extension.granted_by_org for extension in dates.extensions})
    names = {sourced_id: entry.name for sourced_id, entry in named.items()}
    return SubmissionView(
        row=row,
        campaign=campaign,
        template=await template_of_campaign(uow, campaign),
        values=await submissions.values_of(uow.session, row.id),
        steps=await submissions.steps_of(uow.session, row.id, HISTORY),
        dates=dates,
        closed_because=window_of(campaign).closed_because(await uow.now(), dates.extended_until),
        changed_since_submitted=(await submissions.changed_since_submitted(uow.session, [row]))[row.id],
        names=names | {entry.unit.sourced_id: entry.name for entry in dates.chain},
    )
