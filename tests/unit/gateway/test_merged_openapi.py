from typing import Any

from services.gateway.api.merged_openapi import merge
from services.gateway.api.pages.operation import OperationView
from services.gateway.api.pages.outline import Outline
from services.gateway.api.pages.reference import reference_page

REFERENCE = {"$ref": "#/components/schemas/Node"}


def document(paths: dict[str, Any], **schemas: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "X"}, "paths": paths, "components": {"schemas": schemas}}


def test_references_are_renamed_wherever_they_stand():
    node: dict[str, Any] = {
        "type": "object",
        "properties": {"children": {"type": "array", "items": REFERENCE}, "mapping": {"anyOf": [REFERENCE]}},
        "discriminator": {"propertyName": "kind", "mapping": {"leaf": "#/components/schemas/Node"}},
    }
    merged = merge({"a": document({"/a": {"get": {"responses": {}}}}, Node=node)}, public_url="")
    renamed = merged["components"]["schemas"]["a.Node"]
    assert renamed["properties"]["children"]["items"] == {"$ref": "#/components/schemas/a.Node"}
    assert renamed["properties"]["mapping"]["anyOf"] == [{"$ref": "#/components/schemas/a.Node"}]
    assert renamed["discriminator"]["mapping"] == {"leaf": "#/components/schemas/a.Node"}
    assert node["discriminator"]["mapping"] == {"leaf": "#/components/schemas/Node"}, "the source was changed"


def test_two_services_on_one_path_keep_both_methods():
    merged = merge(
        {"a": document({"/x": {"get": {"responses": {}}}}), "b": document({"/x": {"post": {"responses": {}}}})},
        public_url="",
    )
    assert {method: item["tags"] for method, item in merged["paths"]["/x"].items()} == {"get": ["a"], "post": ["b"]}


def test_a_schema_that_holds_itself_is_drawn_once():
    node = {"type": "object", "title": "Node", "properties": {"name": {"type": "string"}, "child": REFERENCE}}
    outline = Outline(document({}, Node=node), "en")
    drawn = outline.draw(REFERENCE, sent=False)
    assert drawn.count(">name<") == 1


def test_a_reference_that_leads_nowhere_breaks_nothing():
    broken = {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/No"}}}}}}
    merged = merge({"a": document({"/x": {"get": broken}})}, public_url="http://x")
    assert "/x" in reference_page(merged, "vi", "http://x").replace("<wbr>", "")


def test_a_curl_line_holds_what_the_call_needs():
    view = OperationView(Outline({}, "en"), "en", "http://x")
    body = {"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string"}, "note": {}}}
    operation = {
        "security": [{"oauth2": []}],
        "requestBody": {"content": {"application/json": {"schema": body}}},
    }
    assert view.curl("post", "/a/{id}", operation) == (
        "curl 'http://x/a/{id}' \\\n"
        '  -H "Authorization: Bearer $TOKEN" \\\n'
        '  -H "Idempotency-Key: $(uuidgen)" \\\n'
        '  --json \'{"reason": "…"}\''
    )
    assert view.curl("delete", "/a", {"security": []}) == "curl -X DELETE 'http://x/a'"
