"""What the shapes of pulls and feeds share: ids, addresses, outcomes in both languages."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from fastapi import Depends, Path, Request
from pydantic import Field

from services.sync.api.schemas import Shape
from services.sync.usecases.connectors import url_refused
from shared.auth import Principal
from shared.errors import Text
from shared.http.unit_of_work import CurrentPrincipal
from shared.outside import checked_url
from shared.secret_box import SecretBox

ConnectorId = Annotated[str, Path(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$")]
Url = Annotated[str, Field(min_length=8, max_length=1000, description="http or https, without a user or a fragment.")]


async def _keeper(principal: CurrentPrincipal) -> Principal:
    principal.require_scope("sync.orgs")
    return principal


Keeper = Annotated[Principal, Depends(_keeper)]


def _box(request: Request) -> SecretBox:
    box: SecretBox = request.app.state.box
    return box


Box = Annotated[SecretBox, Depends(_box)]


def check_url(request: Request, pointer: str, url: str) -> str:
    """Raises `connector.urlRefused`."""
    try:
        checked_url(url, allow_private=request.app.state.allow_private_addresses)
    except ValueError as failure:
        raise url_refused(pointer) from failure
    return url


class Messages(Shape):
    vi: str
    en: str


class Outcome(Shape):
    """What went wrong: a code that never changes with the language, both texts, and the exact place."""

    code: str
    messages: Messages
    place: dict[str, Any] = Field(
        description="`path`, `offset`, `status`, `expected`, `got`, as far as they are known."
    )

    @classmethod
    def of(cls, document: Mapping[str, Any] | None, texts: Mapping[str, Text]) -> Self | None:
        if document is None:
            return None
        said = texts[document["code"]]
        place = {name: value for name, value in document.items() if name != "code"}
        return cls(code=document["code"], messages=Messages(vi=said.vi, en=said.en), place=place)
