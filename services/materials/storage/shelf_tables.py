"""The table of the city's shared shelf. It belongs to no school, so no policy of row-level security limits it."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.materials.storage.tables import Base


class ShelfItem(Base):
    """A material as the city shares it: version `number` of it, as it was when it was shared.

    The school goes on with newer versions beside it. `files` hold position, name, mediaType, size and sha256. `history`
    is the review it carries with it, oldest step first: place (school or city), action, fromState, toState, actor,
    reason, at. `public`: its rights let it be shown to everybody; `was_public`: those of an earlier version did, so
    harvesters are told that it is gone. A withdrawn item stays as a tombstone. `written_by` is the transaction that
    wrote it last: readers of the change order stop before those still open.
    """

    __tablename__ = "shelf_item"
    material_id: Mapped[UUID] = mapped_column(primary_key=True)
    version_id: Mapped[UUID]
    school_sourced_id: Mapped[str]
    number: Mapped[int]
    title: Mapped[str]
    description: Mapped[str]
    type: Mapped[str]
    subject: Mapped[str]
    other_subjects: Mapped[list[str]] = mapped_column(ARRAY(Text))
    grades: Mapped[list[str]] = mapped_column(ARRAY(Text))
    requirements: Mapped[list[str]] = mapped_column(ARRAY(Text))
    language: Mapped[str]
    authors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    licence: Mapped[str]
    sources: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rights_statement: Mapped[str]
    duration_seconds: Mapped[int | None]
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    history: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    public: Mapped[bool]
    was_public: Mapped[bool] = mapped_column(server_default=sql("false"))
    shared_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
    written_by: Mapped[int] = mapped_column(server_default=sql("pg_current_xact_id()::text::bigint"))
    withdrawn_at: Mapped[dt.datetime | None]
    __table_args__ = (
        Index("ix_shelf_item_changed_at_material_id", "changed_at", "material_id"),
        Index("ix_shelf_item_files", "files", postgresql_using="gin", postgresql_ops={"files": "jsonb_path_ops"}),
    )
