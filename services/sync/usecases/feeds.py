"""Receivers of the change feed: the department names them, sees how far they are, and deals with what they refused."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from services.sync.domain.feed import signing_key
from services.sync.storage import feeds
from services.sync.storage.changes import TYPES
from services.sync.storage.connector_tables import Feed, FeedDeadLetter
from services.sync.usecases.connectors import require_department, require_schools, secret_needed
from services.sync.usecases.read_changes import read_changes
from shared.auth import Principal
from shared.db.scope import EVERYTHING, Scope
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, FieldError, Text, invalid, not_found
from shared.secret_box import SecretBox


@dataclass(frozen=True, slots=True)
class FeedValues:
    """A receiver as the department describes it; `secret` is None to keep the one that is there."""

    url: str
    auth: str
    header: str | None
    secret: str | None
    types: tuple[str, ...]
    schools: tuple[str, ...]
    profile: str
    batch_size: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class FeedView:
    """`waiting_since`: when the first change it has not confirmed was recorded; None when there is none."""

    feed: Feed
    waiting_since: dt.datetime | None
    dead_letters: bool


async def put_feed(
    uow: UnitOfWork, principal: Principal, box: SecretBox, feed_id: str, values: FeedValues
) -> tuple[Feed, bool]:
    """Write a receiver; answers whether it is new.

    Raises `connector.notDepartment`, `connector.noKey`, `connector.schoolUnknown`, `connector.secretNeeded`,
    `changes.typeUnknown`, `feed.secretShape`.
    """
    await require_department(uow, principal)
    box.require_key()
    await require_schools(uow, values.schools)
    _check_types(values.types)
    feed = await feeds.find_feed(uow.session, feed_id, lock=True)
    is_new = feed is None
    if feed is None:
        feed = Feed(id=feed_id, version=0, delivered=0, failures=0, place=None, secret=None)
    _take_secret(box, feed, values, is_new=is_new)
    feed.url, feed.auth, feed.header = values.url, values.auth, values.header
    feed.types, feed.schools, feed.profile = list(values.types), sorted(set(values.schools)), values.profile
    feed.batch_size, feed.enabled = values.batch_size, values.enabled
    feed.version += 1
    feed.updated_by, feed.updated_at = principal.subject, await uow.now()
    feed.next_try_at, feed.failures, feed.refused_in_a_row, feed.last_error = None, 0, 0, None
    uow.session.add(feed)
    await uow.session.flush()
    return feed, is_new


def _take_secret(box: SecretBox, feed: Feed, values: FeedValues, *, is_new: bool) -> None:
    """A secret goes only where the one who knows it sends it."""
    if values.auth == "none":
        feed.secret = None
    elif values.secret is not None:
        if values.auth == "signature":
            _check_signing_key(values.secret)
        feed.secret = box.seal(f"feed:{feed.id}", values.secret)
    elif is_new or feed.secret is None or _goes_elsewhere(feed, values):
        raise secret_needed("/secret")


def _goes_elsewhere(feed: Feed, values: FeedValues) -> bool:
    return (feed.url, feed.auth, feed.header) != (values.url, values.auth, values.header)


def _check_signing_key(secret: str) -> None:
    try:
        signing_key(secret)
    except ValueError as failure:
        said = Text("Mật khẩu ký có dạng whsec_<base64 của 24 đến 64 byte>.", "A signing secret is whsec_<base64>.")
        errors = [FieldError("/secret", "feed.secretShape", said)]
        raise invalid("feed.secretShape", vi=said.vi, en=said.en, errors=errors) from failure


def _check_types(types: Sequence[str]) -> None:
    unknown = [name for name in types if name not in TYPES]
    if unknown:
        listed = ", ".join(TYPES)
        said = Text(f"types chỉ nhận: {listed}.", f"types takes: {listed}.")
        errors = [FieldError("/types", "changes.typeUnknown", said)]
        raise invalid("changes.typeUnknown", vi=said.vi, en=said.en, errors=errors)


async def get_feed(uow: UnitOfWork, principal: Principal, feed_id: str, *, lock: bool = False) -> Feed:
    """Raises `connector.notDepartment`, `feed.unknown`."""
    await require_department(uow, principal)
    feed = await feeds.find_feed(uow.session, feed_id, lock=lock)
    if feed is None:
        raise not_found("feed.unknown", vi="Không có kết nối đẩy này.", en="There is no such feed.")
    return feed


async def view_feed(uow: UnitOfWork, feed: Feed) -> FeedView:
    await uow.enter(Scope.of(feed.schools) if feed.schools else EVERYTHING)
    letters = await feeds.list_dead_letters(uow.session, feed.id, only_open=True, before=None, limit=1)
    try:
        rows = (await read_changes(uow, feed.types, feeds.place_of(feed), 1)).rows
    except AppError:  # a place of another database; the feed's last error says so
        rows = []
    await uow.enter(EVERYTHING)
    return FeedView(feed, rows[0]["recorded_at"] if rows else None, dead_letters=bool(letters))


async def list_feeds(uow: UnitOfWork, principal: Principal, after: str, limit: int) -> list[FeedView]:
    await require_department(uow, principal)
    return [await view_feed(uow, feed) for feed in await feeds.list_feeds(uow.session, after, limit)]


async def delete_feed(uow: UnitOfWork, principal: Principal, feed_id: str) -> None:
    await feeds.delete_feed(uow.session, await get_feed(uow, principal, feed_id, lock=True))


async def restart_feed(uow: UnitOfWork, principal: Principal, feed_id: str) -> Feed:
    """From the beginning: for a receiver that lost what it had, or a database that was restored."""
    feed = await get_feed(uow, principal, feed_id, lock=True)
    feed.place, feed.next_try_at, feed.failures, feed.refused_in_a_row, feed.last_error = None, None, 0, 0, None
    feed.version += 1
    feed.updated_by, feed.updated_at = principal.subject, await uow.now()
    await uow.session.flush()
    return feed


async def list_dead_letters(
    uow: UnitOfWork, principal: Principal, feed_id: str, *, only_open: bool, before: int | None, limit: int
) -> Sequence[FeedDeadLetter]:
    await get_feed(uow, principal, feed_id)
    return await feeds.list_dead_letters(uow.session, feed_id, only_open=only_open, before=before, limit=limit)


async def replay(uow: UnitOfWork, principal: Principal, feed_id: str, position: int | None) -> int:
    """Send one open dead letter again, or all of them; answers how many. Raises `feed.letterUnknown`."""
    feed = await get_feed(uow, principal, feed_id, lock=True)
    found = await feeds.ask_replay(uow.session, feed_id, position, await uow.now())
    if position is not None and not found:
        raise not_found("feed.letterUnknown", vi="Không có bản ghi treo này.", en="There is no such dead letter.")
    feed.next_try_at = None
    return found
