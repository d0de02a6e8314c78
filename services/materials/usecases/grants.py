"""What a caller's grants mean today: which schools, and which materials under review."""

from services.materials.domain.material import Reader
from services.materials.domain.review import REVIEWERS
from services.materials.storage import orgs, review
from shared.auth import Principal
from shared.db.scope import EVERYTHING, NOTHING, Scope
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, forbidden, not_found

READ = "materials.read"


async def scope_of(uow: UnitOfWork, principal: Principal) -> Scope:
    """The schools the caller may see: a department covers all, a school itself, other units the schools now below them.

    A grant on a unit that is not in the tree (yet) covers nothing.
    """
    kinds = await orgs.kinds_of(uow.session, principal.orgs)
    if not kinds:
        return NOTHING
    if "department" in kinds.values():
        return EVERYTHING
    schools = {unit for unit, kind in kinds.items() if kind == "school"}
    above = kinds.keys() - schools
    if above:
        schools |= await orgs.schools_below(uow.session, above, await orgs.today(uow.session))
    return Scope.of(schools)


async def reader_of(uow: UnitOfWork, principal: Principal) -> Reader:
    """What the caller may read, asked anew: the use case's half of isolation, beside the database's.

    Reviewers see what is under review at the schools they were named for, not below some unit above.
    """
    scope = await scope_of(uow, principal)
    return Reader(
        subject=principal.subject,
        schools=None if scope.everything else scope.schools,
        reviews_at=await _reviews_at(uow, principal),
    )


async def _reviews_at(uow: UnitOfWork, principal: Principal) -> frozenset[str]:
    """Where the caller reviews: by their role, by a duty, or because a step of the school's own is for their role."""
    if principal.kind != "user" or "materials.review" not in principal.scopes:
        return frozenset()
    if principal.has_role(*REVIEWERS):
        return principal.orgs
    today = await orgs.today(uow.session)
    return await review.schools_with_a_task(uow.session, principal.orgs, principal.subject, principal.roles, today)


def require_member(principal: Principal, school: str) -> None:
    """Raise `school.not_yours` (forbidden) unless the caller is a person of this very school."""
    if principal.kind != "user":
        raise forbidden(
            "person.required",
            vi="Việc này chỉ một người cụ thể mới được làm, không phải một hệ thống.",
            en="Only a person may do this, not a system.",
        )
    if school not in principal.orgs:
        raise forbidden(
            "school.not_yours",
            vi="Việc này chỉ người của chính trường đó mới được làm.",
            en="Only people of that school itself may do this.",
        )


def school_unknown() -> AppError:
    return not_found(
        "school.unknown",
        vi="Không có trường này trong danh mục, hoặc bạn không được cấp quyền xem.",
        en="There is no such school in the registry, or it was not granted to you.",
    )


def material_unknown() -> AppError:
    return not_found(
        "material.unknown",
        vi="Không có học liệu này, hoặc bạn không được xem.",
        en="There is no such material, or you may not see it.",
    )
