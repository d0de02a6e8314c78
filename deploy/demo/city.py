"""The demo city: a department, the districts that ended on 2025-06-30, the communes that followed, and six schools.

Names are invented. Codes are written down here as an authority would have issued them; nothing computes a code.
Source of the reform: Decrees 142/2025 and 143/2025, Circular 10/2025 (district level ended, communes began 2025-07-01).
"""

from dataclasses import dataclass
from typing import Any

DEPARTMENT = "so-gddt"
LAST_DAY_OF_DISTRICTS = "2025-06-30"
FIRST_DAY_OF_COMMUNES = "2025-07-01"


@dataclass(frozen=True, slots=True)
class School:
    """Lower-secondary schools sat under `district` and sit under `commune`; others sit under the department."""

    sourced_id: str
    name: str
    level: str
    district: str | None = None
    commune: str | None = None


SCHOOLS = (
    School("79-thcs-001", "Trường THCS Hoa Sen", "lower_secondary", "pgd-nam", "xa-phuoc-loc"),
    School("79-thcs-002", "Trường THCS Bình Minh", "lower_secondary", "pgd-nam", "xa-hiep-an"),
    School("79-thcs-003", "Trường THCS Tân Lập", "lower_secondary", "pgd-bac", "phuong-tan-lap"),
    School("79-thpt-001", "Trường THPT Ánh Dương", "upper_secondary"),
    School("79-thpt-002", "Trường THPT Sao Mai", "upper_secondary"),
    # The code that the OneRoster sample packages of other people use, so that they can be tried as they are.
    School("org-sch-222-456", "Trường thử nghiệm gói OneRoster", "upper_secondary"),
)
MAIN_SCHOOL, SECOND_SCHOOL = SCHOOLS[0], SCHOOLS[1]
# The vendor has no grant for this one: for the vendor it does not exist.
UNGRANTED_SCHOOL = SCHOOLS[4]

_ABOVE: tuple[dict[str, Any], ...] = (
    {"sourcedId": DEPARTMENT, "kind": "department", "name": "Sở Giáo dục và Đào tạo (thành phố mẫu)"},
    {
        "sourcedId": "pgd-nam",
        "kind": "district_office",
        "name": "Phòng GDĐT huyện Nam",
        "validTo": LAST_DAY_OF_DISTRICTS,
    },
    {
        "sourcedId": "pgd-bac",
        "kind": "district_office",
        "name": "Phòng GDĐT quận Bắc",
        "validTo": LAST_DAY_OF_DISTRICTS,
    },
    {"sourcedId": "xa-phuoc-loc", "kind": "commune", "name": "UBND xã Phước Lộc", "validFrom": FIRST_DAY_OF_COMMUNES},
    {"sourcedId": "xa-hiep-an", "kind": "commune", "name": "UBND xã Hiệp An", "validFrom": FIRST_DAY_OF_COMMUNES},
    {
        "sourcedId": "phuong-tan-lap",
        "kind": "commune",
        "name": "UBND phường Tân Lập",
        "validFrom": FIRST_DAY_OF_COMMUNES,
    },
)


def orgs() -> list[dict[str, Any]]:
    """The tree as bodies of `PUT /sync/v1/orgs/{sourcedId}`, parents first."""
    above = [
        {**org, "parents": [] if org["sourcedId"] == DEPARTMENT else [{"sourcedId": DEPARTMENT}]} for org in _ABOVE
    ]
    return above + [_school(school) for school in SCHOOLS]


def _school(school: School) -> dict[str, Any]:
    parents: list[dict[str, Any]] = [{"sourcedId": DEPARTMENT}]
    if school.district is not None:
        parents = [
            {"sourcedId": school.district, "validTo": LAST_DAY_OF_DISTRICTS},
            {"sourcedId": school.commune, "validFrom": FIRST_DAY_OF_COMMUNES},
        ]
    return {
        "sourcedId": school.sourced_id,
        "kind": "school",
        "name": school.name,
        "level": school.level,
        "identifier": school.sourced_id,
        "parents": parents,
    }


# role in `.run/demo.json` -> (subject as the portal knows it, org, role in the token)
PERSONS: dict[str, tuple[str, str, str]] = {
    "head": ("hieu-truong-hoa-sen", MAIN_SCHOOL.sourced_id, "head"),
    "data_officer": ("can-bo-du-lieu-hoa-sen", MAIN_SCHOOL.sourced_id, "data_officer"),
    "group_lead": ("to-truong-toan-hoa-sen", MAIN_SCHOOL.sourced_id, "group_lead"),
    "teacher": ("giao-vien-toan-hoa-sen", MAIN_SCHOOL.sourced_id, "teacher"),
    "second_head": ("hieu-truong-binh-minh", SECOND_SCHOOL.sourced_id, "head"),
    "second_lead": ("to-truong-toan-binh-minh", SECOND_SCHOOL.sourced_id, "group_lead"),
    "second_teacher": ("giao-vien-toan-binh-minh", SECOND_SCHOOL.sourced_id, "teacher"),
    "third_teacher": ("giao-vien-toan-tan-lap", SCHOOLS[2].sourced_id, "teacher"),
    # Of the school the sample packages name: may release an import that the brake holds.
    "sample_head": ("hieu-truong-thu-nghiem", SCHOOLS[5].sourced_id, "head"),
    "commune_officer": ("chuyen-vien-xa-phuoc-loc", "xa-phuoc-loc", "commune_officer"),
    "department_officer": ("chuyen-vien-so", DEPARTMENT, "department_officer"),
}
