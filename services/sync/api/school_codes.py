"""`POST /sync/v1/registry/schools`: the department's schools with their issued codes, from a file."""

from typing import Self

from fastapi import APIRouter
from pydantic import Field

from services.sync.api.deps import Lang
from services.sync.api.registry import BODY, MOST_PROBLEMS, Codes, Keeper, LineProblem
from services.sync.api.schemas import Shape
from services.sync.usecases.load_schools import LoadedSchools, load_schools
from shared.errors import Language
from shared.http.idempotency import IdempotentRoute
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["registry"])


class LoadedSchoolsOut(Shape):
    read: int
    added: int
    changed: int
    known: int = Field(description="Schools that were as the line says already.")
    refused: int
    problems: list[LineProblem] = Field(description="The first 500.")

    @classmethod
    def of(cls, loaded: LoadedSchools, language: Language) -> Self:
        problems = [
            LineProblem(line=each.line, code=each.code, message=each.text.of(language))
            for each in loaded.faults[:MOST_PROBLEMS]
        ]
        return cls(
            read=loaded.read,
            added=loaded.added,
            changed=loaded.changed,
            known=loaded.known,
            refused=len(loaded.faults),
            problems=problems,
        )


@router.post("/registry/schools", openapi_extra=BODY, summary="Load schools with their issued codes")
async def post_schools(principal: Keeper, codes: Codes, uow: Uow, language: Lang) -> LoadedSchoolsOut:
    """CSV or one JSON object a line: sourcedId, name, level, parentSourcedId; identifier, validFrom, validTo if known.

    The department only. A line creates a school of the org tree or corrects it; loading again changes nothing. A school
    that is in no file and was not put one by one does not exist for a package.
    """
    return LoadedSchoolsOut.of(await load_schools(uow, principal, codes.path, is_csv=codes.is_csv), language)
