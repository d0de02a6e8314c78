"""The writing operations of the OneRoster 1.2 gradebook service: PUT, POST and DELETE of marks."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Request, Response
from pydantic import BaseModel

from services.sync.api.single_records import expected_of
from services.sync.domain.oneroster import NOUN_OF
from services.sync.domain.oneroster_assessment import ASSESSMENT_COLLECTIONS
from services.sync.domain.oneroster_gradebook import GRADEBOOK
from services.sync.usecases import write_gradebook
from shared.auth import Principal
from shared.http.idempotency import IdempotentRoute
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix=GRADEBOOK.base, route_class=IdempotentRoute, tags=["OneRoster 1.2 gradebook"])

Given = Annotated[dict[str, Any], Body()]
SourcedId = Annotated[str, Path(alias="sourcedId", max_length=255)]


class GuidPair(BaseModel):
    suppliedSourcedId: str  # noqa: N815  # the standard's name
    allocatedSourcedId: str  # noqa: N815  # the standard's name


class GuidPairSet(BaseModel):
    sourcedIdPairs: list[GuidPair]  # noqa: N815  # the standard's name


def _allowed(scope: str) -> Any:
    async def allowed(principal: CurrentPrincipal) -> Principal:
        principal.require_scope(*GRADEBOOK.scopes(scope))
        return principal

    return Depends(allowed)


Poster = Annotated[Principal, _allowed("gradebook.createpost")]


def _add(collection: str, service: str) -> None:
    noun = NOUN_OF[collection]
    title = noun[0].upper() + noun[1:]
    putter, deleter = _allowed(f"{service}.createput"), _allowed(f"{service}.delete")

    async def put(
        sourced_id: SourcedId, given: Given, uow: Uow, request: Request, principal: Principal = putter
    ) -> Response:
        await write_gradebook.put_object(uow, principal, collection, sourced_id, given, expected_of(request))
        return Response(status_code=201)

    async def delete(sourced_id: SourcedId, uow: Uow, request: Request, principal: Principal = deleter) -> None:
        await write_gradebook.delete_object(uow, principal, collection, sourced_id, expected_of(request))

    router.add_api_route(
        f"/{collection}/{{sourcedId}}",
        put,
        methods=["PUT"],
        status_code=201,
        operation_id=f"put{title}",
        name=f"put{title}",
        summary=f"Create or replace one of {collection}",
        description=f'The body is `{{"{noun}": {{…}}}}`; `status`, `dateLastModified`, `href`, `type` may be absent.',
    )
    router.add_api_route(
        f"/{collection}/{{sourcedId}}",
        delete,
        methods=["DELETE"],
        status_code=204,
        operation_id=f"delete{title}",
        name=f"delete{title}",
        summary=f"End one of {collection}",
        description="The record becomes `tobedeleted`, and what hangs on it with it.",
    )


for _collection in ("categories", "lineItems", "results", "scoreScales"):
    _add(_collection, "gradebook")
for _collection in ASSESSMENT_COLLECTIONS:
    _add(_collection, "assessment")


@router.post(
    "/classes/{classSourcedId}/lineItems",
    status_code=201,
    operation_id="postLineItemsForClass",
    summary="Add a set of line items to a class",
)
async def post_line_items_for_class(
    class_: Annotated[str, Path(alias="classSourcedId", max_length=255)], given: Given, principal: Poster, uow: Uow
) -> GuidPairSet:
    """All of them or none; ids are allocated here and answered as pairs."""
    pairs = await write_gradebook.post_line_items(uow, principal, given, parent=("classes", class_))
    return GuidPairSet(sourcedIdPairs=[GuidPair(**each) for each in pairs])


@router.post(
    "/schools/{schoolSourcedId}/lineItems",
    status_code=201,
    operation_id="postLineItemsForSchool",
    summary="Add a set of line items to a school",
)
async def post_line_items_for_school(
    school: Annotated[str, Path(alias="schoolSourcedId", max_length=255)], given: Given, principal: Poster, uow: Uow
) -> GuidPairSet:
    """All of them or none; ids are allocated here and answered as pairs."""
    pairs = await write_gradebook.post_line_items(uow, principal, given, parent=("schools", school))
    return GuidPairSet(sourcedIdPairs=[GuidPair(**each) for each in pairs])


@router.post(
    "/lineItems/{lineItemSourcedId}/results",
    status_code=201,
    operation_id="postResultsForLineItem",
    summary="Add a set of results to a line item",
)
async def post_results_for_line_item(
    line_item: Annotated[str, Path(alias="lineItemSourcedId", max_length=255)],
    given: Given,
    principal: Poster,
    uow: Uow,
) -> GuidPairSet:
    """All of them or none; ids are allocated here and answered as pairs."""
    pairs = await write_gradebook.post_results(uow, principal, given, line_item=line_item)
    return GuidPairSet(sourcedIdPairs=[GuidPair(**each) for each in pairs])


@router.post(
    "/classes/{classSourcedId}/academicSessions/{academicSessionSourcedId}/results",
    status_code=201,
    operation_id="postResultsForAcademicSessionForClass",
    summary="Add a set of results of a class in an academic session",
)
async def post_results_for_session(
    class_: Annotated[str, Path(alias="classSourcedId", max_length=255)],
    session: Annotated[str, Path(alias="academicSessionSourcedId", max_length=255)],
    given: Given,
    principal: Poster,
    uow: Uow,
) -> GuidPairSet:
    """All of them or none; the line items of the results are of that class and session."""
    pairs = await write_gradebook.post_results_of_session(uow, principal, given, class_=class_, session=session)
    return GuidPairSet(sourcedIdPairs=[GuidPair(**each) for each in pairs])
