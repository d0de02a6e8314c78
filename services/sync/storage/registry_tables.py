"""The schema of the registry beside `storage.tables`: the org tree as it was known when, and merged people."""

import datetime as dt
from uuid import UUID

from sqlalchemy import BigInteger, Date, Identity
from sqlalchemy.orm import Mapped, mapped_column

from services.sync.storage.tables import Base

__all__ = ["Base", "OrgHistory", "OrgParentHistory", "PersonAlias", "PersonAliasUndone"]


class OrgHistory(Base):
    """What a unit was, one row per version that was replaced; rows are only ever added.

    The newest version is in `org`, known since its dateLastModified.
    """

    __tablename__ = "org_history"
    sourced_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    identifier: Mapped[str | None]
    level: Mapped[str | None]
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date)
    recorded_from: Mapped[dt.datetime]
    recorded_to: Mapped[dt.datetime]


class OrgParentHistory(Base):
    """The edges of those versions: a write of a unit replaces all of its edges, so they share its clock."""

    __tablename__ = "org_parent_history"
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sourced_id: Mapped[str] = mapped_column(index=True)
    parent_sourced_id: Mapped[str] = mapped_column(index=True)
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date)
    recorded_from: Mapped[dt.datetime]
    recorded_to: Mapped[dt.datetime]


class PersonAlias(Base):
    """A provisional code that became an issued one, for all schools. `import_id`: what wrote it, if anybody had it."""

    __tablename__ = "person_alias"
    sourced_id: Mapped[str] = mapped_column(primary_key=True)
    issued: Mapped[str]
    import_id: Mapped[UUID | None]
    reason: Mapped[str]
    merged_by: Mapped[str]
    merged_at: Mapped[dt.datetime]


class PersonAliasUndone(Base):
    """A merge that was taken back; rows are only ever added. `undo_import_id`: what wrote the inverse, if anything."""

    __tablename__ = "person_alias_undone"
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sourced_id: Mapped[str]
    issued: Mapped[str]
    import_id: Mapped[UUID | None]
    reason: Mapped[str]
    merged_by: Mapped[str]
    merged_at: Mapped[dt.datetime]
    undo_import_id: Mapped[UUID | None] = mapped_column(unique=True)
    undo_reason: Mapped[str]
    undone_by: Mapped[str]
    undone_at: Mapped[dt.datetime]
