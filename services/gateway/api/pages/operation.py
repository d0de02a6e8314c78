"""One operation on the API page: what it is for, what it takes, what it answers, and a curl line to try."""

import json
from http import HTTPStatus
from typing import Any

from services.gateway.api.pages.markup import Markup, breakable, element, inline, joined, prose
from services.gateway.api.pages.outline import Outline
from services.gateway.api.pages.words import WORDS
from shared.errors import Language

Operation = dict[str, Any]
_JSON = "application/json"
_FASTAPIS_WORDS = "Successful Response"
_UPLOADS = ("multipart/form-data", "application/zip", "application/octet-stream")


def anchor_of(method: str, path: str) -> str:
    return f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}"


class OperationView:
    def __init__(self, outline: Outline, language: Language, public_url: str) -> None:
        self._outline = outline
        self._language: Language = language
        self._public_url = public_url

    def _word(self, name: str) -> str:
        return WORDS[name].of(self._language)

    def summary_of(self, operation: Operation) -> str:
        return self._own_language(operation, "summary")

    def _own_language(self, operation: Operation, member: str) -> str:
        vietnamese = operation.get(f"x-{member}-vi") if self._language == "vi" else None
        return str(vietnamese or operation.get(member, ""))

    def draw(self, method: str, path: str, operation: Operation) -> Markup:
        deprecated = (
            element("span", self._word("deprecated"), class_="deprecated") if operation.get("deprecated") else ""
        )
        head = element(
            "summary",
            element("span", method.upper(), class_=f"method {method}"),
            element("code", breakable(path), class_="path"),
            element("span", self.summary_of(operation), class_="summary"),
            deprecated,
        )
        return element(
            "details",
            head,
            element(
                "div",
                prose(self._own_language(operation, "description")),
                self._access(operation),
                self._parameters(operation),
                self._body(operation),
                self._answers(operation),
                element("h4", self._word("example")),
                element("pre", self.curl(method, path, operation)),
                class_="inside",
            ),
            id=anchor_of(method, path),
        )

    def _access(self, operation: Operation) -> Markup:
        requirements = operation.get("security", [])
        if not requirements:
            return element("p", element("span", self._word("public"), class_="chip open"), class_="access")
        if "basic" in requirements[0]:
            return element("p", element("span", self._word("basic"), class_="chip"), class_="access")
        scopes = requirements[0].get("oauth2", [])
        chips = [element("code", scope, class_="chip") for scope in scopes]
        label = self._word("scopes") if scopes else self._word("any_token")
        return element("p", element("span", label, class_="label"), " ", joined(*chips), class_="access")

    def _parameters(self, operation: Operation) -> Markup:
        parameters = [self._outline.resolve(parameter) for parameter in operation.get("parameters", [])]
        if not parameters:
            return Markup()
        rows = [
            element(
                "tr",
                element("td", element("code", parameter.get("name", ""), class_="name")),
                element("td", str(parameter.get("in", ""))),
                element("td", self._outline.type_of(parameter.get("schema", {}))),
                element("td", self._parameter_note(parameter)),
            )
            for parameter in parameters
        ]
        return joined(element("h4", self._word("parameters")), element("table", element("tbody", *rows)))

    def _parameter_note(self, parameter: Operation) -> Markup:
        required = element("span", self._word("required"), class_="required") if parameter.get("required") else ""
        return joined(required, " ", inline(self._outline.description_of(parameter)))

    def _body(self, operation: Operation) -> Markup:
        contents = self._outline.resolve(operation.get("requestBody", {})).get("content", {})
        if not contents:
            return Markup()
        parts = [
            joined(
                element("p", element("code", media_type), class_="media"),
                self._outline.draw(content.get("schema"), sent=True),
            )
            for media_type, content in contents.items()
        ]
        return joined(element("h4", self._word("body")), *parts)

    def _answers(self, operation: Operation) -> Markup:
        rows = [self._answer(status, answer) for status, answer in operation.get("responses", {}).items()]
        return joined(element("h4", self._word("answers")), element("div", *rows, class_="answers"))

    def _answer(self, status: str, raw: Any) -> Markup:
        answer = self._outline.resolve(raw)
        good = status.startswith("2")
        schema: Operation = next((content.get("schema", {}) for content in answer.get("content", {}).values()), {})
        described = self._outline.description_of(answer) or _phrase(status)
        if described == _FASTAPIS_WORDS:
            described = self._word("success")
        fields = self._outline.draw(schema, sent=False) if good else Markup()
        return element(
            "div",
            element("span", status, class_="status good" if good else "status bad"),
            " ",
            element("span", inline(described)),
            " ",
            element("span", self._outline.type_of(schema) if schema else "", class_="type"),
            fields,
            class_="answer",
        )

    def curl(self, method: str, path: str, operation: Operation) -> str:
        """A line that works after filling in `$TOKEN` and the names in braces."""
        requirements = operation.get("security", [])
        lines = [f"curl {_verb(method)}'{self._public_url}{path}'"]
        if requirements and "basic" in requirements[0]:
            lines.append('-u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials')
            return " \\\n  ".join(lines)
        if requirements:
            lines.append('-H "Authorization: Bearer $TOKEN"')
        if method == "post":
            lines.append('-H "Idempotency-Key: $(uuidgen)"')
        lines.extend(self._curl_body(operation))
        return " \\\n  ".join(lines)

    def _curl_body(self, operation: Operation) -> list[str]:
        contents = self._outline.resolve(operation.get("requestBody", {})).get("content", {})
        for media_type, content in contents.items():
            if media_type == _UPLOADS[0]:
                properties = self._outline.resolve(content.get("schema", {})).get("properties", {"file": {}})
                return [_form_part(name, self._outline.resolve(field)) for name, field in properties.items()]
            if media_type in _UPLOADS:
                return [f"-H 'Content-Type: {media_type}' --data-binary @package.zip"]
            if media_type == _JSON:
                return [f"--json '{json.dumps(self._sample(content.get('schema', {})), ensure_ascii=False)}'"]
        return []

    def _sample(self, schema: Any) -> Any:
        """The required fields of a body with placeholders."""
        resolved = self._outline.resolve(schema)
        required = resolved.get("required", [])
        properties = resolved.get("properties", {})
        return {name: _placeholder(self._outline.resolve(properties.get(name))) for name in required}


def _placeholder(schema: dict[str, Any]) -> Any:
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    return {"integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}.get(str(schema.get("type")), "…")


def _form_part(name: str, field: dict[str, Any]) -> str:
    binary = field.get("format") == "binary" or "contentMediaType" in field or name == "file"
    return f"-F '{name}=@file'" if binary else f"-F '{name}=…'"


def _verb(method: str) -> str:
    return "" if method in {"get", "post"} else f"-X {method.upper()} "


def _phrase(status: str) -> str:
    return HTTPStatus(int(status)).phrase if status.isdigit() else ""
