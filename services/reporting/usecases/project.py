"""What reporting makes of the events of others: its own copy of the tree and of the numbers, and fresh submissions."""

from services.reporting.domain.submissions import FROZEN
from services.reporting.domain.templates import template_of
from services.reporting.storage import campaigns, orgs, prefill, projections, templates
from shared.contracts.materials_v1 import MaterialApproved, MaterialWithdrawn
from shared.contracts.sync_v1 import OrgChanged, RosterCommitted
from shared.db.unit_of_work import UnitOfWork


async def follow_org(uow: UnitOfWork, data: OrgChanged) -> None:
    """Keep the tree; a school that appears joins the campaigns that are still open."""
    await orgs.join_projections(uow.session)
    await orgs.replace_org(uow.session, data)
    if data.kind == "school":
        await join_campaigns(uow, only=data.sourced_id)


async def follow_roster(uow: UnitOfWork, data: RosterCommitted) -> None:
    """Keep a school's newest numbers, also of a school not announced yet, and refresh its submissions."""
    await orgs.join_projections(uow.session)
    await projections.replace_roster(uow.session, data)
    await _refresh(uow, data.school_sourced_id)


async def follow_material(uow: UnitOfWork, data: MaterialApproved) -> None:
    """Count the material once, whichever version was approved last, and refresh the school's submissions."""
    await orgs.join_projections(uow.session)
    await projections.replace_material(uow.session, data)
    await _refresh(uow, data.school_sourced_id)


async def forget_material(uow: UnitOfWork, data: MaterialWithdrawn) -> None:
    """A material no version of which has both steps any more is not counted, and the school's submissions say so."""
    await orgs.join_projections(uow.session)
    await projections.withdraw_material(uow.session, data)
    await _refresh(uow, data.school_sourced_id)


async def join_campaigns(uow: UnitOfWork, *, only: str | None = None) -> int:
    """Give every school valid today, or one of them, the submissions it lacks in open campaigns; the number made.

    The events bring most schools in at once; the timed job catches those whose validity begins on a later day.
    """
    now, day = await uow.now(), await orgs.today(uow.session)
    made = 0
    for campaign in await campaigns.living_campaigns(uow.session, now):
        document = await templates.template_document(uow.session, campaign.template_code, campaign.template_version)
        assert document is not None  # a foreign key says so
        opening = prefill.Opening(
            campaign=campaign.id,
            levels=campaign.audience_levels,
            fields=template_of(document).fields,
            day=day,
            now=now,
            only=only,
        )
        made += await prefill.open_submissions(uow.session, opening)
    return made


async def _refresh(uow: UnitOfWork, school: str) -> None:
    await prefill.refresh(uow.session, school, await uow.now(), [state.value for state in FROZEN])
