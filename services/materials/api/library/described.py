"""Words about an item that several representations need."""

import datetime as dt
import re

from services.materials.domain.catalogue import TYPE_NAMES, MaterialType, subjects
from services.materials.domain.licences import licence_address
from services.materials.storage.shelf_tables import ShelfItem
from shared.clock import VIETNAM
from shared.errors import Text


def subject_codes(item: ShelfItem) -> list[str]:
    """The main subject first, each once."""
    return list(dict.fromkeys([item.subject, *item.other_subjects]))


def subject_name(code: str) -> Text:
    found = subjects().get(code)
    return found.name if found else Text(code, code)


def type_name(item: ShelfItem) -> Text:
    return TYPE_NAMES[MaterialType(item.type)]


def licence_url(item: ShelfItem) -> str | None:
    return licence_address(item.licence)


def duration(item: ShelfItem) -> str | None:
    """ISO 8601, e.g. `PT45M`."""
    if item.duration_seconds is None:
        return None
    minutes, seconds = divmod(item.duration_seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    return "PT" + ("".join(f"{number}{unit}" for number, unit in parts if number) or "0S")


def is_url(text: str) -> bool:
    return re.fullmatch(r"https?://\S+", text) is not None


def utc(instant: dt.datetime) -> str:
    """RFC 3339 to the second."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shared_on(item: ShelfItem) -> dt.date:
    """The day in Vietnam."""
    return item.shared_at.astimezone(VIETNAM).date()
