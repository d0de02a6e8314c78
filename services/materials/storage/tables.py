"""Tables of the library. Rows of a school carry `school_sourced_id`, which row-level security reads."""

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db.tables import declarative_base

if TYPE_CHECKING:

    class Base(DeclarativeBase): ...
else:
    Base = declarative_base()

SCHOOL_TABLES = (
    "material",
    "material_version",
    "version_file",
    "review_step",
    "review_policy",
    "review_duty",
    "version_comment",
    "version_use",
)
_EMPTY_LIST = sql("'{}'::text[]")
_EMPTY_JSON = sql("'[]'::jsonb")


class Material(Base):
    """One work, through all its versions. `version` counts changes of any kind, for ETag and If-Match.

    `latest_number` is the newest version, by `latest_author`; `approved_number` the newest with both steps done;
    `published_number` the one the school uses, which stays while a newer one is under review. `withdrawn_at` is set
    when every version is withdrawn.
    """

    __tablename__ = "material"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    school_sourced_id: Mapped[str]
    latest_number: Mapped[int]
    latest_author: Mapped[str] = mapped_column(server_default=sql("''"))
    approved_number: Mapped[int | None]
    published_number: Mapped[int | None]
    withdrawn_at: Mapped[dt.datetime | None]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    __table_args__ = (
        # Holding the school, so that no child row can ever point into another school.
        UniqueConstraint("id", "school_sourced_id"),
        CheckConstraint("approved_number <= latest_number", name="approved_exists"),
        Index("ix_material_school_sourced_id_id", "school_sourced_id", "id"),
    )


class MaterialVersion(Base):
    """What was written down and handed in; a trigger keeps everything but the review immutable once submitted."""

    __tablename__ = "material_version"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    material_id: Mapped[UUID]
    school_sourced_id: Mapped[str]
    number: Mapped[int]
    state: Mapped[str]
    author: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    type: Mapped[str]
    subject: Mapped[str]
    other_subjects: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=_EMPTY_LIST)
    grades: Mapped[list[str]] = mapped_column(ARRAY(Text))
    requirements: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=_EMPTY_LIST)
    language: Mapped[str]
    authors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=_EMPTY_JSON)
    licence: Mapped[str]  # empty: none was named yet
    sources: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rights_statement: Mapped[str] = mapped_column(server_default=sql("''"))
    duration_seconds: Mapped[int | None]
    created_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    passed_at: Mapped[dt.datetime | None]
    approved_at: Mapped[dt.datetime | None]
    published_at: Mapped[dt.datetime | None]
    withdrawn_at: Mapped[dt.datetime | None]
    # Since when it waits for the next decision; null when nobody's decision is awaited.
    waiting_since: Mapped[dt.datetime | None]
    # The school's own steps as they were at the submission, and how many of them are confirmed.
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=_EMPTY_JSON)
    steps_done: Mapped[int] = mapped_column(server_default=sql("0"))
    __table_args__ = (
        UniqueConstraint("material_id", "number"),
        UniqueConstraint("id", "school_sourced_id"),
        ForeignKeyConstraint(["material_id", "school_sourced_id"], ["material.id", "material.school_sourced_id"]),
        CheckConstraint(
            "state IN ('draft', 'submitted', 'passed', 'approved', 'published', 'returned', 'withdrawn')",
            name="state_known",
        ),
        CheckConstraint(
            "state NOT IN ('approved', 'published') OR (passed_at IS NOT NULL AND approved_at IS NOT NULL)",
            name="both_steps_done",
        ),
        Index(
            "ix_material_version_waiting",
            "school_sourced_id",
            "waiting_since",
            "id",
            postgresql_where=sql("waiting_since IS NOT NULL"),
        ),
    )


class StoredFile(Base):
    """A file of the content store that some version uses. Knows no school: equal content is stored once for all."""

    __tablename__ = "stored_file"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    media_type: Mapped[str]
    created_at: Mapped[dt.datetime]


