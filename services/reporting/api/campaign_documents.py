"""The JSON documents of campaigns."""

import datetime as dt
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from services.reporting.api.wire import In, Out, Reason, SourcedId, TextOut
from services.reporting.domain.deadlines import (
    Cutoff,
    before,
    before_day,
    no_later_than,
    no_later_than_day,
    quarterly,
    sentence,
)
from services.reporting.domain.orgs import Level
from services.reporting.domain.submissions import State
from services.reporting.domain.windows import REASONS, ClosedReason, Window
from services.reporting.storage.tables import CampaignChange, CampaignDeadline, CampaignExtension
from services.reporting.usecases.open_campaign import NewCampaign, Notice, Terms
from services.reporting.usecases.queries import CampaignView, Progress

ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]


class DeadlineIn(In):
    """By notice: `at` (an instant) or `date` (a day in Vietnam). By rule: `year` and `quarter`.

    `inclusive` tells "chậm nhất" (true) from "trước" (false).
    """

    kind: Literal["notice", "quarterly"] = "notice"
    at: AwareDatetime | None = None
    date: dt.date | None = None
    inclusive: bool = True
    year: int | None = Field(default=None, ge=2000, le=2100)
    quarter: int | None = Field(default=None, ge=1, le=4)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        by_rule = self.year is not None and self.quarter is not None
        if self.kind == "quarterly":
            if not by_rule or self.at is not None or self.date is not None or not self.inclusive:
                raise ValueError("a quarterly deadline has a year and a quarter, nothing else")
        elif (self.at is None) == (self.date is None) or self.year is not None or self.quarter is not None:
            raise ValueError("a deadline by notice has either `at` or `date`")
        return self

    def terms(self) -> Terms:
        return Terms(self.kind, self._cutoff())

    def _cutoff(self) -> Cutoff:
        if self.year is not None and self.quarter is not None:
            return quarterly(self.year, self.quarter)
        if self.at is not None:
            return no_later_than(self.at) if self.inclusive else before(self.at)
        assert self.date is not None  # the validator says so
        return no_later_than_day(self.date) if self.inclusive else before_day(self.date)


class NoticeDocument(In):
    """Công văn, thông báo."""

    number: ShortText = Field(examples=["1950/SGDĐT-GDTrH"])
    date: dt.date
    issuer: ShortText


class CampaignIn(In):
    template: ShortText = Field(examples=["semester-1"])
    template_version: int | None = Field(default=None, ge=1, description="The newest when left out.")
    school_year: str = Field(pattern=r"^\d{4}-\d{4}$", examples=["2025-2026"])
    semester: Literal[1, 2] | None = None
    notice: NoticeDocument
    deadline: DeadlineIn
    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = Field(default=None, description="After it nothing is accepted, not even late.")
    levels: list[Level] = Field(min_length=1, description="The school levels that report.")

    @model_validator(mode="after")
    def _one_year(self) -> Self:
        first, second = map(int, self.school_year.split("-"))
        if second != first + 1:
            raise ValueError("a school year spans two consecutive years")
        return self

    def new(self) -> NewCampaign:
        return NewCampaign(
            template=self.template,
            template_version=self.template_version,
            school_year=self.school_year,
            semester=self.semester,
            notice=Notice(self.notice.number, self.notice.date, self.notice.issuer),
            deadline=self.deadline.terms(),
            window=Window(self.opens_at, self.closes_at),
            levels=self.levels,
        )


class LayerIn(In):
    """A deadline for one unit and everything below it."""

    org: SourcedId
    deadline: DeadlineIn
    reason: Reason


class ExtensionIn(In):
    org: SourcedId
    until: AwareDatetime = Field(description="Inclusive.")
    reason: Reason


class CloseIn(In):
    reason: Literal["figures_sent", "suspended", "cancelled"]
    note: Reason | None = None


class ReopenIn(In):
    reason: Reason
    closes_at: AwareDatetime | None = Field(default=None, description="The new end; none when left out.")


