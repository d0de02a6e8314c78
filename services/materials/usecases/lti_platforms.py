"""The department decides which LMS may launch the library, and for which unit each stands."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.materials.domain.lti_registration import PlatformAddresses
from services.materials.storage import lti, orgs
from services.materials.storage.lti_tables import LtiPlatform
from services.materials.storage.tool_keys import ToolKeys
from services.materials.usecases.panel import is_department
from services.materials.usecases.review_material import VersionCheck
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, FieldError, Text, conflict, forbidden, invalid, not_found
from shared.ids import new_id

SCOPE = "materials.lti"
# How long a replaced key stays in the JWKS: longer than any platform keeps what it fetched.
KEY_DAYS = 30


@dataclass(frozen=True, slots=True)
class NewPlatform:
    """An LMS registered by hand: what its administrator reads off its pages."""

    name: str
    addresses: PlatformAddresses
    client_id: str
    deployments: tuple[str, ...]
    org: str


async def list_platforms(
    uow: UnitOfWork, who: Principal, state: str | None, *, before: UUID | None, limit: int
) -> tuple[Sequence[LtiPlatform], UUID | None]:
    """Newest first, and the key of the following page."""
    await _require_department(uow, who)
    found = await lti.page(uow.session, state, before=before, limit=limit + 1)
    shown = found[:limit]
    return shown, shown[-1].id if len(found) > limit else None


async def read_platform(uow: UnitOfWork, who: Principal, platform_id: UUID, *, lock: bool = False) -> LtiPlatform:
    """Raises `lti.platform_unknown`."""
    await _require_department(uow, who)
    row = await lti.platform(uow.session, platform_id, lock=lock)
    if row is None:
        raise not_found("lti.platform_unknown", vi="Không có LMS này.", en="There is no such LMS.")
    return row


async def add_platform(uow: UnitOfWork, who: Principal, given: NewPlatform) -> LtiPlatform:
    """Register an LMS by hand, accepted at once. Raises `lti.platform_exists`, `org.unknown`."""
    await _require_department(uow, who)
    await _require_org(uow, given.org)
    row = await store(uow, given.name, given.addresses, given.client_id, given.deployments)
    _decide(row, "accepted", who, await uow.now())
    row.org_sourced_id = given.org
    await uow.session.flush()
    return row


async def store(
    uow: UnitOfWork, name: str, addresses: PlatformAddresses, client_id: str, deployments: Sequence[str]
) -> LtiPlatform:
    """A registration that waits for the department. Raises `lti.platform_exists`: none is ever overwritten."""
    row = LtiPlatform(
        id=new_id(),
        issuer=addresses.issuer,
        client_id=client_id,
        name=name,
        authorization_endpoint=addresses.authorization_endpoint,
        token_endpoint=addresses.token_endpoint,
        jwks_uri=addresses.jwks_uri,
        deployments=list(deployments),
        state="waiting",
        registered_at=await uow.now(),
        version=1,
    )
    uow.session.add(row)
    try:
        await uow.session.flush()
    except IntegrityError as failure:
        raise conflict(
            "lti.platform_exists",
            vi="LMS với issuer và client_id này đã được đăng ký.",
            en="An LMS with this issuer and client_id is registered already.",
        ) from failure
    return row


async def accept(uow: UnitOfWork, who: Principal, platform_id: UUID, org: str, check: VersionCheck) -> LtiPlatform:
    """From now on the LMS sees what the city shares and what the schools of this unit use."""
    row = await read_platform(uow, who, platform_id, lock=True)
    check(row.version)
    await _require_org(uow, org)
    row.org_sourced_id = org
    return await _decided(uow, row, "accepted", who)


async def disable(uow: UnitOfWork, who: Principal, platform_id: UUID, check: VersionCheck) -> LtiPlatform:
    """Its launches are refused and its open pages end; it can be accepted again."""
    row = await read_platform(uow, who, platform_id, lock=True)
    check(row.version)
    return await _decided(uow, row, "disabled", who)


async def rotate_key(uow: UnitOfWork, who: Principal, keys: ToolKeys) -> str:
    """A new key signs from now on; the one before stays published for `KEY_DAYS`. The new key's id."""
    await _require_department(uow, who)
    return (await keys.add(uow.session, await uow.now())).kid


async def _decided(uow: UnitOfWork, row: LtiPlatform, state: str, who: Principal) -> LtiPlatform:
    _decide(row, state, who, await uow.now())
    row.version += 1
    await uow.session.flush()
    return row


def _decide(row: LtiPlatform, state: str, who: Principal, now: dt.datetime) -> None:
    row.state, row.decided_by, row.decided_at = state, who.subject, now


async def _require_department(uow: UnitOfWork, who: Principal) -> None:
    who.require_scope(SCOPE)
    if not await is_department(uow, who):
        raise forbidden(
            "lti.department_only",
            vi="Chỉ cán bộ của Sở được quản lý các LMS.",
            en="Only officers of the department manage the LMS.",
        )


async def _require_org(uow: UnitOfWork, org: str) -> None:
    if not await orgs.kinds_of(uow.session, {org}):
        raise _org_unknown()


def _org_unknown() -> AppError:
    fault = FieldError("/orgSourcedId", "org.unknown", Text("Không có đơn vị này.", "There is no such unit."))
    return invalid("org.unknown", vi="Không có đơn vị này.", en="There is no such unit.", errors=[fault])
