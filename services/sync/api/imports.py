"""`/sync/v1/imports`: hand in a package, follow it, read what is wrong and what will change, commit it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.sync.api.deps import Importer, Lang, Reader, UploadedPackage, UploadFolder
from services.sync.api.diff_table import diff_table
from services.sync.api.schemas import (
    ChangeOut,
    CommitIn,
    ImportOut,
    ProblemCodeOut,
    ProblemCodes,
    ProblemOut,
    ProblemSummary,
)
from services.sync.domain.catalogue import CATALOGUE
from services.sync.usecases import class_diff, queries
from services.sync.usecases.hold_import import commit_import
from services.sync.usecases.receive_import import ImportOptions, receive_import
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["imports"])
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/zip": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
        },
    }
}


@router.post("/imports", status_code=202, openapi_extra=_BODY, summary="Hand in a package")
async def post_import(  # the upload is received and judged before the transaction opens
    principal: Importer,
    package: UploadedPackage,
    uow: Uow,
    uploads: UploadFolder,
    language: Lang,
    response: Response,
) -> ImportOut:
    """Hand in a OneRoster 1.1 or 1.2 CSV package. The answer is the receipt; follow `Location`."""
    options = ImportOptions(lenient=package.lenient, auto_commit=package.mode == "auto", dry_run=package.dry_run)
    row = await receive_import(uow, principal, uploads, package.received, package.inspection, options)
    view = await queries.get_import(uow, principal, row.id)
    response.headers["Location"] = f"/sync/v1/imports/{row.id}"
    set_etag(response, row.version)
    return ImportOut.of(view, language)


@router.get("/imports", summary="List imports, newest first")
async def get_imports(
    principal: Reader,
    uow: Uow,
    language: Lang,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    state: str | None = None,
) -> Page[ImportOut]:
    """Imports the caller may see, newest first."""
    key = decode_cursor(cursor, 1)
    views = await queries.list_imports(
        uow, principal, state=state, before=None if key is None else int(key[0]), limit=limit + 1
    )
    more = encode_cursor(views[limit - 1].row["receipt_number"]) if len(views) > limit else None
    return Page[ImportOut](items=[ImportOut.of(view, language) for view in views[:limit]], next=more)


@router.get("/imports/{import_id}", summary="One import, with counts per file")
async def get_import(import_id: UUID, principal: Reader, uow: Uow, language: Lang, response: Response) -> ImportOut:
    view = await queries.get_import(uow, principal, import_id)
    set_etag(response, view.row["version"])
    return ImportOut.of(view, language)


def _filters(**given: str | None) -> dict[str, str]:
    return {name: value for name, value in given.items() if value is not None}


Filter = Annotated[str | None, Query(max_length=255)]


@router.get("/imports/{import_id}/problems", summary="Everything that is wrong, row by row")
async def get_problems(
    import_id: UUID,
    principal: Reader,
    uow: Uow,
    language: Lang,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    file: Filter = None,
    code: Filter = None,
    severity: Filter = None,
) -> Page[ProblemOut]:
    """Every finding, in the order found; never only the first."""
    key = decode_cursor(cursor, 1)
    filters = _filters(file=file, code=code, severity=severity)
    rows = await queries.list_problems(
        uow, principal, import_id, filters, after=None if key is None else int(key[0]), limit=limit + 1
    )
    more = encode_cursor(rows[limit - 1]["position"]) if len(rows) > limit else None
    return Page[ProblemOut](items=[ProblemOut.of(row, language) for row in rows[:limit]], next=more)


@router.get("/imports/{import_id}/problems/summary", summary="What is wrong, counted")
async def get_problem_summary(
    import_id: UUID,
    principal: Reader,
    uow: Uow,
    language: Lang,
    file: Filter = None,
    code: Filter = None,
    severity: Filter = None,
) -> ProblemSummary:
    """Findings counted by code, file and field, commonest first."""
    rows = await queries.problem_summary(uow, principal, import_id, _filters(file=file, code=code, severity=severity))
    return ProblemSummary(items=[ProblemOut.of(row, language) for row in rows])


@router.get(
    "/imports/{import_id}/diff",
    summary="What a commit changes",
    response_model=Page[ChangeOut],
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def get_diff(  # the parameters are the query's
    request: Request,
    import_id: UUID,
    principal: Reader,
    uow: Uow,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    type: Filter = None,  # noqa: A002  # the parameter's public name
    action: Filter = None,
    school: Filter = None,
    class_: Annotated[str | None, Query(alias="class", max_length=255, description="A class's sourcedId.")] = None,
) -> Any:
    """What the import adds, changes (field by field) and ends, before and after it counts.

    With `class` only what concerns that class: itself, its enrollments, the records of its people, its line items,
    results, score scales and resources. A record that moves shows in the class it leaves and in the one it comes to.
    With `Accept: text/csv` the same page as a table, one line per changed field; `Link` then leads to the next page.
    """
    key = decode_cursor(cursor, 3)
    filters = _filters(type=type, action=action, school_sourced_id=school)
    after = None if key is None else [str(part) for part in key]
    if class_ is None:
        rows = await queries.list_changes(uow, principal, import_id, filters, after=after, limit=limit + 1)
    else:
        rows = await class_diff.list_changes_of_class(
            uow, principal, import_id, class_, filters, after=after, limit=limit + 1
        )
    last = rows[limit - 1] if len(rows) > limit else None
    more = last and encode_cursor(last["type"], last["school_sourced_id"], last["sourced_id"])
    if "text/csv" in request.headers.get("accept", ""):
        following = request.url.include_query_params(cursor=more)
        links = {"Link": f'<{following.path}?{following.query}>; rel="next"'} if more else {}
        return Response(diff_table(rows[:limit]), media_type="text/csv", headers=links)
    return Page[ChangeOut](items=[ChangeOut.of(row) for row in rows[:limit]], next=more)


@router.post("/imports/{import_id}/commit", status_code=202, summary="Commit, or release what is held")
async def post_commit(
    import_id: UUID,
    principal: Importer,
    uow: Uow,
    language: Lang,
    response: Response,
    body: CommitIn | None = None,
) -> ImportOut:
    """Commit what is ready. A held import needs the school's head or data officer, and a reason."""
    row = await commit_import(uow, principal, import_id, body.reason if body else None)
    await uow.session.flush()
    response.headers["Location"] = f"/sync/v1/imports/{row.id}"
    return ImportOut.of(await queries.get_import(uow, principal, import_id), language)


@router.get("/problem-codes", summary="All problem codes and repairs")
async def get_problem_codes(_principal: Reader, language: Lang) -> ProblemCodes:
    """Every published problem code."""
    return ProblemCodes(items=[ProblemCodeOut.of(entry, language) for entry in CATALOGUE.values()])