class CutoffOut(Out):
    """`at` is on time when `inclusive`, otherwise only what came before it."""

    at: dt.datetime
    inclusive: bool
    zone: Literal["Asia/Ho_Chi_Minh"] = "Asia/Ho_Chi_Minh"
    text: TextOut

    @classmethod
    def of(cls, cutoff: Cutoff) -> "CutoffOut":
        at = cutoff.instant.astimezone(dt.UTC)
        return cls(at=at, inclusive=cutoff.inclusive, text=TextOut.of(sentence(cutoff)))


class ClosedOut(Out):
    """Why nothing is accepted now, and who can change that."""

    reason: ClosedReason
    text: TextOut
    who_can_open: str = Field(description="sourcedId of the unit whose officer can open the window.")

    @classmethod
    def of(cls, reason: ClosedReason | None, opener: str) -> "ClosedOut | None":
        return None if reason is None else cls(reason=reason, text=TextOut.of(REASONS[reason]), who_can_open=opener)


class ChangeOut(Out):
    action: str
    code: str | None
    reason: str | None
    by: str
    at: dt.datetime

    @classmethod
    def from_row(cls, row: CampaignChange) -> "ChangeOut":
        return cls(action=row.action, code=row.reason_code, reason=row.reason, by=row.changed_by, at=row.changed_at)


class CampaignOut(Out):
    """`deadline` is the common one; each submission shows it as its school sees it."""

    id: UUID
    template: str
    template_version: int
    title: TextOut
    school_year: str
    semester: int | None
    org: str
    notice: NoticeDocument
    levels: list[str]
    deadline: CutoffOut
    opens_at: dt.datetime | None
    closes_at: dt.datetime | None
    closed: ClosedOut | None
    version: int
    created_at: dt.datetime
    history: list[ChangeOut]

    @classmethod
    def of(cls, view: CampaignView) -> "CampaignOut":
        row = view.row
        return cls(
            id=row.id,
            template=row.template_code,
            template_version=row.template_version,
            title=TextOut.of(view.template.title),
            school_year=row.school_year,
            semester=row.semester,
            org=row.org_sourced_id,
            notice=NoticeDocument(number=row.notice_number, date=row.notice_date, issuer=row.notice_issuer),
            levels=row.audience_levels,
            deadline=CutoffOut.of(view.cutoff),
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            closed=ClosedOut.of(view.closed_because, row.org_sourced_id),
            version=row.version,
            created_at=row.created_at,
            history=[ChangeOut.from_row(change) for change in view.changes],
        )


class LayerOut(Out):
    id: UUID
    org: str
    kind: str
    deadline: CutoffOut
    reason: str
    set_by: str
    set_by_org: str
    set_at: dt.datetime

    @classmethod
    def from_row(cls, row: CampaignDeadline) -> "LayerOut":
        return cls(
            id=row.id,
            org=row.org_sourced_id,
            kind=row.kind,
            deadline=CutoffOut.of(Cutoff(row.instant, row.inclusive)),
            reason=row.reason,
            set_by=row.set_by,
            set_by_org=row.set_by_org,
            set_at=row.set_at,
        )


class ExtensionOut(Out):
    id: UUID
    org: str
    until: CutoffOut
    reason: str
    granted_by: str
    granted_by_org: str
    granted_at: dt.datetime

    @classmethod
    def from_row(cls, row: CampaignExtension) -> "ExtensionOut":
        return cls(
            id=row.id,
            org=row.org_sourced_id,
            until=CutoffOut.of(no_later_than(row.until)),
            reason=row.reason,
            granted_by=row.granted_by,
            granted_by_org=row.granted_by_org,
            granted_at=row.granted_at,
        )


class ProgressOut(Out):
    """Counts over the schools the caller may see; `late` among those submitted or accepted."""

    campaign_id: UUID
    total: int
    by_state: dict[State, int]
    late: int

    @classmethod
    def of(cls, progress: Progress) -> "ProgressOut":
        return cls(
            campaign_id=progress.campaign,
            total=progress.total,
            by_state=dict(progress.by_state),
            late=progress.late,
        )
