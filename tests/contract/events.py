"""The events of the system as documents: a JSON Schema each, and one AsyncAPI 3.0 document for all of them."""

import importlib
import pkgutil
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

import shared.contracts
from shared.contracts.event import EventData
from shared.messaging.envelope import MEDIA_TYPE, Envelope, data_schema
from shared.service import Service
from tests.architecture.sources import SERVICES

_MODE: JsonSchemaMode = "serialization"


class _Plain(GenerateJsonSchema):
    """Without titles that only repeat the field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def event_types() -> dict[str, type[EventData]]:
    """Every event of `shared.contracts` by its type, in order; tests elsewhere declare events of their own."""
    for module in pkgutil.iter_modules(shared.contracts.__path__, "shared.contracts."):
        importlib.import_module(module.name)
    waiting, found = [EventData], {}
    while waiting:
        for event in waiting.pop().__subclasses__():
            waiting.append(event)
            if event.__module__.startswith("shared.contracts."):
                found[event.TYPE] = event
    return dict(sorted(found.items()))


def schema_of(event: type[EventData]) -> dict[str, Any]:
    schema = event.model_json_schema(by_alias=True, schema_generator=_Plain, mode=_MODE)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": data_schema(event.TYPE)}
    return head | schema


def services() -> dict[str, Service]:
    return {name: importlib.import_module(f"services.{name}.bootstrap").SERVICE for name in SERVICES}


def matches(subject: str, pattern: str) -> bool:
    """NATS subjects: `>` at the end stands for one or more tokens, `*` for one."""
    tokens, wanted = subject.split("."), pattern.split(".")
    if wanted[-1] == ">" and len(tokens) >= len(wanted):
        tokens, wanted = tokens[: len(wanted) - 1], wanted[:-1]
    return len(tokens) == len(wanted) and all(w in {"*", t} for t, w in zip(tokens, wanted, strict=True))


def consumers_of(event_type: str) -> list[tuple[str, str]]:
    """(service, durable) of each consumer whose filter lets the event through."""
    return [
        (name, consumer.spec.durable)
        for name, service in services().items()
        for consumer in service.consumers
        if any(matches(event_type, pattern) for pattern in consumer.spec.filter_subjects)
    ]


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of the whole system: a channel per event, who sends it, and every consumer that receives it."""
    events = event_types()
    operations: dict[str, Any] = {}
    for kind in events:
        sender = kind.split(".", maxsplit=1)[0]
        operations[f"{sender} sends {kind}"] = _operation("send", kind)
        for service, durable in consumers_of(kind):
            operations[f"{service} receives {kind} ({durable})"] = _operation("receive", kind)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Liên Thông: events",
            "version": "1",
            "description": "CloudEvents 1.0 (structured JSON) over NATS JetStream. The subject is the event's type. "
            "Written by `make snapshots`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": MEDIA_TYPE,
        "channels": {
            kind: {"address": kind, "messages": {kind: {"$ref": f"#/components/messages/{kind}"}}} for kind in events
        },
        "operations": operations,
        "components": {
            "messages": {kind: _message(event) for kind, event in events.items()},
            "schemas": {"envelope": _envelope()},
        },
    }


def _operation(action: str, kind: str) -> dict[str, Any]:
    channel = f"#/channels/{kind}"
    return {"action": action, "channel": {"$ref": channel}, "messages": [{"$ref": f"{channel}/messages/{kind}"}]}


def _message(event: type[EventData]) -> dict[str, Any]:
    return {
        "name": event.TYPE,
        "summary": (event.__doc__ or "").strip().split("\n", maxsplit=1)[0],
        "contentType": MEDIA_TYPE,
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {
                "allOf": [
                    {"$ref": "#/components/schemas/envelope"},
                    {"properties": {"type": {"const": event.TYPE}, "data": {"$ref": f"./{event.TYPE}.json"}}},
                ]
            },
        },
    }


def _envelope() -> dict[str, Any]:
    return Envelope.model_json_schema(by_alias=True, schema_generator=_Plain, mode=_MODE)


def asyncapi_text() -> str:
    return yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=120)
