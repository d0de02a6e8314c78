"""Tables of the city's panel. They belong to the city and to no school: the use cases say who sees what of them."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.materials.storage.tables import Base


class PanelMember(Base):
    """A reviewer of the city: nominated by the head of their school, appointed by the department for a time."""

    __tablename__ = "panel_member"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person: Mapped[str]
    school_sourced_id: Mapped[str]
    subjects: Mapped[list[str]] = mapped_column(ARRAY(Text))
    levels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    lead: Mapped[bool]
    nominated_by: Mapped[str | None]
    nominated_at: Mapped[dt.datetime | None]
    appointed_by: Mapped[str | None]
    appointed_at: Mapped[dt.datetime | None]
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date)
    ended_by: Mapped[str | None]
    ended_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="ends_after_it_begins"),
        Index("ix_panel_member_person", "person"),
        Index("ix_panel_member_subjects", "subjects", postgresql_using="gin"),
    )


class Proposal(Base):
    """A version proposed for the shared shelf. `required` appraisals are asked for; `version` is its ETag."""

    __tablename__ = "proposal"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    material_id: Mapped[UUID]
    version_id: Mapped[UUID]
    school_sourced_id: Mapped[str]
    number: Mapped[int]
    title: Mapped[str]
    subject: Mapped[str]
    level: Mapped[str]
    authors: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str]
    rubric: Mapped[str]
    required: Mapped[int] = mapped_column(SmallInteger)
    proposed_by: Mapped[str]
    proposed_at: Mapped[dt.datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]
    version: Mapped[int]
    __table_args__ = (
        CheckConstraint(
            "state IN ('proposed', 'appraised', 'shared', 'returned', 'declined', 'withdrawn', 'replaced')",
            name="state_known",
        ),
        # One version is before the panel, or on the shelf, once.
        Index(
            "uq_proposal_open_material",
            "material_id",
            unique=True,
            postgresql_where=sql("state IN ('proposed', 'appraised')"),
        ),
        Index("uq_proposal_shared_material", "material_id", unique=True, postgresql_where=sql("state = 'shared'")),
        Index("ix_proposal_state_subject_id", "state", "subject", "id"),
        Index("ix_proposal_school_id", "school_sourced_id", "id"),
        Index("ix_proposal_material_id", "material_id", "id"),
    )


class Appraisal(Base):
    """What one reviewer was asked and said; an overdue one stays as it was and another is asked."""

    __tablename__ = "appraisal"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"))
    reviewer: Mapped[str]
    reviewer_school: Mapped[str]
    state: Mapped[str]
    assigned_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    scores: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    remarks: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    comment: Mapped[str | None]
    recommendation: Mapped[str | None]
    done_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("state IN ('assigned', 'done', 'overdue', 'released')", name="state_known"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done_has_a_time"),
        UniqueConstraint("proposal_id", "reviewer"),
        Index("ix_appraisal_reviewer_due_at_id", "reviewer", "due_at", "id"),
        Index("ix_appraisal_due_at", "due_at", postgresql_where=sql("state = 'assigned'")),
    )
