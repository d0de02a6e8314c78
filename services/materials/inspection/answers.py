"""What a child may answer. It has read a stranger's file, so its words are checked like a stranger's."""

from typing import Annotated, Any

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError

from services.materials.domain.file_types import BY_CODE
from services.materials.inspection.refusals import REFUSALS, refusal
from services.materials.inspection.report import (
    CONTENTS_LIMIT,
    LINE_LIMIT,
    PROBLEMS_LIMIT,
    TEXT_LIMIT,
    Inspection,
    Problem,
)
from shared.errors import AppError, Text

ANSWER_LIMIT = 8 * 1024 * 1024
_Line = Annotated[str, Field(max_length=LINE_LIMIT)]
_U64 = Annotated[int, Field(ge=-(2**63), lt=2**64)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Problem(_Strict):
    code: Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,60}$")]
    vi: _Line
    en: _Line
    place: _Line | None


class _Found(_Strict):
    kind: _Line
    title: _Line | None
    launch: _Line | None
    standard: _Line | None
    pages: Annotated[int, Field(ge=0, le=1_000_000_000)] | None
    text: Annotated[str, Field(max_length=TEXT_LIMIT)]
    contents: Annotated[list[_Line], Field(max_length=CONTENTS_LIMIT + 50)]
    problems: Annotated[list[_Problem], Field(max_length=PROBLEMS_LIMIT)]
    thumbnail: Annotated[Base64Bytes, Field(strict=False)] | None
    sketch: Annotated[list[_U64], Field(max_length=1000)]


class _Refused(_Strict):
    code: str
    details: Annotated[dict[_Line, _Line | int], Field(max_length=20)]


class Answer(_Strict):
    """Exactly one of them: what was found, why the file is refused, that it is too costly, how a reader stumbled."""

    found: _Found | None = None
    refused: _Refused | None = None
    costly: bool = False
    stumbled: _Line | None = None


def read(said: bytes) -> Answer | None:
    """The answer, None when it is none: of another shape, or with a code that is not ours."""
    try:
        answer = Answer.model_validate_json(said)
    except ValidationError:
        return None
    told = (answer.found is not None, answer.refused is not None, answer.costly, answer.stumbled is not None)
    if sum(told) != 1:
        return None
    if answer.found is not None and answer.found.kind not in BY_CODE:
        return None
    if answer.refused is not None and answer.refused.code not in REFUSALS:
        return None
    return answer


def refused(said: _Refused) -> AppError:
    """Our own words for the reason the child named."""
    details: dict[str, Any] = dict(said.details)
    return refusal(said.code, **details)


def found(said: _Found) -> Inspection:
    return Inspection(
        **said.model_dump(exclude={"problems", "thumbnail"}),
        thumbnail=said.thumbnail,
        problems=[Problem(each.code, Text(each.vi, each.en), each.place) for each in said.problems],
    )
