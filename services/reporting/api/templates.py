"""Templates: what a report asks for."""

from fastapi import APIRouter

from services.reporting.api.wire import READ, Out, TextOut, bad_cursor, problems
from services.reporting.domain.templates import Field, FieldType, Template
from services.reporting.usecases.queries import list_templates, show_template
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix="/reporting/v1", route_class=IdempotentRoute, tags=["templates"])


class FieldOut(Out):
    """`minimum` and `maximum` bound a count, or the number of texts; `prefill` names the source of the number."""

    name: str
    type: FieldType
    label: TextOut
    required: bool
    minimum: int
    maximum: int | None
    prefill: str | None

    @classmethod
    def of(cls, field: Field) -> "FieldOut":
        return cls(
            name=field.name,
            type=field.type,
            label=TextOut.of(field.label),
            required=field.required,
            minimum=field.minimum,
            maximum=field.maximum,
            prefill=field.prefill,
        )


class TemplateOut(Out):
    code: str
    version: int
    title: TextOut
    source: str
    fields: list[FieldOut]

    @classmethod
    def of(cls, template: Template) -> "TemplateOut":
        return cls(
            code=template.code,
            version=template.version,
            title=TextOut.of(template.title),
            source=template.source,
            fields=[FieldOut.of(field) for field in template.fields],
        )


@router.get("/templates", summary="List templates", responses=problems())
async def templates(
    principal: CurrentPrincipal, uow: Uow, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[TemplateOut]:
    principal.require_scope(READ)
    rows = await list_templates(uow, _key_of(cursor), limit + 1)
    following = encode_cursor(rows[limit - 1].code, rows[limit - 1].version) if len(rows) > limit else None
    return Page(items=[TemplateOut.of(row) for row in rows[:limit]], next=following)


@router.get("/templates/{code}/versions/{version}", summary="One version of a template", responses=problems(404))
async def template(code: str, version: int, principal: CurrentPrincipal, uow: Uow) -> TemplateOut:
    principal.require_scope(READ)
    return TemplateOut.of(await show_template(uow, code, version))


def _key_of(cursor: str | None) -> tuple[str, int] | None:
    key = decode_cursor(cursor, 2)
    if key is None:
        return None
    if not isinstance(key[0], str) or not isinstance(key[1], int):
        raise bad_cursor()
    return key[0], key[1]
