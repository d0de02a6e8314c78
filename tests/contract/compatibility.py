"""When may a schema of an event replace the one before it? Only when it adds optional fields, at any depth.

Both directions matter: events written yesterday are read by today's code (the outbox keeps them 90 days for replay),
and today's events are read by services that have not been upgraded yet. Anything else is a new `.v2` beside the `.v1`.
Texts (`title`, `description`, `examples`) may change freely.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TEXTS = {"title", "description", "examples", "$id", "$schema", "$defs"}
_COMPARED_DEEPLY = {"properties", "required", "items", "prefixItems", "anyOf", "oneOf", "allOf", "additionalProperties"}


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Each change that may only come as a new version, with its place; empty when `new` may replace `old`."""
    return list(_changes(old, new, "", old, new))


def _resolved(schema: Schema, document: Schema) -> Schema:
    """Follow a local reference; what stands beside it stays."""
    if "$ref" not in schema:
        return schema
    name = str(schema["$ref"]).removeprefix("#/$defs/")
    return {**document["$defs"][name], **{key: value for key, value in schema.items() if key != "$ref"}}


def _changes(old: Any, new: Any, at: str, old_document: Schema, new_document: Schema) -> Iterator[str]:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        if old != new:
            yield f"{at or '/'}: {old!r} became {new!r}"
        return
    old, new = _resolved(old, old_document), _resolved(new, new_document)
    yield from _keyword_changes(old, new, at)
    yield from _property_changes(old, new, at, old_document, new_document)
    for keyword in ("items", "additionalProperties"):
        yield from _changes(old.get(keyword), new.get(keyword), f"{at}/{keyword}", old_document, new_document)
    for keyword in ("prefixItems", "anyOf", "oneOf", "allOf"):
        before, after = old.get(keyword, []), new.get(keyword, [])
        if len(before) != len(after):
            yield f"{at}/{keyword}: {len(before)} alternatives became {len(after)}"
            continue
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from _changes(*pair, f"{at}/{keyword}/{index}", old_document, new_document)


def _keyword_changes(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for keyword in sorted((old.keys() | new.keys()) - _TEXTS - _COMPARED_DEEPLY):
        before, after = old.get(keyword), new.get(keyword)
        if keyword == "enum" and before is not None and after is not None:
            # Fewer values: old events become unreadable. More: services not yet upgraded cannot read the new ones.
            before, after = sorted(map(str, before)), sorted(map(str, after))
        if before != after:
            yield f"{at or '/'}: {keyword} {before!r} became {after!r}"


def _property_changes(old: Schema, new: Schema, at: str, old_document: Schema, new_document: Schema) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    required, now_required = set(old.get("required", ())), set(new.get("required", ()))
    for name, schema in before.items():
        place = f"{at}/{name}"
        if name not in after:
            yield f"{place}: removed"
            continue
        if (name in required) != (name in now_required):
            yield f"{place}: was {'required' if name in required else 'optional'}, and no longer is"
        yield from _changes(schema, after[name], place, old_document, new_document)
    for name in sorted(now_required - before.keys()):
        yield f"{at}/{name}: new and required"
