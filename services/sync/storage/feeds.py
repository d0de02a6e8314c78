"""Feeds in SQL: receivers of the change feed, how far each has confirmed, and what one refused."""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

from sqlalchemy import RowMapping, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.records import camel
from services.sync.storage.changes import START, TYPES, Place
from services.sync.storage.connector_tables import Feed, FeedDeadLetter

_DUE = text("SELECT id FROM feed WHERE enabled AND (next_try_at IS NULL OR next_try_at <= :now) ORDER BY id")


async def find_feed(session: AsyncSession, feed_id: str, *, lock: bool = False) -> Feed | None:
    return await session.get(Feed, feed_id, with_for_update=lock or None)


async def list_feeds(session: AsyncSession, after: str, limit: int) -> Sequence[Feed]:
    return (await session.execute(select(Feed).where(Feed.id > after).order_by(Feed.id).limit(limit))).scalars().all()


async def delete_feed(session: AsyncSession, feed: Feed) -> None:
    """Its dead letters go along."""
    await session.execute(delete(FeedDeadLetter).where(FeedDeadLetter.feed_id == feed.id))
    await session.delete(feed)


async def due_feeds(session: AsyncSession, now: dt.datetime) -> list[str]:
    return list((await session.execute(_DUE, {"now": now})).scalars())


def place_of(feed: Feed) -> Place:
    return START if feed.place is None else Place(*feed.place)


def document_of(place: Place) -> list[Any]:
    return list(astuple(place))


async def bury(session: AsyncSession, feed_id: str, row: Mapping[str, Any], status: int, answer: str) -> None:
    """Put a refused version aside; once however often it is refused."""
    values = {
        "feed_id": feed_id,
        "type": row["type"],
        "school_sourced_id": row["school_sourced_id"],
        "sourced_id": row["sourced_id"],
        "record_version": row["version"],
        "status": status,
        "answer": answer,
        "refused_at": text("clock_timestamp()"),
    }
    await session.execute(insert(FeedDeadLetter).values(values).on_conflict_do_nothing())


async def list_dead_letters(
    session: AsyncSession, feed_id: str, *, only_open: bool, before: int | None, limit: int
) -> Sequence[FeedDeadLetter]:
    """Newest first."""
    statement = select(FeedDeadLetter).where(FeedDeadLetter.feed_id == feed_id)
    if only_open:
        statement = statement.where(FeedDeadLetter.closed_at.is_(None))
    if before is not None:
        statement = statement.where(FeedDeadLetter.position < before)
    found = await session.execute(statement.order_by(FeedDeadLetter.position.desc()).limit(limit))
    return found.scalars().all()


async def ask_replay(session: AsyncSession, feed_id: str, position: int | None, now: dt.datetime) -> int:
    """Mark one open dead letter, or all of them, to be sent again; answers how many."""
    statement = text(
        "UPDATE feed_dead_letter SET replay_asked_at = :now WHERE feed_id = :feed AND closed_at IS NULL "
        + ("" if position is None else "AND position = :position")
    )
    given = {"feed": feed_id, "now": now} | ({} if position is None else {"position": position})
    result: Any = await session.execute(statement, given)
    return int(result.rowcount)


async def asked_replays(session: AsyncSession, feed_id: str, limit: int) -> Sequence[FeedDeadLetter]:
    """In the order of refusal."""
    asked = FeedDeadLetter.feed_id == feed_id, FeedDeadLetter.replay_asked_at.is_not(None)
    statement = select(FeedDeadLetter).where(*asked, FeedDeadLetter.closed_at.is_(None))
    return (await session.execute(statement.order_by(FeedDeadLetter.position).limit(limit))).scalars().all()


async def newest_version(session: AsyncSession, letter: FeedDeadLetter) -> RowMapping | None:
    """The record of a dead letter as it is now, in the shape of the feed: an older version would undo a newer one."""
    record = TYPES[letter.type]
    fields = ", ".join(f"'{camel(name)}', {name}" for name in record.columns)
    statement = text(
        f"SELECT '{record.file}' AS type, school_sourced_id, sourced_id, version, status, "
        f"date_last_modified AS recorded_at, last_import_id, jsonb_build_object({fields}) AS record "
        f"FROM {record.table} WHERE sourced_id = :id AND school_sourced_id = :school"
    )
    given = {"id": letter.sourced_id, "school": letter.school_sourced_id}
    return (await session.execute(statement, given)).mappings().one_or_none()
