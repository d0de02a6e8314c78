"""What pulls and feeds have in common: who may set them up, which schools they may name."""

from collections.abc import Sequence

from services.sync.storage import orgs
from services.sync.usecases.scope import today
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, FieldError, Text, forbidden, invalid


async def require_department(uow: UnitOfWork, principal: Principal) -> None:
    """Raises `connector.notDepartment`, or `role.missing` for a person who is no officer of it."""
    if principal.kind == "user":
        principal.require_role("department_officer")
    if not await orgs.covers_everything(uow.session, principal.orgs):
        raise forbidden(
            "connector.notDepartment",
            vi="Chỉ Sở được đặt và xem các kết nối.",
            en="Only the department sets up connectors and sees them.",
        )


async def require_schools(uow: UnitOfWork, schools: Sequence[str]) -> None:
    """Raises `connector.schoolUnknown` with each id that is no school of today."""
    known = set(await orgs.schools_under(uow.session, schools, await today(uow)))
    unknown = [(number, school) for number, school in enumerate(schools) if school not in known]
    if unknown:
        said = Text("Không có trường này trong danh bạ.", "The registry has no such school.")
        raise invalid(
            "connector.schoolUnknown",
            vi=said.vi,
            en=said.en,
            errors=[FieldError(f"/schools/{number}", "connector.schoolUnknown", said) for number, _ in unknown],
        )


def secret_needed(pointer: str) -> AppError:
    said = Text(
        "Hãy gửi mật khẩu: kết nối mới, hoặc địa chỉ nhận mật khẩu đã đổi.",
        "Send the secret: the connector is new, or what the secret is sent to has changed.",
    )
    return invalid(
        "connector.secretNeeded",
        vi=said.vi,
        en=said.en,
        errors=[FieldError(pointer, "connector.secretNeeded", said)],
    )


def url_refused(pointer: str) -> AppError:
    """An address a connector may not be given."""
    said = Text(
        "Chỉ nhận http hoặc https, không kèm tên đăng nhập, không trỏ vào mạng nội bộ.",
        "http or https only, without a user, and not into a private network.",
    )
    errors = [FieldError(pointer, "connector.urlRefused", said)]
    return invalid("connector.urlRefused", vi=said.vi, en=said.en, errors=errors)
