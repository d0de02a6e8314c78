"""`/sync/v1/feeds`: external education databases that get every change pushed, and what they refused."""

import datetime as dt
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, SecretStr

from services.sync.api.connector_shapes import Box, ConnectorId, Keeper, Outcome, Url, check_url
from services.sync.api.schemas import Closed, Shape, SourcedId
from services.sync.domain.feed import FEED_TEXTS, cursor_of
from services.sync.storage.connector_tables import Feed, FeedDeadLetter
from services.sync.usecases import feeds
from services.sync.usecases.feeds import FeedValues, FeedView
from shared.http.etag import check_if_match, set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["feeds"])


class FeedSettings(Closed):
    """`signature` is that of Standard Webhooks (HMAC-SHA256), `bearer` and `header` send the secret itself."""

    url: Annotated[Url, Field(description="Gets a POST with `{feed, profile, cursor, changes}`; 2xx confirms.")]
    auth: Literal["none", "bearer", "header", "signature"] = "none"
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")] | None = None
    types: list[str] = Field(default=[], max_length=50, description="All without any.")
    schools: list[SourcedId] = Field(default=[], max_length=5000, description="All without any.")
    profile: Literal["plain", "ndc"] = "plain"
    batch_size: int = Field(default=500, ge=1, le=5000)
    enabled: bool = True


class FeedIn(FeedSettings):
    secret: SecretStr | None = Field(
        default=None, min_length=1, max_length=2000, description="Never given back. Left out: the one before stays."
    )

    def values(self) -> FeedValues:
        return FeedValues(
            url=self.url,
            auth=self.auth,
            header=self.header if self.auth == "header" else None,
            secret=None if self.secret is None else self.secret.get_secret_value(),
            types=tuple(self.types),
            schools=tuple(self.schools),
            profile=self.profile,
            batch_size=self.batch_size,
            enabled=self.enabled,
        )


class FeedState(Shape):
    cursor: str | None = Field(description="How far the receiver has confirmed, as a cursor of `/sync/v1/changes`.")
    delivered: int
    waiting_since: dt.datetime | None = Field(description="When the first change not yet confirmed was recorded.")
    failures: int = Field(description="In a row, since the last success.")
    last_error: Outcome | None
    last_delivered_at: dt.datetime | None
    next_try_at: dt.datetime | None
    has_dead_letters: bool


class FeedOut(FeedSettings):
    id: str
    state: FeedState
    version: int
    updated_by: str
    updated_at: dt.datetime

    @classmethod
    def of(cls, view: FeedView) -> Self:
        feed = view.feed
        state = FeedState(
            cursor=None if feed.place is None else cursor_of(feed.place),
            delivered=feed.delivered,
            waiting_since=view.waiting_since,
            failures=feed.failures,
            last_error=Outcome.of(feed.last_error, FEED_TEXTS),
            last_delivered_at=feed.last_delivered_at,
            next_try_at=feed.next_try_at if feed.enabled else None,
            has_dead_letters=view.dead_letters,
        )
        values: dict[str, Any] = {name: getattr(feed, name) for name in set(cls.model_fields) - {"state"}}
        return cls(**values, state=state)


class DeadLetter(Shape):
    """A version of a record the receiver refused; its content is read by its key."""

    id: int
    type: str
    school: str
    sourced_id: str
    record_version: int
    status: int
    answer: str
    refused_at: dt.datetime
    tries: int
    replay_asked_at: dt.datetime | None
    closed_at: dt.datetime | None
    outcome: str | None

    @classmethod
    def of(cls, letter: FeedDeadLetter) -> Self:
        names = set(cls.model_fields) - {"id", "school"}
        values = {name: getattr(letter, name) for name in names}
        return cls(id=letter.position, school=letter.school_sourced_id, **values)


class Replayed(Shape):
    asked: int


@router.get("/feeds", summary="The receivers of the change feed")
async def get_feeds(principal: Keeper, uow: Uow, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[FeedOut]:
    key = decode_cursor(cursor, 1)
    views = await feeds.list_feeds(uow, principal, "" if key is None else str(key[0]), limit + 1)
    more = encode_cursor(views[limit - 1].feed.id) if len(views) > limit else None
    return Page[FeedOut](items=[FeedOut.of(view) for view in views[:limit]], next=more)


async def _shown(uow: Uow, feed: Feed, response: Response) -> FeedOut:
    set_etag(response, feed.version)
    return FeedOut.of(await feeds.view_feed(uow, feed))


@router.get("/feeds/{feed_id}", summary="One receiver: its settings, how far it is, what hinders it")
async def get_feed(feed_id: ConnectorId, principal: Keeper, uow: Uow, response: Response) -> FeedOut:
    return await _shown(uow, await feeds.get_feed(uow, principal, feed_id), response)


@router.put("/feeds/{feed_id}", summary="Set up a receiver of the change feed")
async def put_feed(
    feed_id: ConnectorId, body: FeedIn, principal: Keeper, uow: Uow, box: Box, request: Request, response: Response
) -> FeedOut:
    """The department only. A new receiver gets everything from the beginning; a change of settings goes on in place."""
    check_url(request, "/url", body.url)
    if request.headers.get("if-match") is not None:
        check_if_match(request, (await feeds.get_feed(uow, principal, feed_id)).version)
    feed, is_new = await feeds.put_feed(uow, principal, box, feed_id, body.values())
    response.status_code = 201 if is_new else 200
    return await _shown(uow, feed, response)


@router.delete("/feeds/{feed_id}", status_code=204, summary="Forget a receiver")
async def delete_feed(feed_id: ConnectorId, principal: Keeper, uow: Uow) -> None:
    await feeds.delete_feed(uow, principal, feed_id)


@router.post("/feeds/{feed_id}/restart", summary="Send everything again from the beginning")
async def post_restart(feed_id: ConnectorId, principal: Keeper, uow: Uow, response: Response) -> FeedOut:
    """For a receiver that lost what it had, or after this database was restored."""
    return await _shown(uow, await feeds.restart_feed(uow, principal, feed_id), response)


@router.get("/feeds/{feed_id}/dead-letters", summary="What the receiver refused, newest first")
async def get_dead_letters(
    feed_id: ConnectorId,
    principal: Keeper,
    uow: Uow,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    open: Annotated[bool, Query(description="Only those not yet dealt with.")] = True,  # noqa: A002, FBT002  # a query parameter
) -> Page[DeadLetter]:
    key = decode_cursor(cursor, 1)
    before = None if key is None else int(key[0])
    rows = await feeds.list_dead_letters(uow, principal, feed_id, only_open=open, before=before, limit=limit + 1)
    more = encode_cursor(rows[limit - 1].position) if len(rows) > limit else None
    return Page[DeadLetter](items=[DeadLetter.of(row) for row in rows[:limit]], next=more)


@router.post("/feeds/{feed_id}/dead-letters/replay", status_code=202, summary="Send all dead letters again")
async def post_replay_all(feed_id: ConnectorId, principal: Keeper, uow: Uow) -> Replayed:
    """Each record is sent as it is now: an older version would undo a newer one."""
    return Replayed(asked=await feeds.replay(uow, principal, feed_id, None))


@router.post("/feeds/{feed_id}/dead-letters/{letter_id}/replay", status_code=202, summary="Send one dead letter again")
async def post_replay(feed_id: ConnectorId, letter_id: int, principal: Keeper, uow: Uow) -> Replayed:
    return Replayed(asked=await feeds.replay(uow, principal, feed_id, letter_id))
