"""What a row of a package becomes: staged records with their outcome, counted per file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.sync.domain.records import RecordType

ACCEPTED, REFUSED, DROPPED = "accepted", "refused", "dropped"


@dataclass(frozen=True, slots=True)
class Registry:
    """What the caller may know of the org registry: OneRoster type by sourcedId; schools only where granted."""

    types: Mapping[str, str]

    def is_school(self, sourced_id: str) -> bool:
        return self.types.get(sourced_id) == "school"


@dataclass(frozen=True, slots=True)
class Staged:
    """One staged record. `school` is empty until the record's schools are known; `ended`: the package ends it."""

    record: RecordType
    line: int
    sourced_id: str
    outcome: str
    ended: bool = False
    school: str = ""
    values: tuple[Any, ...] = ()


@dataclass(slots=True)
class Tally:
    """Counts of a file. `nameless` rows were refused without a word of whose record they are."""

    read: int = 0
    refused: int = 0
    nameless: int = 0
    dropped: int = 0
    repaired: int = 0
