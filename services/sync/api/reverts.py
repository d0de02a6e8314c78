"""`/sync/v1/imports/{id}/revert`: undo the newest commit."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from services.sync.api.deps import Importer, Lang
from services.sync.api.schemas import Closed, ImportOut
from services.sync.usecases import queries
from services.sync.usecases.hold_import import LONGEST_REASON
from services.sync.usecases.revert_import import revert_import
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["imports"])


class RevertIn(Closed):
    reason: str = Field(max_length=LONGEST_REASON, description="Why; kept with the decisions of the new import.")


@router.post("/imports/{import_id}/revert", status_code=202, summary="Undo the newest commit")
async def post_revert(
    import_id: UUID, body: RevertIn, principal: Importer, uow: Uow, language: Lang, response: Response
) -> ImportOut:
    """A new import, with a receipt and a diff of its own, that writes the inverse. Only of a school's newest commit.

    A merge of people is undone by the department, at every school of it and at once.
    """
    row = await revert_import(uow, principal, import_id, body.reason)
    response.headers["Location"] = f"/sync/v1/imports/{row.id}"
    set_etag(response, row.version)
    return ImportOut.of(await queries.get_import(uow, principal, row.id), language)
