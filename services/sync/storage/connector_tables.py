"""The tables of the connectors: providers that are pulled, receivers that are pushed to, and what became of it."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Identity, Index, Integer, SmallInteger, Text, Time, text
from sqlalchemy.orm import Mapped, mapped_column

from services.sync.storage.registry_tables import Base

__all__ = ["Base", "Feed", "FeedDeadLetter", "Pull", "PullRun"]


class Pull(Base):
    """A OneRoster provider that is read on a schedule, in the name of the vendor's client `client_id`.

    `secret` is encrypted (`shared.secret_box`). Runs queued before `counts_since` were made under other settings of
    what is read: no delta builds on them.
    """

    __tablename__ = "pull"
    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str]
    base_url: Mapped[str]
    token_url: Mapped[str]
    oauth_client_id: Mapped[str]
    secret: Mapped[str]
    oneroster_version: Mapped[str]
    schools: Mapped[list[str]] = mapped_column(ARRAY(Text))
    page_size: Mapped[int] = mapped_column(Integer)
    run_at: Mapped[dt.time] = mapped_column(Time)
    full_on: Mapped[int] = mapped_column(SmallInteger)
    auto_commit: Mapped[bool]
    lenient: Mapped[bool]
    enabled: Mapped[bool]
    counts_since: Mapped[dt.datetime]
    next_run_at: Mapped[dt.datetime]
    version: Mapped[int]
    updated_by: Mapped[str]
    updated_at: Mapped[dt.datetime]


class PullRun(Base):
    """One reading of a provider. `since` is the delta's filter; `watermark` is where the next delta may begin."""

    __tablename__ = "pull_run"
    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    pull_id: Mapped[str] = mapped_column(ForeignKey("pull.id"))
    kind: Mapped[str]
    state: Mapped[str]
    interruptions: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    requested_by: Mapped[str | None]
    queued_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    since: Mapped[dt.datetime | None]
    watermark: Mapped[dt.datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    failure: Mapped[dict[str, Any] | None]
    import_id: Mapped[UUID | None] = mapped_column(ForeignKey("import.id"))
    __table_args__ = (
        Index("ix_pull_run_pull_id", "pull_id", "position"),
        Index("ix_pull_run_import_id", "import_id"),
        Index(
            "uq_pull_run_unfinished",
            "pull_id",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'running')"),
        ),
    )


class Feed(Base):
    """A receiver of the change feed. `place` is how far it has confirmed, null at the beginning."""

    __tablename__ = "feed"
    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    auth: Mapped[str]
    header: Mapped[str | None]
    secret: Mapped[str | None]
    types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    schools: Mapped[list[str]] = mapped_column(ARRAY(Text))
    profile: Mapped[str]
    batch_size: Mapped[int] = mapped_column(Integer)
    enabled: Mapped[bool]
    place: Mapped[list[Any] | None]
    delivered: Mapped[int] = mapped_column(server_default=text("0"))
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    refused_in_a_row: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    last_error: Mapped[dict[str, Any] | None]
    last_delivered_at: Mapped[dt.datetime | None]
    next_try_at: Mapped[dt.datetime | None]
    version: Mapped[int]
    updated_by: Mapped[str]
    updated_at: Mapped[dt.datetime]


class FeedDeadLetter(Base):
    """A version of a record the receiver refused, by its key: the content stays where it is, in the record's tables."""

    __tablename__ = "feed_dead_letter"
    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    feed_id: Mapped[str] = mapped_column(ForeignKey("feed.id"))
    type: Mapped[str]
    school_sourced_id: Mapped[str]
    sourced_id: Mapped[str]
    record_version: Mapped[int]
    status: Mapped[int] = mapped_column(Integer)
    answer: Mapped[str]
    refused_at: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    replay_asked_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None]
    __table_args__ = (
        Index(
            "uq_feed_dead_letter_open",
            "feed_id",
            "type",
            "school_sourced_id",
            "sourced_id",
            "record_version",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_feed_dead_letter_feed_id", "feed_id", "position"),
    )
