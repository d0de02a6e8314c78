"""What a school prescribes about its own review: extra steps, group leads by subject, delegations of the head."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from services.materials.api.deps import IfMatch
from services.materials.api.review_schemas import DutyIn, DutyOut, PolicyIn, PolicyOut
from services.materials.api.routes import PREFIX
from services.materials.usecases import review_policy
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import Limit, Page
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix=f"{PREFIX}/schools/{{school}}", route_class=IdempotentRoute, tags=["procedure"])

School = Annotated[str, Path(max_length=255, description="sourcedId of the school.")]


@router.get("/review-policy", summary="The school's own procedure")
async def read_policy(school: School, principal: CurrentPrincipal, uow: Uow, response: Response) -> PolicyOut:
    """The steps the school added to those of Circular 09/2021 art. 7, and whether approval publishes at once."""
    policy, version = await review_policy.read_policy(uow, principal, school)
    set_etag(response, version)
    return PolicyOut.from_policy(policy)


@router.put("/review-policy", summary="Prescribe the school's own procedure")
async def set_policy(
    school: School, body: PolicyIn, principal: CurrentPrincipal, uow: Uow, check: IfMatch
) -> PolicyOut:
    """By the head. What is under review keeps the steps it was submitted with."""
    return PolicyOut.from_policy(await review_policy.set_policy(uow, principal, school, body.to_policy(), check))


@router.get("/duties", summary="Who leads which subject, who decides for the head")
async def list_duties(
    school: School,
    principal: CurrentPrincipal,
    uow: Uow,
    current: Annotated[bool, Query(description="Only duties that hold today.")] = True,  # noqa: FBT002
    limit: Limit = 200,
) -> Page[DutyOut]:
    """Newest first, with those that have ended when `current=false`."""
    rows = await review_policy.list_duties(uow, principal, school, current=current, limit=limit)
    return Page(items=[DutyOut.from_row(row) for row in rows], next=None)


@router.post("/duties", status_code=201, summary="Give a duty to a person")
async def appoint(school: School, body: DutyIn, principal: CurrentPrincipal, uow: Uow) -> DutyOut:
    """By the head: to lead a subject's group, to decide for the head until a day (KT.), to confirm a step.

    A group lead of whom nothing is written down leads every subject.
    """
    return DutyOut.from_row(await review_policy.appoint(uow, principal, school, body.to_appointment()))


@router.post("/duties/{duty_id}/end", summary="End a duty")
async def end_duty(school: School, duty_id: UUID, principal: CurrentPrincipal, uow: Uow) -> DutyOut:
    """By the head, from now on; what was decided by it stays."""
    return DutyOut.from_row(await review_policy.end_duty(uow, principal, school, duty_id))
