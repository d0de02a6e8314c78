"""Dependencies of an endpoint: who calls, and an open unit of work limited to what the caller may see.

The unit of work has `scope="function"`: FastAPI then runs its exit after the endpoint and the serialisation but before
the answer starts, so "commit before you answer" holds and a failed commit is an error and not a false 201.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from shared.auth import Principal
from shared.auth.tokens import TokenVerifier
from shared.db.scope import NOTHING, Scope
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import unauthenticated
from shared.failpoints import failpoint
from shared.http.idempotency import replay_or_claim

ScopeOf = Callable[[UnitOfWork, Principal], Awaitable[Scope]]


async def current_principal(request: Request) -> Principal:
    """The caller, from the bearer token. Raises `token.missing` or `token.invalid` (401)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated(
            "token.missing",
            vi="Thiếu mã truy cập. Gửi Authorization: Bearer <mã> lấy từ /oauth2/token.",
            en="No access token. Send Authorization: Bearer <token> from /oauth2/token.",
        )
    verifier: TokenVerifier = request.app.state.verifier
    return await verifier.verify(token.strip())


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


async def open_unit_of_work(request: Request, principal: CurrentPrincipal) -> AsyncIterator[UnitOfWork]:
    units: UnitsOfWork = request.app.state.units
    scope_of: ScopeOf = request.app.state.scope_of
    async with units.begin(NOTHING) as uow:
        await uow.enter(await scope_of(uow, principal))
        request.state.unit_of_work = uow
        await replay_or_claim(request, uow.session, principal)
        yield uow
    failpoint("http.committed")


Uow = Annotated[UnitOfWork, Depends(open_unit_of_work, scope="function")]
