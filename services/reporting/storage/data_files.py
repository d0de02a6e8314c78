"""The data files that come with the service: templates and recipient rules."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "files"


@dataclass(frozen=True, slots=True)
class TemplateFile:
    document: dict[str, Any]
    sha256: bytes


def template_files() -> Iterator[TemplateFile]:
    """Every template version, oldest file name first. The hash is over the document, not over its white space."""
    for path in sorted(_FOLDER.glob("*.v*.json")):
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        yield TemplateFile(document, hashlib.sha256(canonical.encode()).digest())


def recipient_rules() -> list[dict[str, Any]]:
    rules = json.loads((_FOLDER / "recipients.json").read_text(encoding="utf-8"))
    return [
        {
            "level": rule["level"],
            "valid_from": dt.date.fromisoformat(rule["validFrom"]),
            "valid_to": rule["validTo"] and dt.date.fromisoformat(rule["validTo"]),
            "recipient_kind": rule["recipientKind"],
            "source": rule["source"],
        }
        for rule in rules
    ]
