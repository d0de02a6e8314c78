"""What the gateway's endpoints need, and how they get at it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from services.gateway.api.documents import Documents
from services.gateway.domain.attempts import Attempts
from services.gateway.usecases.issue_token import Issuer
from shared.db.scope import NOTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import Language
from shared.http.language import language_of


@dataclass(frozen=True, slots=True)
class Held:
    """Built once, kept on the application's state as `held`. `address_of` tells where a call comes from."""

    issuer: Issuer
    attempts: Attempts
    documents: Documents
    public_url: str
    address_of: Callable[[Scope], str]


def held(request: Request) -> Held:
    found: Held = request.app.state.held
    return found


def caller_address(request: Request) -> str:
    return held(request).address_of(request.scope)


async def anonymous_unit_of_work(request: Request) -> AsyncIterator[UnitOfWork]:
    """For the token endpoint, whose caller is not known yet. As with `Uow`, it commits before the answer starts."""
    units: UnitsOfWork = request.app.state.units
    async with units.begin(NOTHING) as uow:
        yield uow


def page_language(request: Request, lang: Language | None = None) -> Language:
    """`?lang=vi` or `?lang=en` on a page beats what the browser prefers."""
    return lang or language_of(request.headers.get("accept-language"))


HeldParts = Annotated[Held, Depends(held)]
CallerAddress = Annotated[str, Depends(caller_address)]
PageLanguage = Annotated[Language, Depends(page_language)]
