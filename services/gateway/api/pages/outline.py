"""A JSON Schema as an outline a person can read: name, type, what it means, and what lies inside."""

from typing import Any

from services.gateway.api.pages.markup import Markup, element, inline, joined
from services.gateway.api.pages.words import WORDS
from shared.errors import Language

Schema = dict[str, Any]
_DEPTH = 4


class Outline:
    """Draws schemas of one document. Nested objects are opened down to four levels, and never into themselves."""

    def __init__(self, document: dict[str, Any], language: Language) -> None:
        self._document = document
        self._language: Language = language

    def resolve(self, value: Any) -> Schema:
        """Follow `$ref`; a reference that leads nowhere is an empty schema."""
        seen = 0
        while isinstance(value, dict) and "$ref" in value and seen < _DEPTH:
            value, seen = self._target(str(value["$ref"])), seen + 1
        return value if isinstance(value, dict) else {}

    def _target(self, reference: str) -> Any:
        found: Any = self._document
        for step in reference.removeprefix("#/").split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        return found

    def type_of(self, value: Any) -> str:
        """`string (date-time)`, `array of ImportOut`, `string | null`, …"""
        schema = self.resolve(value)
        if options := schema.get("anyOf") or schema.get("oneOf"):
            return " | ".join(dict.fromkeys(self.type_of(option) for option in options))
        if "enum" in schema:
            return " | ".join(f"“{option}”" for option in schema["enum"])
        if "const" in schema:
            return f"“{schema['const']}”"
        kind = schema.get("type", "object" if "properties" in schema else "any")
        if kind == "array":
            return f"{self.type_of(schema.get('items', {}))}[]"
        if kind == "object":
            return str(schema.get("title") or "object")
        shown = " | ".join(kind) if isinstance(kind, list) else str(kind)
        return f"{shown} ({schema['format']})" if "format" in schema else shown

    def draw(self, value: Any, *, sent: bool, depth: int = 0, inside: tuple[str, ...] = ()) -> Markup:
        """The fields of an object (or of what an array holds), nested; nothing for plain values.

        Required fields are marked where the caller has to send them, `sent`; in an answer the mark says nothing.
        """
        schema = self._object_in(value)
        title = str(schema.get("title", ""))
        properties = schema.get("properties", {})
        if not properties or depth >= _DEPTH or (title and title in inside):
            return Markup()
        required = frozenset(schema.get("required", ()))
        rows = [
            self._field(
                name, field, required=sent and name in required, sent=sent, depth=depth, inside=(*inside, title)
            )
            for name, field in properties.items()
        ]
        return element("ul", *rows, class_="fields")

    def _field(
        self, name: str, field: Any, *, required: bool, sent: bool, depth: int, inside: tuple[str, ...]
    ) -> Markup:
        words = WORDS["required"].of(self._language)
        description = self.description_of(field)
        return element(
            "li",
            element("code", name, class_="name"),
            " ",
            element("span", self.type_of(field), class_="type"),
            joined(" ", element("span", words, class_="required")) if required else "",
            joined(" ", element("span", inline(description), class_="about")) if description else "",
            self.draw(field, sent=sent, depth=depth + 1, inside=inside),
        )

    def description_of(self, field: Any) -> str:
        own = field if isinstance(field, dict) else {}
        described = own if "description" in own else self.resolve(field)
        vietnamese = described.get("x-description-vi") if self._language == "vi" else None
        return str(vietnamese or described.get("description", ""))

    def _object_in(self, value: Any) -> Schema:
        schema = self.resolve(value)
        for _ in range(_DEPTH):
            options = [self.resolve(option) for option in schema.get("anyOf") or schema.get("oneOf") or ()]
            inner = [option for option in options if option.get("type") != "null"]
            if schema.get("type") == "array":
                schema = self.resolve(schema.get("items", {}))
            elif len(inner) == 1:
                schema = inner[0]
            else:
                break
        return schema
