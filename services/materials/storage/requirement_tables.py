"""Tables of the curriculum requirements. They belong to the city and to no school."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.materials.storage.tables import Base


class RequirementFramework(Base):
    """One imported tree; `package` is its CFPackage without the items. `verified`: compared with the official text."""

    __tablename__ = "requirement_framework"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    verified: Mapped[bool]
    package: Mapped[dict[str, Any]] = mapped_column(JSONB)
    imported_by: Mapped[str]
    imported_at: Mapped[dt.datetime]


class RequirementItem(Base):
    """One requirement, from `valid_from` until before `valid_to`. `path` holds the codes from the root down to it.

    `folded` is its code and texts without tone marks, for the search.
    """

    __tablename__ = "requirement"
    framework_id: Mapped[UUID] = mapped_column(ForeignKey("requirement_framework.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    guid: Mapped[UUID]
    uri: Mapped[str]
    parent: Mapped[str | None]
    subject: Mapped[str | None]
    grades: Mapped[list[str]] = mapped_column(ARRAY(Text))
    text_vi: Mapped[str]
    text_en: Mapped[str | None]
    folded: Mapped[str]
    position: Mapped[int]
    path: Mapped[list[str]] = mapped_column(ARRAY(Text))
    case_item: Mapped[dict[str, Any]] = mapped_column(JSONB)
    valid_from: Mapped[dt.date] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date)
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="ends_after_it_begins"),
        Index("ix_requirement_code", "code"),
        # A code and everything below it: path @> ARRAY[code].
        Index("ix_requirement_path", "path", postgresql_using="gin"),
    )
