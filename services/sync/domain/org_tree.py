"""The org tree: kinds, who may stand under whom, and validity in time (both ends inclusive, None is open)."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import AppError, FieldError, Text, invalid


class OrgKind(StrEnum):
    DEPARTMENT = "department"
    DISTRICT_OFFICE = "district_office"
    COMMUNE = "commune"
    CLUSTER = "cluster"
    SCHOOL = "school"


# The word OneRoster uses for each kind. A cluster is a professional grouping the standard has no word for.
ONEROSTER_TYPE: Mapping[OrgKind, str] = {
    OrgKind.DEPARTMENT: "department",
    OrgKind.DISTRICT_OFFICE: "district",
    OrgKind.COMMUNE: "local",
    OrgKind.CLUSTER: "ext:cluster",
    OrgKind.SCHOOL: "school",
}
_PARENTS: Mapping[OrgKind, frozenset[OrgKind]] = {
    OrgKind.DEPARTMENT: frozenset(),
    OrgKind.DISTRICT_OFFICE: frozenset({OrgKind.DEPARTMENT}),
    OrgKind.COMMUNE: frozenset({OrgKind.DEPARTMENT}),
    OrgKind.CLUSTER: frozenset({OrgKind.DEPARTMENT}),
    OrgKind.SCHOOL: frozenset({OrgKind.DEPARTMENT, OrgKind.DISTRICT_OFFICE, OrgKind.COMMUNE, OrgKind.CLUSTER}),
}


@dataclass(frozen=True, slots=True)
class Validity:
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def covers(self, day: dt.date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)

    def overlaps(self, other: "Validity") -> bool:
        starts_late = self.valid_from is not None and other.valid_to is not None and other.valid_to < self.valid_from
        ends_early = self.valid_to is not None and other.valid_from is not None and self.valid_to < other.valid_from
        return not (starts_late or ends_early)

    @property
    def is_reversed(self) -> bool:
        return self.valid_from is not None and self.valid_to is not None and self.valid_to < self.valid_from


@dataclass(frozen=True, slots=True)
class ParentEdge:
    sourced_id: str
    validity: Validity


def check_org(
    kind: OrgKind,
    level: str | None,
    validity: Validity,
    parents: Sequence[ParentEdge],
    kinds: Mapping[str, OrgKind],
) -> None:
    """Raise `org.invalid` with every fault. `kinds` gives the kind of each parent the registry knows.

    A unit has at most one administrative parent at a time; clusters are professional groupings beside it.
    """
    faults = []
    if (kind is OrgKind.SCHOOL) != (level is not None):
        faults.append(
            _fault("/level", "org.level", "Chỉ trường học có cấp học.", "Schools, and only schools, have a level.")
        )
    if validity.is_reversed:
        faults.append(
            _fault("/validTo", "dates.reversed", "Ngày kết thúc trước ngày bắt đầu.", "It ends before it begins.")
        )
    for index, edge in enumerate(parents):
        faults += _edge_faults(index, kind, edge, kinds.get(edge.sourced_id))
    administrative = [edge for edge in parents if kinds.get(edge.sourced_id) is not OrgKind.CLUSTER]
    for index, edge in enumerate(administrative):
        if any(edge.validity.overlaps(other.validity) for other in administrative[index + 1 :]):
            faults.append(
                _fault(
                    "/parents",
                    "org.parentsOverlap",
                    "Mỗi lúc chỉ có một đơn vị quản lý trực tiếp.",
                    "There is one administrative parent at a time.",
                )
            )
    if faults:
        raise _invalid(faults)


def _edge_faults(index: int, kind: OrgKind, edge: ParentEdge, parent: OrgKind | None) -> list[FieldError]:
    pointer = f"/parents/{index}"
    faults = []
    if parent is None:
        faults.append(
            _fault(
                f"{pointer}/sourcedId", "org.unknown", "Đơn vị cấp trên chưa có trong danh bạ.", "Unknown parent org."
            )
        )
    elif parent not in _PARENTS[kind]:
        faults.append(
            _fault(
                f"{pointer}/sourcedId",
                "org.parentKind",
                f"{kind.value} không thể trực thuộc {parent.value}.",
                f"A {kind.value} cannot stand under a {parent.value}.",
            )
        )
    if edge.validity.is_reversed:
        faults.append(
            _fault(
                f"{pointer}/validTo", "dates.reversed", "Ngày kết thúc trước ngày bắt đầu.", "It ends before it begins."
            )
        )
    return faults


def _fault(pointer: str, code: str, vi: str, en: str) -> FieldError:
    return FieldError(pointer, code, Text(vi, en))


def _invalid(faults: Sequence[FieldError]) -> AppError:
    return invalid(
        "org.invalid",
        vi="Thông tin đơn vị có chỗ sai. Xem errors.",
        en="The org has faults. See errors.",
        errors=faults,
    )
