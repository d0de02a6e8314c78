"""The tables of reporting. Rows of a school carry `school_sourced_id` and are under row-level security (rule 12)."""

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db.tables import declarative_base

if TYPE_CHECKING:

    class Base(DeclarativeBase): ...
else:
    Base = declarative_base()

SCHOOL_TABLES = ("roster_numbers", "approved_material", "submission", "submission_value", "submission_step")

_JSON = JSONB(none_as_null=True)


class TemplateRow(Base):
    """A template version as loaded from its file; immutable."""

    __tablename__ = "template"
    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    sha256: Mapped[bytes]
    loaded_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))


class RecipientRule(Base):
    """Who receives a school's report, by level and date (PRODUCT rule 3): configuration, ends inclusive."""

    __tablename__ = "recipient_rule"
    level: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[dt.date] = mapped_column(primary_key=True)
    valid_to: Mapped[dt.date | None]
    recipient_kind: Mapped[str]
    source: Mapped[str]


class Org(Base):
    """Projection of `sync.org.changed.v1`."""

    __tablename__ = "org"
    sourced_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    level: Mapped[str | None]
    valid_from: Mapped[dt.date | None]
    valid_to: Mapped[dt.date | None]


class OrgParent(Base):
    """An edge of the tree with its validity (ends inclusive). The parent may not have been announced yet."""

    __tablename__ = "org_parent"
    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    child_sourced_id: Mapped[str] = mapped_column(ForeignKey("org.sourced_id"))
    parent_sourced_id: Mapped[str]
    valid_from: Mapped[dt.date | None]
    valid_to: Mapped[dt.date | None]
    __table_args__ = (
        Index("ix_org_parent_child_sourced_id", "child_sourced_id"),
        Index("ix_org_parent_parent_sourced_id", "parent_sourced_id"),
    )


class RosterNumbers(Base):
    """Projection of `sync.roster.committed.v1`: a school's newest numbers. The school may not be known yet."""

    __tablename__ = "roster_numbers"
    school_sourced_id: Mapped[str] = mapped_column(primary_key=True)
    learners: Mapped[int]
    staff: Mapped[int]
    teachers: Mapped[int]
    classes: Mapped[int]
    enrollments: Mapped[int]
    by_grade: Mapped[list[Any]]
    import_id: Mapped[UUID]
    content_hash: Mapped[str]
    committed_at: Mapped[dt.datetime]


class ApprovedMaterial(Base):
    """Projection of `materials.material.approved.v1` and `.withdrawn.v1`: each material once, at its newest version.

    A withdrawn one is kept and not counted, so that a count of none has an origin too.
    """

    __tablename__ = "approved_material"
    material_id: Mapped[UUID] = mapped_column(primary_key=True)
    school_sourced_id: Mapped[str]
    version_id: Mapped[UUID]
    subject: Mapped[str]
    grades: Mapped[list[str]] = mapped_column(ARRAY(Text))
    approved_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]
    __table_args__ = (Index("ix_approved_material_school_sourced_id_approved_at", "school_sourced_id", "approved_at"),)


class Campaign(Base):
    __tablename__ = "campaign"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    template_code: Mapped[str]
    template_version: Mapped[int]
    school_year: Mapped[str]
    semester: Mapped[int | None] = mapped_column(SmallInteger)
    org_sourced_id: Mapped[str]
    notice_number: Mapped[str]
    notice_date: Mapped[dt.date]
    notice_issuer: Mapped[str]
    audience_levels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    opens_at: Mapped[dt.datetime | None]
    closes_at: Mapped[dt.datetime | None]
    closed_reason: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str]
    __table_args__ = (
        ForeignKeyConstraint(["template_code", "template_version"], ["template.code", "template.version"]),
        Index(
            "uq_campaign_living",
            "org_sourced_id",
            "template_code",
            "school_year",
            text("coalesce(semester, 0)"),
            unique=True,
            postgresql_where=text("closed_reason IS DISTINCT FROM 'cancelled'"),
        ),
    )


class CampaignChange(Base):
    """Who opened, closed and reopened a campaign, when and why. Only added to."""

    __tablename__ = "campaign_change"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id"))
    action: Mapped[str]
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]
    changed_by: Mapped[str]
    changed_at: Mapped[dt.datetime]
    __table_args__ = (Index("ix_campaign_change_campaign_id", "campaign_id"),)


