"""OpenAPI components of the OneRoster provider, from the field tables: they describe what PostgreSQL writes."""

# ruff: noqa: N815  # the names are the standard's

from decimal import Decimal
from functools import cache
from typing import Any, Literal

from pydantic import AnyUrl, AwareDatetime, BaseModel, ConfigDict, create_model

from services.sync.domain.oneroster import COLLECTION_OF, NOUN_OF, VERSIONS, Field, Shape, Version
from services.sync.domain.oneroster_gradebook import GRADEBOOK, RESOURCES
from services.sync.domain.oneroster_paths import Operation


class OneRosterReference(BaseModel):
    model_config = ConfigDict(extra="forbid")
    href: AnyUrl
    sourcedId: str
    type: str


class OneRosterUserId(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: str
    identifier: str


class OneRosterRole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    roleType: Literal["primary", "secondary"]
    role: str
    org: OneRosterReference
    beginDate: str | None = None
    endDate: str | None = None


class OneRosterCodeMinorField(BaseModel):
    imsx_codeMinorFieldName: str
    imsx_codeMinorFieldValue: str


class OneRosterCodeMinor(BaseModel):
    imsx_codeMinorField: list[OneRosterCodeMinorField]


class OneRosterStatus(BaseModel):
    """The status object of 1.2."""

    imsx_codeMajor: str
    imsx_severity: str
    imsx_description: str
    imsx_CodeMinor: OneRosterCodeMinor


class OneRoster11Status(BaseModel):
    imsx_codeMajor: str
    imsx_severity: str
    imsx_codeMinor: str
    imsx_description: str


class OneRoster11StatusSet(BaseModel):
    """The status object of 1.1."""

    statusInfoSet: list[OneRoster11Status]


_TYPES: dict[Shape, Any] = {
    Shape.TEXT: str,
    Shape.DATE: str,
    Shape.INSTANT: AwareDatetime,
    Shape.BOOLEAN: Literal["true", "false"],
    Shape.TEXTS: list[str],
    Shape.REFERENCE: OneRosterReference,
    Shape.REFERENCES: list[OneRosterReference],
    Shape.USER_IDS: list[OneRosterUserId],
    Shape.ROLES: list[OneRosterRole],
    Shape.ROLE_OF_1_1: str,
    Shape.ORGS_OF_1_1: list[OneRosterReference],
    Shape.NUMBER: Decimal,
    Shape.JSON: list[dict[str, Any]],
}
_BY_BASE = {version.base: version for version in (*VERSIONS, GRADEBOOK, RESOURCES)}
_REFUSALS = {
    400: "A filter, field or value that does not exist",
    401: "No valid token",
    403: "The token lacks the scope",
    404: "Unknown, or of a school that was not granted",
}


def _member(field: Field) -> tuple[Any, Any]:
    # Nothing is required in the description: `fields` may leave out anything.
    return (_TYPES[field.shape], None)


def _named(version: Version, noun: str) -> str:
    return f"OneRoster{'11' if version.lenient else ''}{noun[0].upper()}{noun[1:]}"


@cache
def _record(base: str, noun: str) -> type[BaseModel]:
    version = _BY_BASE[base]
    members: dict[str, Any] = {field.name: _member(field) for field in version.objects[noun]}
    return create_model(_named(version, noun), __config__=ConfigDict(extra="forbid"), **members)


@cache
def _answer(base: str, noun: str, *, is_single: bool) -> type[BaseModel]:
    version, record = _BY_BASE[base], _record(base, noun)
    if is_single:
        single: dict[str, Any] = {noun: (record, ...)}
        return create_model(f"{_named(version, noun)}Single", **single)
    members: dict[str, Any] = {COLLECTION_OF[noun]: (list[record], ...)}  # type: ignore[valid-type]  # made at run time
    if version.lenient:
        members["statusInfoSet"] = (list[OneRoster11Status] | None, None)
    return create_model(f"{_named(version, noun)}Set", **members)


def responses_of(version: Version, operation: Operation) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation, for OpenAPI."""
    noun = NOUN_OF[operation.collection]
    success: dict[str, Any] = {
        "description": "What was asked for",
        "model": _answer(version.base, noun, is_single=operation.is_single),
    }
    if not operation.is_single:
        success["headers"] = {
            "X-Total-Count": {"description": "Records in the whole list", "schema": {"type": "integer"}},
            "Link": {"description": "Absolute URLs: next, prev, first, last", "schema": {"type": "string"}},
        }
    refusal = OneRoster11StatusSet if version.lenient else OneRosterStatus
    refusals: dict[int | str, dict[str, Any]] = {
        code: {"description": words, "model": refusal} for code, words in _REFUSALS.items()
    }
    return {200: success, **refusals}
