import contextlib
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.gateway.conftest import StartGateway
from tests.integration.gateway.serving import served
from tests.integration.gateway.upstream import Upstream

PAGE_OF: dict[str, dict[str, Any]] = {
    "sync": {
        "/sync/v1/imports": {
            "post": {
                "operationId": "create",
                "summary": "Hand in a package",
                "x-summary-vi": "Nộp gói",
                "security": [{"oauth2": ["sync.import"]}],
                "parameters": [{"name": "mode", "in": "query", "schema": {"type": "string", "enum": ["auto"]}}],
                "requestBody": {"content": {"application/zip": {"schema": {"type": "string"}}}},
                "responses": {
                    "202": {
                        "description": "Taken",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}},
                    },
                    "422": {
                        "description": "Validation Error",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}
                        },
                    },
                },
            },
        },
        "/ims/oneroster/rostering/v1p2/schools/{sourcedId}": {"get": {"operationId": "one", "responses": {}}},
    },
    "materials": {"/materials/v1/materials": {"get": {"operationId": "create", "responses": {}}}},
    "reporting": {"/reporting/v1/campaigns": {"get": {"operationId": "create", "responses": {}}}},
}


@pytest.fixture(scope="module")
def three() -> Iterator[dict[str, Upstream]]:
    upstreams = {name: Upstream() for name in PAGE_OF}
    for name, upstream in upstreams.items():
        page = {
            "type": "object",
            "title": f"Page of {name}",
            "properties": {"own": {"$ref": "#/components/schemas/Own"}},
        }
        own = {"type": "object", "properties": {f"<{name}>": {"type": "string", "description": "a `b` <i>c</i>"}}}
        error = {"type": "object"}
        schemas = {"Page": page, "Own": own, "HTTPValidationError": error}
        upstream.openapi = {
            "openapi": "3.1.0",
            "info": {"title": name},
            "paths": PAGE_OF[name],
            "components": {"schemas": schemas},
        }
    with contextlib.ExitStack() as opened:
        for upstream in upstreams.values():
            upstream.url = opened.enter_context(served(upstream))
        yield upstreams


@pytest.fixture(scope="module")
def whole(start_gateway: StartGateway, three: dict[str, Upstream]) -> Iterator[httpx.Client]:
    urls = {f"{name}_url": upstream.url for name, upstream in three.items()}
    with start_gateway(**urls) as address, httpx.Client(base_url=address) as client:
        yield client


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def test_one_document_has_every_path_of_every_service_and_of_the_gateway(whole: httpx.Client):
    document = whole.get("/openapi.json").json()
    expected = {path for paths in PAGE_OF.values() for path in paths}
    assert expected <= document["paths"].keys()
    assert {"/oauth2/token", "/oauth2/jwks", "/.well-known/oauth-authorization-server"} <= document["paths"].keys()
    assert document["x-unavailable"] == []
    assert [tag["name"] for tag in document["tags"]] == ["gateway", "sync", "materials", "reporting"]


def test_no_reference_is_broken_and_no_name_collides(whole: httpx.Client):
    document = whole.get("/openapi.json").json()
    found = set(references(document))
    assert "#/components/schemas/sync.Page" in found
    for reference in found:
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
    titles = {name: document["components"]["schemas"][f"{name}.Page"]["title"] for name in PAGE_OF}
    assert titles == {name: f"Page of {name}" for name in PAGE_OF}
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))


def test_errors_and_security_are_described_as_they_happen(whole: httpx.Client):
    document = whole.get("/openapi.json").json()
    operation = document["paths"]["/sync/v1/imports"]["post"]
    assert operation["security"] == [{"oauth2": ["sync.import"]}]
    for status in ("401", "422", "default"):
        assert list(operation["responses"][status]["content"]) == ["application/problem+json"]
    oneroster = document["paths"]["/ims/oneroster/rostering/v1p2/schools/{sourcedId}"]["get"]
    schema = oneroster["responses"]["401"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/OneRosterStatusInfo"}
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "http://gateway.test/oauth2/token"
    assert "sync.import" in flow["scopes"]
    assert document["paths"]["/oauth2/token"]["post"]["security"] == [{"basic": []}]
    assert document["paths"]["/oauth2/jwks"]["get"]["security"] == []


def test_a_service_that_is_down_is_listed_as_missing_and_the_rest_is_there(
    start_gateway: StartGateway, three: dict[str, Upstream], nobody: str
):
    urls = {"sync_url": three["sync"].url, "materials_url": nobody, "reporting_url": three["reporting"].url}
    with start_gateway(**urls) as address, httpx.Client(base_url=address) as client:
        document = client.get("/openapi.json").json()
        assert document["x-unavailable"] == ["materials"]
        assert "/reporting/v1/campaigns" in document["paths"]
        page = client.get("/docs", headers={"Accept-Language": "en"})
        assert page.status_code == 200
        assert "does not answer right now" in page.text


@pytest.mark.parametrize(
    ("lang", "words"),
    [("vi", ("Nộp gói", "Câu trả lời", "Đồng bộ dữ liệu giáo dục")), ("en", ("Hand in a package", "Answers"))],
)
def test_the_page_shows_every_operation_in_both_languages(whole: httpx.Client, lang: str, words: tuple[str, ...]):
    page = whole.get("/docs", params={"lang": lang}).text
    for path in ("/sync/v1/imports", "/materials/v1/materials", "/reporting/v1/campaigns", "/oauth2/token"):
        assert f'<code class="path">{path}</code>' in page.replace("<wbr>", "")
    for word in (*words, "sync.import", "--data-binary @package.zip"):
        assert word in page
    assert f'<html lang="{lang}">' in page


def test_the_language_follows_the_browser_unless_it_is_chosen(whole: httpx.Client):
    english = {"Accept-Language": "en-GB,en;q=0.9"}
    assert whole.get("/docs").headers["content-language"] == "vi"
    assert whole.get("/docs", headers=english).headers["content-language"] == "en"
    assert whole.get("/docs?lang=vi", headers=english).headers["content-language"] == "vi"
    assert whole.get("/?lang=fr").status_code == 422


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_needs_nothing_from_elsewhere_and_may_run_nothing(whole: httpx.Client, path: str):
    page = whole.get(path)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in policy
    assert not re.search(r"<script|javascript:|\son\w+=|style=|@import", page.text)
    for address in re.findall(r'(?:src|href)="([^"]*)"', page.text):
        assert address.startswith(("/", "#"))
        if address.startswith("/") and not address.startswith("/readyz"):
            assert whole.get(address).status_code == 200
    assert "url(" not in whole.get("/docs/style.css").text


def test_what_a_service_writes_is_shown_and_never_run(whole: httpx.Client):
    page = whole.get("/docs?lang=en").text
    assert "<i>c</i>" not in page
    assert "&lt;i&gt;c&lt;/i&gt;" in page
    assert "a <code>b</code>" in page


def test_every_link_of_the_contents_leads_to_its_operation(whole: httpx.Client):
    page = whole.get("/docs").text
    targets = re.findall(r'href="#([^"]+)"', page)
    assert targets
    for target in targets:
        assert f'id="{target}"' in page
