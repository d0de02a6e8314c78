"""Tables of the library. Rows of a school carry `school_sourced_id`, which row-level security reads."""

import datetime as dt
from typing import TYPE_CHECKING
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
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db.tables import declarative_base

if TYPE_CHECKING:

    class Base(DeclarativeBase): ...
else:
    Base = declarative_base()

SCHOOL_TABLES = ("material", "material_version", "version_file", "review_step")


class Material(Base):
    """One work, through all its versions. `version` counts changes of any kind, for ETag and If-Match.

    `latest_number` is the newest version, `approved_number` the one in use (none before the first approval).
    """

    __tablename__ = "material"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    school_sourced_id: Mapped[str]
    latest_number: Mapped[int]
    approved_number: Mapped[int | None]
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
    grades: Mapped[list[str]] = mapped_column(ARRAY(Text))
    language: Mapped[str]
    licence: Mapped[str]
    sources: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    passed_at: Mapped[dt.datetime | None]
    approved_at: Mapped[dt.datetime | None]
    __table_args__ = (
        UniqueConstraint("material_id", "number"),
        UniqueConstraint("id", "school_sourced_id"),
        ForeignKeyConstraint(["material_id", "school_sourced_id"], ["material.id", "material.school_sourced_id"]),
        CheckConstraint("state IN ('draft', 'submitted', 'passed', 'approved', 'returned')", name="state_known"),
        CheckConstraint(
            "state <> 'approved' OR (passed_at IS NOT NULL AND approved_at IS NOT NULL)", name="both_steps_done"
        ),
    )


class StoredFile(Base):
    """A file of the content store that some version uses. Knows no school: equal content is stored once for all."""

    __tablename__ = "stored_file"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    media_type: Mapped[str]
    created_at: Mapped[dt.datetime]


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
    at: Mapped[dt.datetime]
    __table_args__ = (
        ForeignKeyConstraint(
            ["version_id", "school_sourced_id"], ["material_version.id", "material_version.school_sourced_id"]
        ),
        CheckConstraint("action <> 'return' OR coalesce(btrim(reason), '') <> ''", name="return_has_reason"),
        Index("ix_review_step_version_id_id", "version_id", "id"),
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
