"""Which schools a caller may see: the grants of the token, expanded over the org tree of today."""

import datetime as dt
from collections.abc import Iterable

from services.sync.domain.org_tree import ONEROSTER_TYPE, OrgKind
from services.sync.domain.staged import Registry
from services.sync.storage import orgs
from shared.auth import Principal
from shared.clock import VIETNAM
from shared.db.scope import EVERYTHING, NOTHING, Scope
from shared.db.unit_of_work import UnitOfWork


async def scope_of(uow: UnitOfWork, principal: Principal) -> Scope:
    """A grant on a department covers every school; on another unit, the schools below it today."""
    if not principal.orgs:
        return NOTHING
    if await orgs.covers_everything(uow.session, principal.orgs):
        return EVERYTHING
    return Scope.of(await orgs.schools_under(uow.session, principal.orgs, await today(uow)))


async def today(uow: UnitOfWork) -> dt.date:
    """The date in Vietnam now."""
    return (await uow.now()).astimezone(VIETNAM).date()


async def registry_for(uow: UnitOfWork, grants: Iterable[str]) -> tuple[Registry, list[str]]:
    """What an import with these grants may refer to, and the schools it may touch. A foreign school does not exist."""
    schools = await orgs.schools_under(uow.session, grants, await today(uow))
    types = {key: ONEROSTER_TYPE[OrgKind(kind)] for key, kind in (await orgs.registry_types(uow.session)).items()}
    return Registry(types | dict.fromkeys(schools, "school")), schools