class CampaignDeadline(Base):
    """A layer of the deadline. Only added to: the newest row of a unit and its setter is the one in force."""

    __tablename__ = "campaign_deadline"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id"))
    org_sourced_id: Mapped[str]
    org_kind: Mapped[str]
    set_by_org: Mapped[str]
    set_by_kind: Mapped[str]
    kind: Mapped[str]
    instant: Mapped[dt.datetime]
    inclusive: Mapped[bool]
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[dt.datetime]
    __table_args__ = (
        Index("ix_campaign_deadline_campaign_id_org_sourced_id", "campaign_id", "org_sourced_id"),
        CheckConstraint("kind IN ('notice', 'quarterly')", name="kind"),
    )


class CampaignExtension(Base):
    """More time for one unit. Only added to: the newest row of a unit and its granter is the one in force."""

    __tablename__ = "campaign_extension"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id"))
    org_sourced_id: Mapped[str]
    org_kind: Mapped[str]
    granted_by_org: Mapped[str]
    granted_by_kind: Mapped[str]
    until: Mapped[dt.datetime]
    reason: Mapped[str]
    granted_by: Mapped[str]
    granted_at: Mapped[dt.datetime]
    __table_args__ = (Index("ix_campaign_extension_campaign_id_org_sourced_id", "campaign_id", "org_sourced_id"),)


class Submission(Base):
    """One school's report in one campaign.

    `recipient_found` counts the units that fit the recipient rule: anything but 1 leaves the recipient open instead of
    guessing. `late` and the deadline that decided it belong to the newest submit.
    """

    __tablename__ = "submission"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id"))
    school_sourced_id: Mapped[str]
    school_level: Mapped[str]
    recipient_kind: Mapped[str | None]
    recipient_sourced_id: Mapped[str | None]
    recipient_found: Mapped[int]
    state: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    late: Mapped[bool | None]
    deadline_instant: Mapped[dt.datetime | None]
    deadline_inclusive: Mapped[bool | None]
    accepted_at: Mapped[dt.datetime | None]
    __table_args__ = (
        UniqueConstraint("campaign_id", "school_sourced_id"),
        UniqueConstraint("id", "school_sourced_id"),
        Index("ix_submission_school_sourced_id", "school_sourced_id"),
        CheckConstraint("state IN ('open', 'submitted', 'returned', 'accepted')", name="state"),
    )


class SubmissionValue(Base):
    """One field of one submission.

    `prefilled*` is the number the report shows, with its origin; it follows the sources until the head submits and is
    frozen then. `latest*` always follows the sources, so that a change after submitting is visible.
    """

    __tablename__ = "submission_value"
    submission_id: Mapped[UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    school_sourced_id: Mapped[str]
    source_key: Mapped[str | None]
    prefilled: Mapped[int | None]
    prefilled_source: Mapped[dict[str, Any] | None] = mapped_column(_JSON)
    prefilled_as_of: Mapped[dt.datetime | None]
    latest: Mapped[int | None]
    latest_source: Mapped[dict[str, Any] | None] = mapped_column(_JSON)
    latest_as_of: Mapped[dt.datetime | None]
    entered: Mapped[Any | None] = mapped_column(_JSON)
    entered_by: Mapped[str | None]
    entered_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]
    __table_args__ = (
        ForeignKeyConstraint(["submission_id", "school_sourced_id"], ["submission.id", "submission.school_sourced_id"]),
    )


class SubmissionStep(Base):
    """History: every edit, submit, return and accept, with who, when and why. Only added to.

    `content` holds what an edit changed, or the values a submit certified.
    """

    __tablename__ = "submission_step"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    submission_id: Mapped[UUID]
    school_sourced_id: Mapped[str]
    action: Mapped[str]
    from_state: Mapped[str]
    to_state: Mapped[str]
    acted_by: Mapped[str]
    client_id: Mapped[str]
    acted_at: Mapped[dt.datetime]
    reason: Mapped[str | None]
    late: Mapped[bool | None]
    content: Mapped[dict[str, Any] | None] = mapped_column(_JSON)
    __table_args__ = (
        ForeignKeyConstraint(["submission_id", "school_sourced_id"], ["submission.id", "submission.school_sourced_id"]),
        Index("ix_submission_step_submission_id", "submission_id"),
    )
