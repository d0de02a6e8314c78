"""OneRoster packages for the tests: real-world samples from outside, and small clean schools made here."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "oneroster" / "samples"
SAMPLE_SCHOOL = "org-sch-222-456"


def sample(name: str) -> bytes:
    """A real-world package; skips loudly where the data folder is absent (a public clone)."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"NOTICE: {name} is not here; the test of a real-world package did not run")
    return path.read_bytes()


MODES_1_2 = (
    "academicSessions",
    "categories",
    "classes",
    "classResources",
    "courseResources",
    "courses",
    "demographics",
    "enrollments",
    "lineItemLearningObjectiveIds",
    "lineItems",
    "lineItemScoreScales",
    "orgs",
    "resources",
    "resultLearningObjectiveIds",
    "results",
    "resultScoreScales",
    "roles",
    "scoreScales",
    "userProfiles",
    "userResources",
    "users",
)
HEADERS = {
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,"
    "subjectCodes",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,"
    "identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,"
    "preferredFamilyName,primaryOrgSourcedId,pronouns",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
    "userProfileSourcedId",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate",
}
Row = Mapping[str, str]


def make_zip(files: Mapping[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return buffer.getvalue()


def make_manifest(modes: Mapping[str, str]) -> str:
    lines = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.2"]
    lines += [f"file.{name},{modes.get(name, 'absent')}" for name in MODES_1_2]
    return "\r\n".join(lines) + "\r\n"


def make_csv(name: str, rows: Sequence[Row]) -> str:
    return write_csv(HEADERS[name], rows)


def write_csv(columns: str, rows: Sequence[Row]) -> str:
    header = columns.split(",")
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, header, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def make_package(files: Mapping[str, Sequence[Row]], mode: str = "bulk") -> bytes:
    """A OneRoster 1.2 package of these files."""
    contents: dict[str, bytes | str] = {"manifest.csv": make_manifest(dict.fromkeys(files, mode))}
    contents |= {f"{name}.csv": make_csv(name, rows) for name, rows in files.items()}
    return make_zip(contents)


def _classes(school: str, grade: str, title: str) -> list[Row]:
    return [
        {
            "sourcedId": f"{school}-lop{number}",
            "title": f"{title} {grade}A{number}",
            "grades": grade,
            "courseSourcedId": f"{school}-toan",
            "classType": "homeroom",
            "schoolSourcedId": school,
            "termSourcedIds": "HK1",
        }
        for number in (1, 2)
    ]


def school_files(school: str, learners: int = 10, *, grade: str = "6", title: str = "Lớp") -> dict[str, list[Row]]:
    """A small clean school: a year, a course, two classes, a teacher, `learners` learners half in each class."""
    people = [f"{school}-hs{number}" for number in range(learners)]
    users: list[Row] = [
        {
            "sourcedId": person,
            "enabledUser": "true",
            "username": person.lower(),
            "givenName": "An",
            "familyName": "Nguyễn",
            "grades": grade,
        }
        for person in [*people, f"{school}-gv"]
    ]
    roles: list[Row] = [
        {
            "sourcedId": f"{person}-r",
            "userSourcedId": person,
            "roleType": "primary",
            "role": "teacher" if person.endswith("-gv") else "student",
            "orgSourcedId": school,
        }
        for person in [*people, f"{school}-gv"]
    ]
    members = [
        *((person, "student", 1 + index % 2) for index, person in enumerate(people)),
        (f"{school}-gv", "teacher", 1),
    ]
    enrollments: list[Row] = [
        {
            "sourcedId": f"{person}-e",
            "classSourcedId": f"{school}-lop{number}",
            "schoolSourcedId": school,
            "userSourcedId": person,
            "role": role,
        }
        for person, role, number in members
    ]
    return {
        "orgs": [{"sourcedId": school, "name": school, "type": "school"}],
        "academicSessions": [
            {
                "sourcedId": "HK1",
                "title": "Học kỳ I",
                "type": "semester",
                "startDate": "2026-09-05",
                "endDate": "2027-01-15",
                "schoolYear": "2027",
            }
        ],
        "courses": [{"sourcedId": f"{school}-toan", "title": "Toán", "orgSourcedId": school}],
        "classes": _classes(school, grade, title),
        "users": users,
        "roles": roles,
        "enrollments": enrollments,
    }


def without(rows: Sequence[Row], *sourced_ids: str) -> list[Row]:
    return [row for row in rows if row["sourcedId"] not in sourced_ids]


def changed(rows: Sequence[Row], sourced_id: str, **values: str) -> list[Row]:
    """The rows with one of them changed."""
    return [{**row, **values} if row["sourcedId"] == sourced_id else row for row in rows]


def together(*schools: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """One package of several schools; what they share appears once."""
    files: dict[str, list[Row]] = {}
    for school in schools:
        for name, rows in school.items():
            known = {row["sourcedId"] for row in files.setdefault(name, [])}
            files[name] += [row for row in rows if row["sourcedId"] not in known]
    return files
