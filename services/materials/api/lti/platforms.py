"""Which LMS may launch the library: for officers of the department."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from services.materials.api.deps import IfMatch
from services.materials.api.lti.login import Tool
from services.materials.api.routes import PREFIX
from services.materials.api.schemas import CLOSED, Shape, Words
from services.materials.domain.lti_registration import PlatformAddresses
from services.materials.storage.lti_tables import LtiPlatform
from services.materials.usecases import lti_platforms
from services.materials.usecases.lti_platforms import NewPlatform
from shared.errors import FieldError, Text, invalid
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import Cursor, Limit, Page, decode_id, encode_cursor
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix=f"{PREFIX}/lti", route_class=IdempotentRoute, tags=["lti"])
Address = Annotated[str, Field(min_length=8, max_length=2000)]
PlatformId = Annotated[UUID, Path(description="Id of the registration.")]
State = Literal["waiting", "accepted", "disabled"]


class PlatformIn(Shape):
    """An LMS as its administration shows it."""

    model_config = CLOSED

    name: Annotated[Words, Field(min_length=1, max_length=200)]
    issuer: Address
    client_id: Annotated[str, Field(min_length=1, max_length=255)]
    authorization_endpoint: Address
    jwks_uri: Address
    token_endpoint: Address | None = None
    deployments: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        default_factory=list, max_length=1000, description="Only these deployments; all of the client id without."
    )
    org_sourced_id: Annotated[str, Field(min_length=1, max_length=255)]


class AcceptIn(Shape):
    model_config = CLOSED

    org_sourced_id: str = Field(
        min_length=1, max_length=255, description="The school or unit the LMS stands for: it sees what its schools use."
    )


class PlatformOut(Shape):
    """An LMS that has registered; `waiting` until an officer accepts it."""

    id: UUID
    name: str
    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str | None
    jwks_uri: str
    deployments: list[str]
    org_sourced_id: str | None
    state: State
    registered_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None

    @classmethod
    def from_row(cls, row: LtiPlatform) -> "PlatformOut":
        return cls.model_validate(row, from_attributes=True)


class KeyOut(Shape):
    kid: str = Field(description="Id of the key that signs from now on, as in `/lti/jwks`.")


@router.get("/platforms", summary="LMS that have registered")
async def list_platforms(
    principal: CurrentPrincipal,
    uow: Uow,
    state: Annotated[State | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[PlatformOut]:
    """Newest first."""
    before = decode_id(cursor)
    rows, following = await lti_platforms.list_platforms(uow, principal, state, before=before, limit=limit)
    items = [PlatformOut.from_row(row) for row in rows]
    return Page(items=items, next=None if following is None else encode_cursor(str(following)))


@router.post("/platforms", status_code=201, summary="Register an LMS by hand")
async def add(body: PlatformIn, principal: CurrentPrincipal, uow: Uow, tool: Tool, response: Response) -> PlatformOut:
    """For an LMS without Dynamic Registration. It may launch at once."""
    _check_addresses(body, tool)
    addresses = PlatformAddresses(
        issuer=body.issuer,
        authorization_endpoint=body.authorization_endpoint,
        jwks_uri=body.jwks_uri,
        token_endpoint=body.token_endpoint,
        registration_endpoint=None,
        product="",
    )
    given = NewPlatform(body.name, addresses, body.client_id, tuple(body.deployments), body.org_sourced_id)
    row = await lti_platforms.add_platform(uow, principal, given)
    response.headers["Location"] = f"{PREFIX}/lti/platforms/{row.id}"
    return _shown(response, row)


@router.get("/platforms/{platform_id}", summary="One LMS")
async def read(platform_id: PlatformId, principal: CurrentPrincipal, uow: Uow, response: Response) -> PlatformOut:
    return _shown(response, await lti_platforms.read_platform(uow, principal, platform_id))


@router.post("/platforms/{platform_id}/accept", summary="Let an LMS launch the library")
async def accept(
    platform_id: PlatformId, body: AcceptIn, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> PlatformOut:
    """For a school or another unit. Accepting again moves it to another unit."""
    return _shown(response, await lti_platforms.accept(uow, principal, platform_id, body.org_sourced_id, check))


@router.post("/platforms/{platform_id}/disable", summary="Refuse the launches of an LMS")
async def disable(
    platform_id: PlatformId, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> PlatformOut:
    """Open pages end as well. It can be accepted again."""
    return _shown(response, await lti_platforms.disable(uow, principal, platform_id, check))


@router.post("/keys", status_code=201, summary="A new key for the library as a tool")
async def rotate(principal: CurrentPrincipal, uow: Uow, tool: Tool) -> KeyOut:
    """It signs from now on; the one before stays in `/lti/jwks` for 30 days."""
    return KeyOut(kid=await lti_platforms.rotate_key(uow, principal, tool.keys))


def _shown(response: Response, row: LtiPlatform) -> PlatformOut:
    set_etag(response, row.version)
    return PlatformOut.from_row(row)


def _check_addresses(body: PlatformIn, tool: Tool) -> None:
    """Raise `lti.address_refused` with every address we may not call or send anybody to."""
    given = {
        "issuer": body.issuer,
        "authorizationEndpoint": body.authorization_endpoint,
        "jwksUri": body.jwks_uri,
        "tokenEndpoint": body.token_endpoint,
    }
    faults = [
        FieldError(f"/{name}", "field.invalid", Text("Cần https, mạng công cộng.", "It takes https, a public network."))
        for name, address in given.items()
        if address is not None and not tool.may_call(address)
    ]
    if faults:
        raise invalid(
            "lti.address_refused",
            vi="Địa chỉ của LMS phải là https và ở mạng công cộng.",
            en="The addresses of the LMS must be https and in a public network.",
            errors=faults,
        )
