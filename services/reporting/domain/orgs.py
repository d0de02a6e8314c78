"""The org tree as far as reporting needs it: who stands above whom for one school."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

Level = Literal["lower_secondary", "upper_secondary"]
LEVELS: tuple[Level, ...] = get_args(Level)


class OrgKind(StrEnum):
    DEPARTMENT = "department"
    DISTRICT_OFFICE = "district_office"
    COMMUNE = "commune"
    CLUSTER = "cluster"
    SCHOOL = "school"


# District offices (until 2025-06-30) and communes are never in force on the same day, so they may share a rank.
_RANK: Mapping[OrgKind, int] = {
    OrgKind.DEPARTMENT: 0,
    OrgKind.DISTRICT_OFFICE: 1,
    OrgKind.COMMUNE: 1,
    OrgKind.CLUSTER: 2,
    OrgKind.SCHOOL: 3,
}


@dataclass(frozen=True, slots=True)
class Unit:
    """An org unit. The comparisons are meant for units of one chain: a school and everything above it."""

    sourced_id: str
    kind: OrgKind

    def above(self, other: "Unit") -> bool:
        return _RANK[self.kind] < _RANK[other.kind]

    def at_or_above(self, other: "Unit") -> bool:
        return self == other or self.above(other)


# The roles that act for a unit above schools, and the kind of unit each acts for.
OFFICERS: Mapping[str, OrgKind] = {
    "department_officer": OrgKind.DEPARTMENT,
    "commune_officer": OrgKind.COMMUNE,
}
