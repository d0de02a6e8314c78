"""Writing marks as a OneRoster gradebook service does: objects with their ids by PUT, sets without by POST."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.sync.domain.gradebook_records import BY_FILE, LINE_ITEM
from services.sync.domain.oneroster import NOUN_OF
from services.sync.storage import single
from services.sync.usecases.read_roster import unknown_record
from services.sync.usecases.scope import registry_for
from services.sync.usecases.write_record import Expected, delete_record, places_of, put_record
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, FieldError, Kind, Text
from shared.ids import new_id

MOST_AT_ONCE = 1000
# Categories, and assessments that name no class, name no school: they stand at every school of the caller.
_EVERYWHERE = frozenset({"categories", "assessmentLineItems"})


async def put_object(
    uow: UnitOfWork,
    principal: Principal,
    collection: str,
    sourced_id: str,
    body: Mapping[str, Any],
    expected: Expected,
) -> None:
    """`body` is `{"lineItem": {…}}`. Raises `record.invalid`, `precondition.failed`."""
    record, given = BY_FILE[collection], _object_in(body, NOUN_OF[collection])
    places: Sequence[str | None] = [None]
    if collection in _EVERYWHERE and not _reference(given, "class"):
        places = await places_of(uow, principal, record, sourced_id)
    for school in places:
        await put_record(uow, principal, record, sourced_id, given, school=school, expected=expected, lenient=True)


async def delete_object(
    uow: UnitOfWork, principal: Principal, collection: str, sourced_id: str, expected: Expected
) -> None:
    """Raises `roster.unknown`, `precondition.failed`."""
    record = BY_FILE[collection]
    places: Sequence[str | None] = [None]
    if collection in _EVERYWHERE:
        places = await single.schools_having(uow.session, record, sourced_id)
        if not places:
            raise unknown_record()
    for school in places:
        await delete_record(uow, principal, record, sourced_id, school=school, expected=expected)


async def post_line_items(
    uow: UnitOfWork, principal: Principal, body: Mapping[str, Any], *, parent: tuple[str, str]
) -> list[dict[str, str]]:
    """A set of line items of the class or school `parent`, (collection, id); all of them or none.

    Answers the pairs of supplied and allocated ids. Raises `record.invalid`, `roster.unknown` for the parent.
    """
    collection, sourced_id = parent
    member = {"classes": "class", "schools": "school"}[collection]
    if collection == "schools":
        known = (await registry_for(uow, principal.orgs))[1]
    else:
        known = [sourced_id] if await single.schools_having(uow.session, BY_FILE["classes"], sourced_id) else []
    if sourced_id not in known:
        raise unknown_record()
    return await _post(uow, principal, "lineItems", body, {member: sourced_id})


async def post_results(
    uow: UnitOfWork, principal: Principal, body: Mapping[str, Any], *, line_item: str
) -> list[dict[str, str]]:
    """A set of results of one line item; as `post_line_items`."""
    if not await single.schools_having(uow.session, LINE_ITEM, line_item):
        raise unknown_record()
    return await _post(uow, principal, "results", body, {"lineItem": line_item})


async def post_results_of_session(
    uow: UnitOfWork, principal: Principal, body: Mapping[str, Any], *, class_: str, session: str
) -> list[dict[str, str]]:
    """A set of results whose line items belong to the class and the academic session; as `post_line_items`."""
    if not await single.schools_having(uow.session, BY_FILE["classes"], class_):
        raise unknown_record()
    given = _set_in(body, "results")
    items = [_reference(each, "lineItem") for each in given]
    known = await single.line_items_of(uow.session, class_, session, [item for item in items if item])
    faults = [
        FieldError(f"/results/{index}/lineItem", "reference.unknown", _NOT_OF_SESSION)
        for index, item in enumerate(items)
        if item not in known
    ]
    if faults:
        raise _invalid(faults)
    return await _post(uow, principal, "results", body, {})


_NOT_OF_SESSION = Text(
    "Cột điểm này không thuộc lớp và kỳ học trong địa chỉ.", "The line item is not of this class and session."
)


async def _post(
    uow: UnitOfWork, principal: Principal, collection: str, body: Mapping[str, Any], parent: Mapping[str, str]
) -> list[dict[str, str]]:
    record, pairs, faults = BY_FILE[collection], [], []
    for index, given in enumerate(_set_in(body, collection)):
        for member, sourced_id in parent.items():
            if _reference(given, member) not in {None, sourced_id}:
                faults.append(FieldError(f"/{collection}/{index}/{member}", "reference.unknown", _NOT_THE_PARENT))
        allocated = str(new_id())
        filled = {name: value for name, value in given.items() if name != "sourcedId"}
        filled |= {member: {"sourcedId": sourced_id} for member, sourced_id in parent.items()}
        try:
            if not faults:
                await put_record(
                    uow, principal, record, allocated, filled, school=None, expected=Expected(), lenient=True
                )
        except AppError as refused:
            faults += [
                FieldError(f"/{collection}/{index}{each.pointer}", each.code, each.text) for each in refused.errors
            ]
        pairs.append({"suppliedSourcedId": str(given.get("sourcedId", "")), "allocatedSourcedId": allocated})
    if faults:
        raise _invalid(faults)
    return pairs


_NOT_THE_PARENT = Text("Tham chiếu khác với địa chỉ.", "The reference differs from the path.")


def _reference(given: Mapping[str, Any], member: str) -> str | None:
    found = given.get(member)
    return found.get("sourcedId") if isinstance(found, Mapping) else None


def _object_in(body: Mapping[str, Any], noun: str) -> Mapping[str, Any]:
    given = body.get(noun)
    if not isinstance(given, Mapping):
        said = Text(f'Nội dung phải có dạng {{"{noun}": {{…}}}}.', f'The body must be {{"{noun}": {{…}}}}.')
        raise _invalid([FieldError(f"/{noun}", "field.misshapen", said)])
    return given


def _set_in(body: Mapping[str, Any], collection: str) -> list[Mapping[str, Any]]:
    given = body.get(collection)
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        said = Text(f'Nội dung phải có dạng {{"{collection}": […]}}.', f'The body must be {{"{collection}": […]}}.')
        raise _invalid([FieldError(f"/{collection}", "field.misshapen", said)])
    if len(given) > MOST_AT_ONCE:
        said = Text(f"Mỗi lần gửi tối đa {MOST_AT_ONCE}.", f"At most {MOST_AT_ONCE} at a time.")
        raise _invalid([FieldError(f"/{collection}", "record.tooMany", said)])
    return given


def _invalid(faults: Sequence[FieldError]) -> AppError:
    return AppError(
        "record.invalid",
        Kind.INVALID,
        Text("Không ghi bản ghi nào. Xem errors.", "No record was written. See errors."),
        errors=list(faults),
    )
