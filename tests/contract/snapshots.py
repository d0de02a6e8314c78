"""Contracts are snapshots, reviewed as diffs: `python -m tests.contract.snapshots` writes them anew.

    docs/openapi/<service>.json     the API of a service
    docs/events/<type>.json         JSON Schema of an event's data
    docs/events/asyncapi.yaml       all events, who sends and who receives them

An event's schema is not overwritten by one that breaks its readers: that one needs a new `.v2` beside the old.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.architecture.sources import REPOSITORY, SERVICES, name_of
from tests.contract.apis import openapi
from tests.contract.compatibility import breaking_changes
from tests.contract.events import asyncapi_text, event_types, schema_of

APIS = REPOSITORY / "docs" / "openapi"
EVENTS = REPOSITORY / "docs" / "events"


def as_text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def current(folder: Path) -> dict[Path, str]:
    """Each snapshot as the code says it now; `folder` is for files that building an application needs."""
    return (
        {APIS / f"{name}.json": as_text(openapi(name, folder)) for name in SERVICES}
        | {EVENTS / f"{kind}.json": as_text(schema_of(event)) for kind, event in event_types().items()}
        | {EVENTS / "asyncapi.yaml": asyncapi_text()}
    )


def kept() -> set[Path]:
    return {*APIS.glob("*.json"), *EVENTS.glob("*.json"), *EVENTS.glob("*.yaml")}


def refusals(documents: dict[Path, str]) -> list[str]:
    """Why some of `documents` may not replace what is kept."""
    found = []
    for path, text in documents.items():
        if path.parent == EVENTS and path.suffix == ".json" and path.exists():
            changes = breaking_changes(json.loads(path.read_text(encoding="utf-8")), json.loads(text))
            found += [f"{path.stem}: {change}" for change in changes]
    gone = [path for path in kept() - documents.keys() if path.parent == EVENTS]
    return found + [f"{path.stem}: the event is gone, but its events are still in outboxes" for path in gone]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        documents = current(Path(folder))
    if refused := refusals(documents):
        print(
            "These changes break readers of events; give the event a new version beside the old one:",
            *refused,
            sep="\n  ",
        )
        return 1
    for path, text in documents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name_of(path)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
