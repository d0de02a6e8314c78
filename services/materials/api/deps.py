"""What endpoints ask for, as annotated names."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request

from services.materials.api.upload import ReceivedMaterial, receive_file, receive_material
from services.materials.domain.catalogue import Grade, MaterialType
from services.materials.domain.repository import Repository
from services.materials.domain.review import State
from services.materials.storage.content import ContentStore
from services.materials.storage.materials import Filters
from services.materials.usecases.review_material import VersionCheck
from services.materials.usecases.take_in import ReceivedFile
from shared.db.scope import NOTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.http.etag import check_if_match
from shared.http.unit_of_work import CurrentPrincipal


def content_store(request: Request) -> ContentStore:
    store: ContentStore = request.app.state.content_store
    return store


Store = Annotated[ContentStore, Depends(content_store)]


async def open_for_everybody(request: Request) -> AsyncIterator[UnitOfWork]:
    """A unit of work of nobody: it sees no school's rows, and the shelf, of which the use cases show what is public."""
    units: UnitsOfWork = request.app.state.units
    async with units.begin(NOTHING) as uow:
        yield uow


PublicUow = Annotated[UnitOfWork, Depends(open_for_everybody, scope="function")]


def _repository(request: Request) -> Repository:
    found: Repository = request.app.state.repository
    return found


TheRepository = Annotated[Repository, Depends(_repository)]


async def received_material(request: Request, principal: CurrentPrincipal, store: Store) -> ReceivedMaterial:
    return await receive_material(request, principal, request.app.state.units, store)


Received = Annotated[ReceivedMaterial, Depends(received_material)]


MaterialId = Annotated[UUID, Path(description="Id of the material.")]


async def received_file(
    request: Request, material_id: MaterialId, principal: CurrentPrincipal, store: Store
) -> ReceivedFile:
    return await receive_file(request, principal, request.app.state.units, store, material_id)


OneMoreFile = Annotated[ReceivedFile, Depends(received_file)]


def if_match(request: Request) -> VersionCheck:
    """`If-Match` is optional: with it the action fails (412) when the material has changed since it was read."""
    return partial(check_if_match, request)


IfMatch = Annotated[VersionCheck, Depends(if_match)]
Position = Annotated[int, Path(ge=1, le=32767, description="`position` of the file.")]
Number = Annotated[
    int | None, Query(alias="version", ge=1, description="Number of a version; the one you are shown without it.")
]


def filters(
    school: Annotated[str | None, Query(max_length=255, description="sourcedId of a school.")] = None,
    state: Annotated[State | None, Query(description="State of the version you are shown.")] = None,
    subject: Annotated[str | None, Query(max_length=64, description="Subject code.")] = None,
    grade: Annotated[Grade | None, Query()] = None,
    type: Annotated[MaterialType | None, Query()] = None,  # noqa: A002  # the name in the API
    requirement: Annotated[str | None, Query(max_length=100, description="Code of a curriculum requirement.")] = None,
    author: Annotated[str | None, Query(max_length=255, description="Subject of the author's token.")] = None,
) -> Filters:
    return Filters(
        school=school,
        state=state,
        subject=subject,
        grade=grade,
        type=type,
        requirement=requirement,
        author=author,
    )


ListFilters = Annotated[Filters, Depends(filters)]
