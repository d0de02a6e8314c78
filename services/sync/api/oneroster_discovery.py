"""OpenAPI of the OneRoster provider: schemas from the field tables, and the localized document vendors discover.

The discovery document describes what this provider serves, under the file names the standard expects; it is public.
"""

from typing import Any

from fastapi import APIRouter, Request

from services.sync.domain.oneroster import COLLECTION_OF, NOUN_OF, V1_2, Field, Shape, Version
from services.sync.domain.oneroster_paths import OPERATIONS, Operation

DISCOVERY_NAMES = (
    "onerosterv1p2rostersservice_openapi3_v1p0.json",
    "imsorv1p2_rostering_openapi3_v1p0.json",
)
_TEXT = {"type": "string"}
_PLAIN: dict[Shape, dict[str, Any]] = {
    Shape.TEXT: _TEXT,
    Shape.DATE: {"type": "string", "format": "date"},
    Shape.INSTANT: {"type": "string", "format": "date-time"},
    Shape.BOOLEAN: {"type": "string", "enum": ["true", "false"]},
    Shape.TEXTS: {"type": "array", "items": _TEXT},
    Shape.ROLE_OF_1_1: _TEXT,
}


def _object(members: dict[str, dict[str, Any]], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": required, "additionalProperties": False}


def _link(target: str) -> dict[str, Any]:
    members = {"href": {"type": "string", "format": "uri"}, "sourcedId": _TEXT, "type": {"const": target}}
    return _object(members, ["href", "sourcedId", "type"])


_USER_ID = _object({"type": _TEXT, "identifier": _TEXT}, ["type", "identifier"])
_DATE = _PLAIN[Shape.DATE]
_ROLE = _object(
    {
        "roleType": {"type": "string", "enum": ["primary", "secondary"]},
        "role": _TEXT,
        "org": _link("org"),
        "beginDate": _DATE,
        "endDate": _DATE,
    },
    ["roleType", "role", "org"],
)


def _schema(field: Field) -> dict[str, Any]:
    if field.shape in _PLAIN:
        return _PLAIN[field.shape]
    if field.shape is Shape.REFERENCE:
        return _link(field.target)
    if field.shape is Shape.USER_IDS:
        return {"type": "array", "items": _USER_ID}
    return {"type": "array", "items": _ROLE if field.shape is Shape.ROLES else _link(field.target)}


def schema_of(version: Version, noun: str) -> dict[str, Any]:
    """JSON Schema of one record. Nothing is required: `fields` may leave out anything."""
    return _object({field.name: _schema(field) for field in version.objects[noun]}, [])


_STATUS = _object(
    {
        "imsx_codeMajor": _TEXT,
        "imsx_severity": _TEXT,
        "imsx_description": _TEXT,
        "imsx_CodeMinor": _object(
            {
                "imsx_codeMinorField": {
                    "type": "array",
                    "items": _object({"imsx_codeMinorFieldName": _TEXT, "imsx_codeMinorFieldValue": _TEXT}, []),
                }
            },
            [],
        ),
    },
    ["imsx_codeMajor", "imsx_severity"],
)
_STATUS_1_1 = _object(
    dict.fromkeys(("imsx_codeMajor", "imsx_severity", "imsx_codeMinor", "imsx_description"), _TEXT),
    ["imsx_codeMajor", "imsx_severity"],
)
_REFUSALS = {
    400: "A filter, field or value that does not exist",
    401: "No valid token",
    403: "The token lacks the scope",
    404: "Unknown, or of a school that was not granted",
}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def responses_of(version: Version, operation: Operation) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation, for OpenAPI."""
    noun = NOUN_OF[operation.collection]
    record = schema_of(version, noun)
    infos = {"statusInfoSet": {"type": "array", "items": _STATUS_1_1}}
    if operation.is_single:
        members, headers = {noun: record}, {}
    else:
        members = {COLLECTION_OF[noun]: {"type": "array", "items": record}}
        members |= infos if version.lenient else {}
        headers = {
            "X-Total-Count": {"description": "Records in the whole list", "schema": {"type": "integer"}},
            "Link": {"description": "Absolute URLs: next, prev, first, last", "schema": _TEXT},
        }
    refusal = _object(infos, ["statusInfoSet"]) if version.lenient else _STATUS
    success: dict[str, Any] = {
        "description": "What was asked for",
        "content": _json(_object(members, list(members)[:1])),
    }
    if headers:
        success["headers"] = headers
    refusals: dict[int | str, dict[str, Any]] = {
        code: {"description": text, "content": _json(refusal)} for code, text in _REFUSALS.items()
    }
    return {200: success, **refusals}


discovery_router = APIRouter(prefix=f"{V1_2.base}/discovery", tags=["OneRoster 1.2 rostering"])


def _document(request: Request) -> dict[str, Any]:
    """This provider's operations as a document of their own, relative to their base path."""
    whole = request.app.openapi()
    public_url = request.app.state.runtime.settings.public_url.rstrip("/")
    scopes = {scope: scope.rpartition("/")[2] for operation in OPERATIONS for scope in V1_2.scopes(*operation.scopes)}
    paths = {}
    for operation in OPERATIONS:
        described = dict(whole["paths"][V1_2.base + operation.path]["get"])
        described["operationId"] = operation.name
        described["responses"] = {code: each for code, each in described["responses"].items() if code != "422"}
        described["security"] = [{"OAuth2Security": [scope]} for scope in V1_2.scopes(*operation.scopes)]
        paths[operation.path] = {"get": described}
    flow = {"tokenUrl": f"{public_url}/oauth2/token", "scopes": scopes}
    return {
        "openapi": whole["openapi"],
        "info": {
            "title": "Liên Thông: OneRoster 1.2 rostering",
            "description": "Danh sách lớp và người học, đọc theo OneRoster 1.2. / Rosters, read as OneRoster 1.2 says.",
            "version": "1.2",
        },
        "servers": [{"url": public_url + V1_2.base}],
        "paths": paths,
        "components": {"securitySchemes": {"OAuth2Security": {"type": "oauth2", "flows": {"clientCredentials": flow}}}},
    }


for _name in DISCOVERY_NAMES:
    discovery_router.add_api_route(
        f"/{_name}",
        _document,
        methods=["GET"],
        name=_name,
        operation_id=_name.removesuffix(".json"),
        summary="The provider's own OpenAPI document (public)",
        response_model=dict[str, Any],
    )
