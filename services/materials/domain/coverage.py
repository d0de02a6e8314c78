"""How far the library covers the curriculum: shares of what is needed, and the dated targets of the roadmap."""

import datetime as dt
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Standing:
    """A target on a day. `met` is None where nobody said what is needed; `days_late` counts days after `due`."""

    due: dt.date
    met: bool | None
    days_late: int


@functools.cache
def roadmap() -> Mapping[str, dt.date]:
    """The last day of each grade's target, inclusive (letter 1950/SGDĐT-GDTrH)."""
    document = json.loads(Path(__file__).with_name("coverage_roadmap.json").read_text(encoding="utf-8"))
    return {grade: dt.date.fromisoformat(t["due"]) for t in document["targets"] for grade in t["grades"]}


def share_of(approved: int, needed: int | None) -> Decimal | None:
    """The covered part, at most 1; None where no need was set, for a share is never invented."""
    if needed is None or needed <= 0:
        return None
    return min(Decimal(1), Decimal(approved) / Decimal(needed))


def missing_of(approved: int, needed: int | None) -> int | None:
    """How many items are still to be approved; None where no need was set."""
    return None if needed is None else max(0, needed - approved)


def standing(due: dt.date, on: dt.date, *, approved: int, needed: int | None) -> Standing:
    """Whether the target holds on that day, and how late it is if it does not: on the day itself it is not late."""
    missing = missing_of(approved, needed)
    late = max(0, (on - due).days) if missing else 0
    return Standing(due, None if missing is None else missing == 0, late)
