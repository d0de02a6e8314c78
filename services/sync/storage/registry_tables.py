"""The schema of the department's registry beside `storage.tables`: what was known of the org tree when."""

import datetime as dt

from sqlalchemy import Date
from sqlalchemy.orm import Mapped, mapped_column

from services.sync.storage.tables import Base

__all__ = ["Base", "OrgHistory", "OrgParentHistory"]


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
