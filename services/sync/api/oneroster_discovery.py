"""Discovery: this provider's own OpenAPI documents, public, under the file names the standard expects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request

from services.sync.domain.oneroster import V1_2, Version
from services.sync.domain.oneroster_gradebook import GRADEBOOK, LISTS, RESOURCES
from services.sync.domain.oneroster_paths import OPERATIONS

discovery_router = APIRouter()
_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the standard; `operations` by path: the standard's name and the scopes that open it."""

    name: str
    version: Version
    file_names: tuple[str, str]
    about: str
    operations: Mapping[str, tuple[str, tuple[str, ...]]]


def _listed(version: Version) -> dict[str, tuple[str, tuple[str, ...]]]:
    found = {}
    for each in LISTS:
        if each.version is version:
            found[each.path] = (each.name, each.scopes)
            if not each.parents:
                found[each.single_path] = (each.single_name, each.scopes)
    return found


SERVICES = (
    Service(
        "rostering",
        V1_2,
        ("onerosterv1p2rostersservice_openapi3_v1p0.json", "imsorv1p2_rostering_openapi3_v1p0.json"),
        "Danh sách lớp và người học, đọc theo OneRoster 1.2. / Rosters, read as OneRoster 1.2 says.",
        {each.path: (each.name, each.scopes) for each in OPERATIONS},
    ),
    Service(
        "gradebook",
        GRADEBOOK,
        ("onerosterv1p2gradebookservice_openapi3_v1p0.json", "imsorv1p2_gradebook_openapi3_v1p0.json"),
        "Sổ điểm, đọc theo OneRoster 1.2. / The gradebook, read as OneRoster 1.2 says.",
        _listed(GRADEBOOK),
    ),
    Service(
        "resources",
        RESOURCES,
        ("onerosterv1p2resourcesservice_openapi3_v1p0.json", "imsorv1p2_resources_openapi3_v1p0.json"),
        "Học liệu của lớp, môn, người dùng, đọc theo OneRoster 1.2. / Resources, read as OneRoster 1.2 says.",
        _listed(RESOURCES),
    ),
)


def _document(service: Service) -> Callable[[Request], dict[str, Any]]:
    version = service.version

    def document(request: Request) -> dict[str, Any]:
        whole = request.app.openapi()
        public_url = request.app.state.runtime.settings.public_url.rstrip("/")
        scopes = sorted({scope for _, names in service.operations.values() for scope in version.scopes(*names)})
        paths = {}
        for path, (name, names) in service.operations.items():
            described = dict(whole["paths"][version.base + path]["get"])
            described["operationId"] = name
            described["responses"] = {code: each for code, each in described["responses"].items() if code != "422"}
            # Each of them is enough: alternatives, not one requirement with several scopes.
            described["security"] = [{"OAuth2Security": [scope]} for scope in version.scopes(*names)]
            paths[path] = {"get": described}
        flow = {
            "tokenUrl": f"{public_url}/oauth2/token",
            "scopes": {scope: scope.rpartition("/")[2] for scope in scopes},
        }
        return {
            "openapi": whole["openapi"],
            "info": {
                "title": f"Liên Thông: OneRoster 1.2 {service.name}",
                "description": service.about,
                "version": "1.2",
            },
            "servers": [{"url": public_url + version.base}],
            "paths": paths,
            "components": {
                "schemas": _named_in(paths, whole["components"]["schemas"]),
                "securitySchemes": {"OAuth2Security": {"type": "oauth2", "flows": {"clientCredentials": flow}}},
            },
        }

    return document


def _named_in(paths: Any, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The components the paths refer to, and those these refer to in turn."""
    found: dict[str, Any] = {}
    waiting = [paths]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
            name = str(each.get("$ref", "")).removeprefix(_REFERENCE)
            if name in schemas and name not in found:
                found[name] = schemas[name]
                waiting.append(schemas[name])
    return dict(sorted(found.items()))


for _service in SERVICES:
    for _name in _service.file_names:
        discovery_router.add_api_route(
            f"{_service.version.base}/discovery/{_name}",
            _document(_service),
            methods=["GET"],
            name=_name,
            operation_id=_name.removesuffix(".json"),
            summary="The provider's own OpenAPI document (public)",
            response_model=dict[str, Any],
            tags=[f"OneRoster 1.2 {_service.name}"],
        )
