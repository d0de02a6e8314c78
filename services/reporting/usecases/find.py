"""Finding things for a use case: what the caller may not see does not exist, and rows become values of the domain."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.reporting.domain.deadlines import Cutoff, Extension, Layer, Seen, as_seen, no_later_than
from services.reporting.domain.orgs import OrgKind, Unit
from services.reporting.domain.templates import Template, template_of
from services.reporting.domain.values import Held
from services.reporting.domain.windows import ClosedReason, Window
from services.reporting.storage import campaigns, orgs, submissions, templates
from services.reporting.storage.tables import (
    Campaign,
    CampaignDeadline,
    CampaignExtension,
    Submission,
    SubmissionValue,
)
from shared.db.unit_of_work import UnitOfWork
from shared.errors import not_found


async def campaign_or_404(uow: UnitOfWork, campaign_id: UUID, *, lock: bool = False) -> Campaign:
    campaign = await campaigns.campaign_of(uow.session, campaign_id, lock=lock)
    if campaign is None:
        raise not_found("campaign.unknown", vi="Không có đợt báo cáo này.", en="There is no such campaign.")
    return campaign


async def submission_or_404(uow: UnitOfWork, submission_id: UUID, *, lock: bool = False) -> Submission:
    """Row-level security has already hidden the submissions of other schools."""
    submission = await submissions.submission_of(uow.session, submission_id, lock=lock)
    if submission is None:
        raise not_found("submission.unknown", vi="Không có bài nộp này.", en="There is no such submission.")
    return submission


async def template_of_campaign(uow: UnitOfWork, campaign: Campaign) -> Template:
    document = await templates.template_document(uow.session, campaign.template_code, campaign.template_version)
    assert document is not None  # a foreign key says so
    return template_of(document)


def window_of(campaign: Campaign) -> Window:
    closed = ClosedReason(campaign.closed_reason) if campaign.closed_reason else None
    return Window(campaign.opens_at, campaign.closes_at, closed)


def unit_of(chain: Iterable[Unit], sourced_id: str) -> Unit:
    return next(unit for unit in chain if unit.sourced_id == sourced_id)


def layer_of(row: CampaignDeadline) -> Layer:
    return Layer(
        Unit(row.org_sourced_id, OrgKind(row.org_kind)),
        Unit(row.set_by_org, OrgKind(row.set_by_kind)),
        Cutoff(row.instant, row.inclusive),
    )


def extension_of(row: CampaignExtension) -> Extension:
    return Extension(
        Unit(row.org_sourced_id, OrgKind(row.org_kind)),
        Unit(row.granted_by_org, OrgKind(row.granted_by_kind)),
        no_later_than(row.until),
    )


async def layers_of(uow: UnitOfWork, campaign: Campaign, chain: Iterable[Unit]) -> list[Layer]:
    """The layers that bind a chain; the campaign's own unit always counts as its top."""
    units = {unit.sourced_id for unit in chain} | {campaign.org_sourced_id}
    return [layer_of(row) for row in await campaigns.deadlines_in_force(uow.session, campaign.id, units)]


async def cutoffs_of(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, Cutoff]:
    """Each campaign's own deadline, before any lower level's layer or extension."""
    layers: dict[UUID, list[Layer]] = {campaign: [] for campaign in ids}
    for row in await campaigns.own_deadlines(uow.session, ids):
        layers[row.campaign_id].append(layer_of(row))
    return {campaign: as_seen(found, ()).cutoff for campaign, found in layers.items()}


@dataclass(frozen=True, slots=True)
class Dates:
    """The deadline as one school sees it, with the rows behind it and the chain it was seen from."""

    seen: Seen
    layers: Sequence[CampaignDeadline]
    extensions: Sequence[CampaignExtension]
    chain: Sequence[orgs.Named]

    @property
    def extended_until(self) -> Cutoff | None:
        return max(
            (extension_of(row).until for row in self.extensions), key=lambda cutoff: cutoff.strictness, default=None
        )


async def dates_of(uow: UnitOfWork, campaign: Campaign, school: str) -> Dates:
    chain = await orgs.chain(uow.session, school, await orgs.today(uow.session))
    units = {entry.unit.sourced_id for entry in chain} | {campaign.org_sourced_id, school}
    layers = await campaigns.deadlines_in_force(uow.session, campaign.id, units)
    extensions = await campaigns.extensions_in_force(uow.session, campaign.id, units)
    seen = as_seen(map(layer_of, layers), [extension_of(row) for row in extensions])
    return Dates(seen, layers, extensions, chain)


def held_of(values: Mapping[str, SubmissionValue]) -> dict[str, Held]:
    return {name: Held(row.prefilled, row.entered, row.reason) for name, row in values.items()}
