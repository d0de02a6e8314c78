"""Opening a campaign: one notice, one template, a submission for every school of its audience."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.reporting.domain.deadlines import Cutoff
from services.reporting.domain.orgs import Unit
from services.reporting.domain.templates import Template, template_of
from services.reporting.domain.windows import Window, check_window
from services.reporting.storage import campaigns, orgs, prefill, templates
from services.reporting.storage.tables import Campaign, CampaignChange, CampaignDeadline
from services.reporting.usecases.access import department_of
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import conflict, invalid
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Notice:
    """The document that asks for the report (công văn, thông báo)."""

    number: str
    date: dt.date
    issuer: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A deadline as asked for: by a rule (`quarterly`) or a `notice`."""

    kind: str
    cutoff: Cutoff


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """`template_version` None takes the newest; `levels` are the school levels that report."""

    template: str
    template_version: int | None
    school_year: str
    semester: int | None
    notice: Notice
    deadline: Terms
    window: Window
    levels: Sequence[str]


async def open_campaign(uow: UnitOfWork, principal: Principal, new: NewCampaign) -> Campaign:
    """Open it, with a prefilled submission for every school valid today, in a fixed number of statements.

    Raises `template.unknown`, `window.inconsistent` (invalid), `campaign.exists` (conflict), and what
    `department_of` raises.
    """
    department = await department_of(uow, principal)
    check_window(new.window, new.deadline.cutoff)
    template = await _template_of(uow, new)
    # From here on no school is announced and no number arrives until this has committed.
    await orgs.hold_projections_still(uow.session)
    await _refuse_twin(uow, department, new)
    now = await uow.now()
    campaign = _row(new, template, department, principal, now)
    uow.session.add(campaign)
    await uow.session.flush()
    uow.session.add_all(_first_rows(campaign, new, department, principal, now))
    await uow.session.flush()
    opening = prefill.Opening(
        campaign=campaign.id,
        levels=campaign.audience_levels,
        fields=template.fields,
        day=await orgs.today(uow.session),
        now=now,
    )
    await prefill.open_submissions(uow.session, opening)
    return campaign


async def _template_of(uow: UnitOfWork, new: NewCampaign) -> Template:
    document = await templates.template_document(uow.session, new.template, new.template_version)
    if document is None:
        raise invalid(
            "template.unknown",
            vi="Không có biểu mẫu này. Xem GET /reporting/v1/templates.",
            en="There is no such template. See GET /reporting/v1/templates.",
        )
    return template_of(document)


async def _refuse_twin(uow: UnitOfWork, department: Unit, new: NewCampaign) -> None:
    twin = await campaigns.living_twin(
        uow.session,
        org=department.sourced_id,
        template=new.template,
        school_year=new.school_year,
        semester=new.semester,
    )
    if twin is not None:
        raise conflict(
            "campaign.exists",
            vi="Đã có đợt báo cáo cho biểu mẫu và kỳ này. Hủy đợt đó trước nếu muốn mở lại từ đầu.",
            en="There is a campaign for this template and period already. Cancel it first to start over.",
            campaignId=str(twin.id),
        )


def _row(new: NewCampaign, template: Template, department: Unit, principal: Principal, now: dt.datetime) -> Campaign:
    return Campaign(
        id=new_id(),
        template_code=template.code,
        template_version=template.version,
        school_year=new.school_year,
        semester=new.semester,
        org_sourced_id=department.sourced_id,
        notice_number=new.notice.number,
        notice_date=new.notice.date,
        notice_issuer=new.notice.issuer,
        audience_levels=sorted(set(new.levels)),
        opens_at=new.window.opens_at,
        closes_at=new.window.closes_at,
        closed_reason=None,
        version=1,
        created_at=now,
        created_by=principal.subject,
    )


def _first_rows(
    campaign: Campaign, new: NewCampaign, department: Unit, principal: Principal, now: dt.datetime
) -> list[CampaignDeadline | CampaignChange]:
    notice = f"{new.notice.number}, {new.notice.date.isoformat()}, {new.notice.issuer}"
    return [
        layer_row(campaign.id, department, department, new.deadline, reason=notice, by=principal.subject, at=now),
        change_row(campaign.id, "opened", reason=notice, by=principal.subject, at=now),
    ]


def layer_row(
    campaign: UUID, unit: Unit, set_by: Unit, terms: Terms, *, reason: str, by: str, at: dt.datetime
) -> CampaignDeadline:
    return CampaignDeadline(
        id=new_id(),
        campaign_id=campaign,
        org_sourced_id=unit.sourced_id,
        org_kind=unit.kind.value,
        set_by_org=set_by.sourced_id,
        set_by_kind=set_by.kind.value,
        kind=terms.kind,
        instant=terms.cutoff.instant,
        inclusive=terms.cutoff.inclusive,
        reason=reason,
        set_by=by,
        set_at=at,
    )


def change_row(
    campaign: UUID, action: str, *, by: str, at: dt.datetime, reason: str | None = None, code: str | None = None
) -> CampaignChange:
    return CampaignChange(
        id=new_id(),
        campaign_id=campaign,
        action=action,
        reason_code=code,
        reason=reason,
        changed_by=by,
        changed_at=at,
    )