class FileCheck(Base):
    """What a content was found to be (`inspection`) and what the virus scanner said. Knows no school either.

    `refusal` is {code, vi, en} of a refused content; `details` hold title, launch file, contents, pages, problems.
    """

    __tablename__ = "file_check"
    sha256: Mapped[str] = mapped_column(ForeignKey("stored_file.sha256"), primary_key=True)
    state: Mapped[str]
    scan: Mapped[str]
    signature: Mapped[str | None]
    kind: Mapped[str | None]
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=sql("'{}'::jsonb"))
    text: Mapped[str] = mapped_column(server_default=sql("''"), deferred=True)
    thumbnail_sha256: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default=sql("0"))
    checked_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'accepted', 'refused')", name="state_known"),
        CheckConstraint("scan IN ('not_scanned', 'clean', 'infected')", name="scan_known"),
        Index("ix_file_check_waiting", "sha256", postgresql_where=sql("state = 'waiting'")),
    )


class VersionFile(Base):
    """The files of a version in their order, under the names people gave them."""

    __tablename__ = "version_file"
    version_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    school_sourced_id: Mapped[str]
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(ForeignKey("stored_file.sha256"))
    __table_args__ = (
        ForeignKeyConstraint(
            ["version_id", "school_sourced_id"], ["material_version.id", "material_version.school_sourced_id"]
        ),
        Index("ix_version_file_sha256", "sha256"),
    )


class ReviewStep(Base):
    """The review history: who did what, when, from which state to which, and why. Rows are only ever added."""

    __tablename__ = "review_step"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version_id: Mapped[UUID]
    school_sourced_id: Mapped[str]
    action: Mapped[str]
    from_state: Mapped[str]
    to_state: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str | None]
    # Which of the school's own steps was confirmed; which delegation a decision rests on (KT.).
    step: Mapped[str | None]
    duty_id: Mapped[UUID | None]
    at: Mapped[dt.datetime]
    __table_args__ = (
        ForeignKeyConstraint(
            ["version_id", "school_sourced_id"], ["material_version.id", "material_version.school_sourced_id"]
        ),
        CheckConstraint("action <> 'return' OR coalesce(btrim(reason), '') <> ''", name="return_has_reason"),
        Index("ix_review_step_version_id_id", "version_id", "id"),
    )


class ReviewPolicy(Base):
    """What a school decided about its review; a school without a row has the defaults of `domain.policy.Policy`."""

    __tablename__ = "review_policy"
    school_sourced_id: Mapped[str] = mapped_column(primary_key=True)
    publish_on_approval: Mapped[bool]
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    version: Mapped[int]
    changed_by: Mapped[str]
    changed_at: Mapped[dt.datetime]


class ReviewDuty(Base):
    """Who may pass, approve for the head, or confirm a step at a school; rows end and are never removed."""

    __tablename__ = "review_duty"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    school_sourced_id: Mapped[str]
    person: Mapped[str]
    task: Mapped[str]
    subjects: Mapped[list[str]] = mapped_column(ARRAY(Text))
    grades: Mapped[list[str]] = mapped_column(ARRAY(Text))
    valid_from: Mapped[dt.date] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date)
    appointed_by: Mapped[str]
    appointed_at: Mapped[dt.datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="ends_after_it_begins"),
        Index("ix_review_duty_school_person", "school_sourced_id", "person"),
    )


class VersionComment(Base):
    """A remark on a version, on one of its files (`position`) and a `place` in it where given. Rows are only added."""

    __tablename__ = "version_comment"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version_id: Mapped[UUID]
    school_sourced_id: Mapped[str]
    author: Mapped[str]
    text: Mapped[str]
    position: Mapped[int | None] = mapped_column(SmallInteger)
    place: Mapped[str | None]
    at: Mapped[dt.datetime]
    __table_args__ = (
        ForeignKeyConstraint(
            ["version_id", "school_sourced_id"], ["material_version.id", "material_version.school_sourced_id"]
        ),
        Index("ix_version_comment_version_id_id", "version_id", "id"),
    )


class Org(Base):
    """A unit of the org tree as sync last told it. Institutions only."""

    __tablename__ = "org"
    sourced_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    level: Mapped[str | None]
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date)


class OrgParent(Base):
    """A unit's place under another, from and to inclusive (null = open). No key to the parent: it may come later."""

    __tablename__ = "org_parent"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sourced_id: Mapped[str] = mapped_column(ForeignKey("org.sourced_id"))
    parent_sourced_id: Mapped[str]
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date)
    __table_args__ = (
        Index("ix_org_parent_sourced_id", "sourced_id"),
        Index("ix_org_parent_parent_sourced_id", "parent_sourced_id"),
    )
