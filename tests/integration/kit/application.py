"""An application of the kit for the tests of its HTTP part."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, text

from shared.auth import Principal
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.errors import conflict
from shared.http.app import AppParts, create_app
from shared.http.etag import check_if_match, set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import CurrentPrincipal, Uow, open_unit_of_work
from shared.service import Runtime, build_runtime
from shared.settings import ServiceSettings
from tests.integration.kit.conftest import Thing, ThingCounted

UPLOAD_LIMIT = 100_000


class ThingIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=20)
    school: str
    count: int = 0


class ThingOut(BaseModel):
    name: str
    count: int


router = APIRouter(route_class=IdempotentRoute)


@router.post("/things", status_code=201)
async def make(body: ThingIn, uow: Uow) -> ThingOut:
    if body.name == "taken":
        raise conflict("thing.taken", vi="Tên đã có.", en="The name is taken.")
    uow.session.add(Thing(name=body.name, school_sourced_id=body.school, count=body.count))
    await uow.session.flush()
    await uow.emit(ThingCounted(name=body.name, count=body.count), aggregate=f"thing:{body.name}")
    return ThingOut(name=body.name, count=body.count)


@router.get("/things")
async def things(uow: Uow, limit: Limit = 2, cursor: Cursor = None) -> Page[ThingOut]:
    after = decode_cursor(cursor, 1)
    query = select(Thing).order_by(Thing.name).limit(limit + 1)
    rows = list((await uow.session.execute(query.where(Thing.name > after[0]) if after else query)).scalars())
    following = encode_cursor(rows[limit - 1].name) if len(rows) > limit else None
    return Page(items=[ThingOut(name=row.name, count=row.count) for row in rows[:limit]], next=following)


@router.put("/things/{name}")
async def count(name: str, body: ThingIn, request: Request, response: Response, uow: Uow) -> ThingOut:
    row = (await uow.session.execute(select(Thing).where(Thing.name == name).with_for_update())).scalar_one()
    check_if_match(request, row.count, required=True)
    row.count = body.count
    set_etag(response, row.count)
    return ThingOut(name=name, count=row.count)


# A constraint checked at commit: the one error that an endpoint cannot see.
_DEFERRED = text("INSERT INTO late (value) VALUES (1), (1)")


@router.post("/late", status_code=201)
async def late(uow: Uow) -> dict[str, str]:
    await uow.session.execute(_DEFERRED)
    return {"made": "yes"}


@router.post("/late-the-wrong-way", status_code=201)
async def late_wrong(uow: Annotated[UnitOfWork, Depends(open_unit_of_work, scope="request")]) -> dict[str, str]:
    await uow.session.execute(_DEFERRED)
    return {"made": "yes"}


@router.post("/upload")
async def upload(request: Request) -> dict[str, int]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return {"size": size}


@router.get("/crash")
async def crash(principal: CurrentPrincipal) -> None:
    raise KeyError(principal.subject)


async def scope_of(_uow: UnitOfWork, principal: Principal) -> Scope:
    return Scope.of(principal.orgs)


def application(settings: ServiceSettings, verifier, runtime: Runtime | None = None) -> FastAPI:
    parts = AppParts(
        title="Things",
        description="",
        routers=[router],
        scope_of=scope_of,
        body_limits={"/upload": UPLOAD_LIMIT},
        verifier=verifier,
    )
    return create_app(runtime or build_runtime("sync", settings, role="api"), parts)
