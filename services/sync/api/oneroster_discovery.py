"""Discovery: this provider's own OpenAPI document, public, under the file names the standard expects."""

from typing import Any

from fastapi import APIRouter, Request

from services.sync.domain.oneroster import V1_2
from services.sync.domain.oneroster_paths import OPERATIONS

DISCOVERY_NAMES = (
    "onerosterv1p2rostersservice_openapi3_v1p0.json",
    "imsorv1p2_rostering_openapi3_v1p0.json",
)
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
        "components": {
            "schemas": {name: each for name, each in whole["components"]["schemas"].items() if _is_named_here(name)},
            "securitySchemes": {"OAuth2Security": {"type": "oauth2", "flows": {"clientCredentials": flow}}},
        },
    }


def _is_named_here(component: str) -> bool:
    return component.startswith("OneRoster") and not component.startswith("OneRoster11")


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
