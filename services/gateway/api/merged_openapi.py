"""One OpenAPI document out of several: pure functions over JSON.

Component names get their service's name in front (`sync.ImportOut`), so that two services may both have a `Page`.
"""

from collections.abc import Mapping
from typing import Any

from services.gateway.domain.scopes import SCOPES

Document = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_ONEROSTER = "/ims/oneroster"
_PREFIX = "#/components/"

_PROBLEM: Document = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` never changes with the language; `messages` holds both.",
    "required": ["type", "title", "status", "code", "messages"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "In the language of Accept-Language, Vietnamese by default."},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "messages": {
            "type": "object",
            "properties": {"vi": {"type": "string"}, "en": {"type": "string"}},
        },
        "hint": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901) to the faulty value."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "correlationId": {"type": "string", "description": "Tell it to the operator."},
    },
}
_STATUS_INFO: Document = {
    "type": "object",
    "title": "imsx_StatusInfo",
    "description": "The error of OneRoster 1.2.",
    "properties": {
        "imsx_codeMajor": {"type": "string"},
        "imsx_severity": {"type": "string"},
        "imsx_description": {"type": "string"},
        "imsx_CodeMinor": {"type": "object"},
    },
}


def merge(documents: Mapping[str, Document | None], *, public_url: str) -> Document:
    """Join the services' documents, by name and in their order; None stands for one that could not be had.

    Every path of every document is in the result. `x-unavailable` lists the services that are missing.
    """
    merged: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Liên Thông",
            "version": "1",
            "description": "One door to the synchronisation, material and reporting services.",
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": name, "description": _title(document)} for name, document in documents.items()],
        "paths": {},
        "components": {
            "schemas": {"Problem": _PROBLEM, "OneRosterStatusInfo": _STATUS_INFO},
            "securitySchemes": _security_schemes(public_url),
        },
        "x-unavailable": [name for name, document in documents.items() if document is None],
    }
    for name, document in documents.items():
        if document is not None:
            _add(merged, name, document)
    return merged


def _title(document: Document | None) -> str:
    return str((document or {}).get("info", {}).get("title", ""))


def _security_schemes(public_url: str) -> Document:
    flow = {
        "tokenUrl": f"{public_url}/oauth2/token",
        "scopes": {name: text.en for name, text in SCOPES.items()},
    }
    return {
        "oauth2": {"type": "oauth2", "flows": {"clientCredentials": flow}},
        "basic": {"type": "http", "scheme": "basic", "description": "Client id and secret, at the token endpoint."},
    }


def _add(merged: Document, name: str, document: Document) -> None:
    for kind, components in document.get("components", {}).items():
        if kind != "securitySchemes":
            home = merged["components"].setdefault(kind, {})
            home.update({f"{name}.{key}": _renamed(value, name) for key, value in components.items()})
    for path, item in document.get("paths", {}).items():
        joined = merged["paths"].setdefault(path, {})
        for key, value in _renamed(item, name).items():
            joined.setdefault(key, _operation(value, name, path) if key in METHODS else value)


def _renamed(value: Any, name: str) -> Any:
    """A copy with every reference to a component pointing to its new name."""
    if isinstance(value, dict):
        return {key: _renamed_member(key, member, name) for key, member in value.items()}
    if isinstance(value, list):
        return [_renamed(member, name) for member in value]
    return value


def _renamed_member(key: str, member: Any, name: str) -> Any:
    if key == "$ref" and isinstance(member, str):
        return _reference(member, name)
    if key == "mapping" and isinstance(member, dict):  # of a discriminator
        return {
            tag: _reference(target, name) if isinstance(target, str) else _renamed(target, name)
            for tag, target in member.items()
        }
    return _renamed(member, name)


def _reference(target: str, name: str) -> str:
    if not target.startswith(_PREFIX):
        return target
    kind, _, key = target.removeprefix(_PREFIX).partition("/")
    return f"{_PREFIX}{kind}/{name}.{key}"


def _operation(operation: Document, name: str, path: str) -> Document:
    """Its tag is its service, its id is unique, its security and its errors are what really happens."""
    changed = operation | {"tags": [name], "security": _security(operation, path)}
    if "operationId" in operation:
        changed["operationId"] = f"{name}_{operation['operationId']}"
    changed["responses"] = _responses(operation.get("responses", {}), path, secured=bool(changed["security"]))
    return changed


def _security(operation: Document, path: str) -> list[Document]:
    if "basic" in {scheme for requirement in operation.get("security", ()) for scheme in requirement}:
        return [{"basic": []}]
    if operation.get("security") == [] or path.startswith(("/oauth2/", "/.well-known/")):
        return []
    scopes = {scope for requirement in operation.get("security", ()) for some in requirement.values() for scope in some}
    return [{"oauth2": sorted(scopes)}]


def _responses(responses: Document, path: str, *, secured: bool) -> Document:
    """FastAPI describes a validation error of its own, which nobody here ever sends."""
    error = _error_response(path)
    answered = {status: answer for status, answer in responses.items() if not _is_fastapis_own(answer)}
    if len(answered) < len(responses):
        answered["422"] = error("Invalid input; `errors` lists every fault.", "Dữ liệu sai; `errors` liệt kê mọi lỗi.")
    if secured and not path.startswith(("/oauth2/", "/.well-known/")):
        answered.setdefault("401", error("No valid token.", "Thiếu mã truy cập hợp lệ."))
        answered.setdefault("default", error("Any other error.", "Lỗi khác."))
    return answered


def _is_fastapis_own(answer: Document) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).endswith(".HTTPValidationError")


def _error_response(path: str) -> Any:
    oneroster = path.startswith(_ONEROSTER)
    media_type, schema = (
        ("application/json", "OneRosterStatusInfo") if oneroster else ("application/problem+json", "Problem")
    )

    def response(description: str, vietnamese: str) -> Document:
        content = {media_type: {"schema": {"$ref": f"{_PREFIX}schemas/{schema}"}}}
        return {"description": description, "x-description-vi": vietnamese, "content": content}

    return response
