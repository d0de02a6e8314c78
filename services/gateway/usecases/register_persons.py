"""The operator's work on persons: which role someone holds at which unit."""

from services.gateway.domain.scopes import SCOPES_OF_ROLE
from services.gateway.storage import persons
from shared.db.unit_of_work import UnitOfWork
from shared.errors import invalid

MAX_SUBJECT_LENGTH = 255


async def add_person(uow: UnitOfWork, *, subject: str, org: str, role: str) -> bool:
    """Give a person a role at a unit; False when they hold it already.

    Raises `person.role_unknown` or `person.subject_invalid`.
    """
    if role not in SCOPES_OF_ROLE:
        raise invalid(
            "person.role_unknown",
            vi=f"Không có vai trò {role}. Các vai trò: {', '.join(SCOPES_OF_ROLE)}.",
            en=f"There is no role {role}. The roles are: {', '.join(SCOPES_OF_ROLE)}.",
        )
    if not subject or len(subject) > MAX_SUBJECT_LENGTH or not subject.isprintable():
        raise invalid(
            "person.subject_invalid",
            vi=f"Định danh người dùng dài 1 đến {MAX_SUBJECT_LENGTH} ký tự in được.",
            en=f"A subject has 1 to {MAX_SUBJECT_LENGTH} printable characters.",
        )
    return await persons.add_post(uow.session, subject, org, role)


async def remove_person(uow: UnitOfWork, *, subject: str, org: str, role: str) -> bool:
    """Take a role at a unit away; False when the person did not hold it."""
    return await persons.remove_post(uow.session, subject, org, role)
