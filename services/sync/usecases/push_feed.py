"""The worker's round over the feeds: changes leave in order, in batches, and the place moves when they are confirmed.

What was sent and not confirmed is sent again under the same `Idempotency-Key`. A record the receiver refuses is put
aside, and the rest goes on; anything else that goes wrong waits and is tried again, for days if need be.
"""

import asyncio
import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.sync.domain.feed import (
    FEED_TEXTS,
    MOST_REFUSED_IN_A_ROW,
    Verdict,
    body_of,
    message_id,
    pause_seconds,
    signed_headers,
    verdict_of,
)
from services.sync.storage import feeds
from services.sync.storage.changes import Place, place_of
from services.sync.storage.claims import Claims
from services.sync.storage.connector_tables import Feed, FeedDeadLetter
from services.sync.usecases.read_changes import read_changes
from shared.clock import Clock
from shared.db.scope import EVERYTHING, Scope
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import AppError
from shared.failpoints import failpoint
from shared.logs import failure_fields, logger
from shared.outside import Answer, Failure, Outside, OutsideError, outside
from shared.secret_box import SecretBox, SecretUnreadableError

log = logger(__name__)
_SECONDS = 60.0
_ANSWER_BYTES = 64 * 1024
_ANSWER_KEPT = 500
_IDLE = dt.timedelta(seconds=5)
_BATCHES_A_ROUND = 100
_NO_ACCESS = frozenset({401, 403, 404, 405, 410})


class _StopError(Exception):
    """The feed waits. `code` is one of `FEED_TEXTS`."""

    def __init__(self, code: str, place: Mapping[str, Any], retry_after: float | None = None) -> None:
        super().__init__(code)
        assert code in FEED_TEXTS
        self.document = {"code": code, **place}
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class _Sending:
    """A feed's settings as one round uses them."""

    id: str
    url: str
    auth: str
    header: str
    secret: str = field(repr=False)
    profile: Any
    version: int
    scope: Scope
    outside: Outside


