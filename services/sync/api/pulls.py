"""`/sync/v1/pulls`: OneRoster providers that are read on a schedule, and the runs that read them."""

import datetime as dt
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field, SecretStr
from sqlalchemy import RowMapping

from services.sync.api.connector_shapes import Box, ConnectorId, Keeper, Outcome, Url, check_url
from services.sync.api.schemas import Closed, Shape, SourcedId
from services.sync.domain.pull import PULL_TEXTS, RunKind, RunState, Schedule
from services.sync.storage.connector_tables import Pull
from services.sync.usecases import pulls
from services.sync.usecases.pulls import PullValues, PullView
from shared.http.etag import check_if_match, set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["pulls"])
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Time = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Time of day in Vietnam, `HH:MM`.")]


class PullSettings(Closed):
    """`runAt` every day, reading what changed; on `fullOn` everything, which also finds what a delta never tells."""

    client_id: Annotated[str, Field(min_length=1, max_length=200, description="The vendor whose imports these are.")]
    base_url: Annotated[Url, Field(description="Up to and with the version, e.g. `…/ims/oneroster/rostering/v1p2`.")]
    token_url: Url
    oauth_client_id: Annotated[str, Field(min_length=1, max_length=500)]
    oneroster_version: Literal["1.1", "1.2"] = "1.2"
    schools: list[SourcedId] = Field(min_length=1, max_length=5000)
    page_size: int = Field(default=1000, ge=10, le=10_000)
    run_at: Time = "01:30"
    full_on: Weekday = "sunday"
    auto_commit: bool = Field(default=True, description="Commit what the brake does not hold.")
    lenient: bool = Field(default=False, description="Repair the documented list of real-world dirt.")
    enabled: bool = True


class PullIn(PullSettings):
    oauth_client_secret: SecretStr | None = Field(
        default=None, min_length=1, max_length=2000, description="Never given back. Left out: the one before stays."
    )

    def values(self) -> PullValues:
        secret = self.oauth_client_secret
        return PullValues(
            client_id=self.client_id,
            base_url=self.base_url,
            token_url=self.token_url,
            oauth_client_id=self.oauth_client_id,
            secret=None if secret is None else secret.get_secret_value(),
            oneroster_version=self.oneroster_version,
            schools=tuple(self.schools),
            page_size=self.page_size,
            schedule=Schedule(dt.time.fromisoformat(self.run_at), WEEKDAYS.index(self.full_on)),
            auto_commit=self.auto_commit,
            lenient=self.lenient,
            enabled=self.enabled,
        )


class RunOut(Shape):
    """`imported`: a package was handed in, see the import; `unchanged`: there was nothing new."""

    id: int
    kind: RunKind
    state: RunState
    requested_by: str | None = Field(description="Null for a run of the schedule.")
    queued_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    since: dt.datetime | None = Field(description="A delta asked for records changed after this.")
    watermark: dt.datetime | None
    counts: dict[str, Any] = Field(description="`read` from the provider per list, `rows` handed in per file.")
    failure: Outcome | None
    import_id: UUID | None
    import_state: str | None

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        names = set(cls.model_fields) - {"id", "failure"}
        failure = Outcome.of(row["failure"], PULL_TEXTS)
        return cls(id=row["position"], failure=failure, **{name: row[name] for name in names})


class PullState(Shape):
    last_run: RunOut | None
    last_full: RunOut | None
    watermark: dt.datetime | None = Field(
        description="Of the last good run, whose import is committed; the next delta begins an hour before."
    )
    next_run_at: dt.datetime | None = Field(description="Null while disabled.")
    now: Literal["idle", "waiting", "running"]


class PullOut(PullSettings):
    id: str
    state: PullState
    version: int
    updated_by: str
    updated_at: dt.datetime

    @classmethod
    def of(cls, view: PullView) -> Self:
        pull = view.pull
        state = PullState(
            last_run=None if view.last is None else RunOut.of(view.last),
            last_full=None if view.full is None else RunOut.of(view.full),
            watermark=view.base,
            next_run_at=pull.next_run_at if pull.enabled else None,
            now="idle" if view.open_run is None else _now(view.open_run.state),
        )
        names = set(cls.model_fields) - {"state", "run_at", "full_on"}
        values = {name: getattr(pull, name) for name in names}
        return cls(**values, run_at=f"{pull.run_at:%H:%M}", full_on=WEEKDAYS[pull.full_on], state=state)


def _now(state: str) -> Literal["waiting", "running"]:
    return "running" if state == RunState.RUNNING else "waiting"


class RunIn(Closed):
    kind: RunKind


@router.get("/pulls", summary="The providers that are pulled")
async def get_pulls(principal: Keeper, uow: Uow, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[PullOut]:
    key = decode_cursor(cursor, 1)
    views = await pulls.list_pulls(uow, principal, "" if key is None else str(key[0]), limit + 1)
    more = encode_cursor(views[limit - 1].pull.id) if len(views) > limit else None
    return Page[PullOut](items=[PullOut.of(view) for view in views[:limit]], next=more)


async def _shown(uow: Uow, pull: Pull, response: Response) -> PullOut:
    set_etag(response, pull.version)
    return PullOut.of(await pulls.view_pull(uow, pull))


@router.get("/pulls/{pull_id}", summary="One provider: its settings, its last run, its next")
async def get_pull(pull_id: ConnectorId, principal: Keeper, uow: Uow, response: Response) -> PullOut:
    return await _shown(uow, await pulls.get_pull(uow, principal, pull_id), response)


@router.put("/pulls/{pull_id}", summary="Set up a provider to be pulled")
async def put_pull(
    pull_id: ConnectorId, body: PullIn, principal: Keeper, uow: Uow, box: Box, request: Request, response: Response
) -> PullOut:
    """The department only. The secret is written and never read back; a new token address needs it again."""
    check_url(request, "/baseUrl", body.base_url)
    check_url(request, "/tokenUrl", body.token_url)
    if request.headers.get("if-match") is not None:
        check_if_match(request, (await pulls.get_pull(uow, principal, pull_id)).version)
    pull, is_new = await pulls.put_pull(uow, principal, box, pull_id, body.values())
    response.status_code = 201 if is_new else 200
    return await _shown(uow, pull, response)


@router.delete("/pulls/{pull_id}", status_code=204, summary="Forget a provider")
async def delete_pull(pull_id: ConnectorId, principal: Keeper, uow: Uow) -> None:
    """Its runs go along, what was imported stays."""
    await pulls.delete_pull(uow, principal, pull_id)


@router.get("/pulls/{pull_id}/runs", summary="The runs of a provider, newest first")
async def get_runs(
    pull_id: ConnectorId, principal: Keeper, uow: Uow, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[RunOut]:
    key = decode_cursor(cursor, 1)
    rows = await pulls.list_runs(uow, principal, pull_id, None if key is None else int(key[0]), limit + 1)
    more = encode_cursor(rows[limit - 1]["position"]) if len(rows) > limit else None
    return Page[RunOut](items=[RunOut.of(row) for row in rows[:limit]], next=more)


@router.post("/pulls/{pull_id}/runs", status_code=202, summary="Pull now")
async def post_run(pull_id: ConnectorId, body: RunIn, principal: Keeper, uow: Uow) -> RunOut:
    """The worker takes it up within seconds."""
    return RunOut.of(await pulls.start_run(uow, principal, pull_id, body.kind))
