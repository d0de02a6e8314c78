"""Conventions of every schema, and the tables that shared mechanisms need in each service's database."""

import datetime as dt
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, Index, LargeBinary, MetaData, SmallInteger, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

type_annotation_map = {
    str: Text(),
    int: BigInteger(),
    dt.datetime: DateTime(timezone=True),
    UUID: Uuid(),
    bytes: LargeBinary(),
    dict[str, Any]: JSONB(),
    list[Any]: JSONB(),
}


def declarative_base() -> type[DeclarativeBase]:
    """A fresh base with its own metadata, holding the mechanism's tables. One per service, in `storage/tables.py`."""

    class Base(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMING)
        type_annotation_map: ClassVar[dict[Any, Any]] = type_annotation_map

    _add_outbox(Base)
    _add_inbox(Base)
    _add_idempotency(Base)
    return Base


def _add_outbox(base: type[DeclarativeBase]) -> None:
    class Outbox(base):  # type: ignore[valid-type, misc]  # the base is a value here, one per service
        """Events written in the transaction of their cause. Kept 90 days after publication, for replay."""

        __tablename__ = "outbox"
        position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
        event_id: Mapped[UUID] = mapped_column(unique=True)
        subject: Mapped[str]
        aggregate: Mapped[str]
        version: Mapped[int]
        envelope: Mapped[bytes]
        created_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
        published_at: Mapped[dt.datetime | None]
        __table_args__ = (
            # The relay reads unpublished rows by id, never above a watermark: a late commit is never skipped.
            Index("ix_outbox_unpublished", "position", postgresql_where=text("published_at IS NULL")),
            Index("ix_outbox_created_at", "created_at"),
        )

    class AggregateVersion(base):  # type: ignore[valid-type, misc]
        """The newest version given out per aggregate; the row lock orders concurrent writers."""

        __tablename__ = "aggregate_version"
        aggregate: Mapped[str] = mapped_column(primary_key=True)
        version: Mapped[int]


def _add_inbox(base: type[DeclarativeBase]) -> None:
    class Inbox(base):  # type: ignore[valid-type, misc]
        """Events already applied, so that a second delivery does nothing."""

        __tablename__ = "inbox"
        event_id: Mapped[UUID] = mapped_column(primary_key=True)
        received_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
        __table_args__ = (Index("ix_inbox_received_at", "received_at"),)

    class AppliedVersion(base):  # type: ignore[valid-type, misc]
        """The version of a foreign aggregate this service has reached, per source."""

        __tablename__ = "applied_version"
        source: Mapped[str] = mapped_column(primary_key=True)
        aggregate: Mapped[str] = mapped_column(primary_key=True)
        version: Mapped[int]

    class DeadLetter(base):  # type: ignore[valid-type, misc]
        """Events that could not be applied; listed and replayed by the operator."""

        __tablename__ = "dead_letter"
        position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
        consumer: Mapped[str]
        stream: Mapped[str]
        stream_sequence: Mapped[int]
        subject: Mapped[str]
        event_id: Mapped[UUID | None]
        payload: Mapped[bytes]
        reason: Mapped[str]
        attempts: Mapped[int]
        created_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
        replayed_at: Mapped[dt.datetime | None]


def _add_idempotency(base: type[DeclarativeBase]) -> None:
    class IdempotencyRecord(base):  # type: ignore[valid-type, misc]
        """The answer to a POST with an Idempotency-Key, written in the transaction of its effect. Kept 30 days."""

        __tablename__ = "idempotency_record"
        client_id: Mapped[str] = mapped_column(primary_key=True)
        key: Mapped[str] = mapped_column(primary_key=True)
        fingerprint: Mapped[bytes]
        status: Mapped[int] = mapped_column(SmallInteger)
        headers: Mapped[dict[str, Any]]
        body: Mapped[bytes]
        created_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
        __table_args__ = (Index("ix_idempotency_record_created_at", "created_at"),)