@dataclass(slots=True)
class FeedWork:
    """`chance` spreads the pauses, 0 to 1."""

    box: SecretBox
    clock: Clock
    allow_private: bool
    chance: Callable[[], float] = random.random
    claims: Claims = field(default_factory=Claims)
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def run_once(self, engine: AsyncEngine, units: UnitsOfWork) -> None:
        """Start what is due; returns at once."""
        self._running = {key: task for key, task in self._running.items() if not task.done()}
        async with units.begin(EVERYTHING) as uow:
            due = await feeds.due_feeds(uow.session, self.clock.now())
        for feed_id in due:
            if feed_id not in self._running:
                self._running[feed_id] = asyncio.create_task(self._go_on(engine, units, feed_id))

    async def drain(self, engine: AsyncEngine, units: UnitsOfWork) -> None:
        """One round to its end: for tests and operators."""
        await self.run_once(engine, units)
        await asyncio.gather(*self._running.values())
        await self.claims.close()

    async def _go_on(self, engine: AsyncEngine, units: UnitsOfWork, feed_id: str) -> None:
        name = f"feed {feed_id}"
        if not await self.claims.take(engine, name):
            return
        try:
            await self._push(units, feed_id)
        except Exception as failure:  # noqa: BLE001  # the feed stays where it is; the next round tries again
            log.error("feed_crashed", feed=feed_id, **failure_fields(failure))  # noqa: TRY400  # the message may quote rows
            await self._wait(units, feed_id, _StopError("feed.crashed", {}))
        finally:
            await self.claims.give_back(name)

    async def _push(self, units: UnitsOfWork, feed_id: str) -> None:
        async with outside(allow_private=self.allow_private) as opened:
            try:
                for _ in range(_BATCHES_A_ROUND):
                    if not await self._push_batch(units, feed_id, opened):
                        return
            except _StopError as stop:
                await self._wait(units, feed_id, stop)

    async def _push_batch(self, units: UnitsOfWork, feed_id: str, opened: Outside) -> bool:
        """Replays first, then the next batch; answers whether there may be more."""
        async with units.begin(EVERYTHING) as uow:
            feed = await feeds.find_feed(uow.session, feed_id)
            if feed is None or not feed.enabled:
                return False
            sending = self._sending(feed, opened)
            await uow.enter(sending.scope)
            replays = [
                (letter.position, letter.tries, await feeds.newest_version(uow.session, letter))
                for letter in await feeds.asked_replays(uow.session, feed_id, feed.batch_size)
            ]
            start = feeds.place_of(feed)
            try:
                found = await read_changes(uow, feed.types, start, feed.batch_size)
            except AppError as failure:
                raise _StopError("changes.cursorAhead", {"got": failure.code}) from failure
        for position, tries, row in replays:
            await self._replay(units, sending, position, tries, row)
        await self._deliver(units, sending, start, list(found.rows))
        if not found.more:
            await self._rest(units, sending, found.place)
        return found.more

    def _sending(self, feed: Feed, opened: Outside) -> _Sending:
        try:
            secret = "" if feed.secret is None else self.box.open(f"feed:{feed.id}", feed.secret)
        except SecretUnreadableError as failure:
            raise _StopError("connector.secretUnreadable", {}) from failure
        return _Sending(
            feed.id,
            feed.url,
            feed.auth,
            feed.header or "",
            secret,
            feed.profile,
            feed.version,
            Scope.of(feed.schools) if feed.schools else EVERYTHING,
            opened,
        )

    async def _deliver(self, units: UnitsOfWork, sending: _Sending, start: Place, rows: list[Any]) -> None:
        """Send the rows; a batch that is refused is halved until the refused record stands alone."""
        if not rows:
            return
        end = place_of(rows[-1])
        answer = await self._send(sending, start, end, rows)
        verdict = verdict_of(answer.status)
        if verdict is Verdict.LATER:
            raise self._not_now(answer)
        if verdict is Verdict.REFUSED and len(rows) > 1:
            middle = len(rows) // 2
            await self._deliver(units, sending, start, rows[:middle])
            await self._deliver(units, sending, place_of(rows[middle - 1]), rows[middle:])
            return
        failpoint("sync.feed.sent")
        async with units.begin(EVERYTHING) as uow:
            feed = await _locked(uow, sending)
            if verdict is Verdict.TAKEN:
                feed.delivered += len(rows)
                feed.refused_in_a_row, feed.last_delivered_at = 0, self.clock.now()
            elif feed.refused_in_a_row >= MOST_REFUSED_IN_A_ROW:
                raise _StopError("feed.refusesAll", {"status": answer.status})
            else:
                feed.refused_in_a_row += 1
                await feeds.bury(uow.session, sending.id, rows[0], answer.status, _kept(answer))
            feed.place, feed.failures, feed.last_error = feeds.document_of(end), 0, None

    def _not_now(self, answer: Answer) -> _StopError:
        code = "feed.refusedAccess" if answer.status in _NO_ACCESS else "feed.busy"
        return _StopError(code, {"status": answer.status}, answer.retry_after(self.clock.now().timestamp()))

    async def _replay(self, units: UnitsOfWork, sending: _Sending, position: int, tries: int, row: Any) -> None:
        """A dead letter again, as its record is now; taken, or gone with its record, it is closed.

        Each try that was answered has a key of its own: a receiver may repeat its refusal for a key it knows.
        """
        answer = None
        if row is not None:
            start = Place(row["version"], tries, "replay", str(position))
            answer = await self._send(sending, start, Place(row["version"]), [row])
            if verdict_of(answer.status) is Verdict.LATER:
                raise self._not_now(answer)
        async with units.begin(EVERYTHING) as uow:
            letter = await uow.session.get(FeedDeadLetter, position, with_for_update=True)
            if letter is None or letter.closed_at is not None:
                return
            letter.replay_asked_at = None
            if answer is None or verdict_of(answer.status) is Verdict.TAKEN:
                letter.closed_at, letter.outcome = self.clock.now(), "gone" if answer is None else "delivered"
            else:
                letter.tries += 1
                letter.status, letter.answer, letter.refused_at = answer.status, _kept(answer), self.clock.now()

    async def _send(self, sending: _Sending, start: Place, end: Place, rows: Sequence[Any]) -> Answer:
        body = body_of(sending.id, sending.profile, rows, feeds.document_of(end))
        message = message_id(sending.id, sending.version, feeds.document_of(start), feeds.document_of(end))
        headers = {"Content-Type": "application/json", "Idempotency-Key": message}
        headers |= self._proof(sending, message, body)
        try:
            return await sending.outside.ask(
                "POST", sending.url, headers=headers, content=body, most_bytes=_ANSWER_BYTES, seconds=_SECONDS
            )
        except OutsideError as failure:
            code = "feed.addressRefused" if failure.failure is Failure.ADDRESS else "feed.unreachable"
            raise _StopError(code, {"got": str(failure)}) from failure

    def _proof(self, sending: _Sending, message: str, body: bytes) -> dict[str, str]:
        match sending.auth:
            case "bearer":
                return {"Authorization": f"Bearer {sending.secret}"}
            case "header":
                return {sending.header: sending.secret}
            case "signature":
                return signed_headers(sending.secret, message, self.clock.now(), body)
        return {}

    async def _rest(self, units: UnitsOfWork, sending: _Sending, place: Place) -> None:
        """Nothing is left for now. The place moves on, so that the next look begins behind what is settled."""
        async with units.begin(EVERYTHING) as uow:
            feed = await _locked(uow, sending)
            feed.place, feed.next_try_at = feeds.document_of(place), self.clock.now() + _IDLE
            feed.failures, feed.last_error = 0, None

    async def _wait(self, units: UnitsOfWork, feed_id: str, stop: _StopError) -> None:
        async with units.begin(EVERYTHING) as uow:
            feed = await feeds.find_feed(uow.session, feed_id, lock=True)
            if feed is not None:
                feed.failures += 1
                feed.last_error = stop.document
                seconds = pause_seconds(feed.failures, self.chance(), stop.retry_after)
                feed.next_try_at = self.clock.now() + dt.timedelta(seconds=seconds)
        log.warning("feed_waits", feed=feed_id, code=stop.document["code"])


async def _locked(uow: UnitOfWork, sending: _Sending) -> Feed:
    """Raises when the settings changed while something was under way: the next round reads them."""
    feed = await feeds.find_feed(uow.session, sending.id, lock=True)
    if feed is None or feed.version != sending.version:
        raise _StopError("feed.busy", {"got": "settings changed"})
    return feed


def _kept(answer: Answer) -> str:
    """The beginning of what the receiver said, as text a database takes."""
    return answer.body[:_ANSWER_KEPT].decode("utf-8", "replace").replace("\x00", "")
