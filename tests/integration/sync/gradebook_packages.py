"""Marks, resources and demographics for the small clean schools of `packages`, in OneRoster 1.2 and 1.1."""

import json
from collections.abc import Mapping, Sequence

from tests.integration.sync.packages import HEADERS, Row, make_zip, school_files, write_csv

_START = "sourcedId,status,dateLastModified,"
HEADERS |= {
    name: _START + columns
    for name, columns in {
        "demographics": "birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,"
        "nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,"
        "countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus",
        "categories": "title,weight",
        "scoreScales": "title,type,orgSourcedId,courseSourcedId,classSourcedId,scoreScaleValue",
        "lineItems": "title,description,assignDate,dueDate,classSourcedId,categorySourcedId,academicSessionSourcedId,"
        "resultValueMin,resultValueMax,schoolSourcedId",
        "results": "lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,comment,textScore,classSourcedId,"
        "inProgress,incomplete,late,missing",
        "resources": "vendorResourceId,title,roles,importance,vendorId,applicationId",
        "classResources": "title,classSourcedId,resourceSourcedId",
        "courseResources": "title,courseSourcedId,resourceSourcedId",
        "userResources": "userSourcedId,orgSourcedId,classSourcedId,resourceSourcedId",
        "lineItemScoreScales": "title,lineItemSourcedId,scoreScaleSourcedId",
        "resultScoreScales": "title,resultSourcedId,scoreScaleSourcedId",
        "lineItemLearningObjectiveIds": "lineItemSourcedId,source,learningObjectiveId",
        "resultLearningObjectiveIds": "resultSourcedId,source,learningObjectiveId,score,textScore",
        "userProfiles": "userSourcedId,profileType,vendorId,applicationId,description,credentialType,username,password",
    }.items()
}


def gradebook_files(school: str, results: int = 2) -> dict[str, list[Row]]:
    """One line item of the first class with marks, and one of everything else."""
    learners = [f"{school}-hs{number % 10}" for number in range(results)]
    first = f"{school}-lop1"
    return {
        "demographics": [{"sourcedId": f"{school}-hs0", "birthDate": "2015-02-03", "sex": "female"}],
        "categories": [{"sourcedId": f"{school}-dm", "title": "Thường xuyên", "weight": "1"}],
        "scoreScales": [
            {
                "sourcedId": f"{school}-td",
                "title": "Đạt",
                "type": "passfail",
                "orgSourcedId": school,
                "courseSourcedId": f"{school}-toan",
                "classSourcedId": first,
                "scoreScaleValue": "{5-10:Đạt},{0-4.9:Chưa đạt}",
            }
        ],
        "lineItems": [
            {
                "sourcedId": f"{school}-bt",
                "title": "Kiểm tra 15 phút",
                "assignDate": "2026-10-01",
                "dueDate": "2026-10-02T10:00:00Z",
                "classSourcedId": first,
                "categorySourcedId": f"{school}-dm",
                "academicSessionSourcedId": "HK1",
                "resultValueMin": "0",
                "resultValueMax": "10",
                "schoolSourcedId": school,
            }
        ],
        "results": sorted(
            (
                {
                    "sourcedId": f"{school}-kq{number}",
                    "lineItemSourcedId": f"{school}-bt",
                    "studentSourcedId": learner,
                    "scoreStatus": "fully graded",
                    "score": "8.5",
                    "scoreDate": "2026-10-02",
                    "comment": "Hay nói chuyện",
                    "late": "false",
                }
                for number, learner in enumerate(learners)
            ),
            key=lambda row: row["sourcedId"],
        ),
        **_resources(school, first),
        **_links(school),
    }


def _resources(school: str, first: str) -> dict[str, list[Row]]:
    return {
        "resources": [{"sourcedId": f"{school}-hl", "vendorResourceId": "v-1", "title": "Sách", "roles": "student"}],
        "classResources": [{"sourcedId": f"{school}-lr", "classSourcedId": first, "resourceSourcedId": f"{school}-hl"}],
        "courseResources": [
            {"sourcedId": f"{school}-cr", "courseSourcedId": f"{school}-toan", "resourceSourcedId": f"{school}-hl"}
        ],
        "userResources": [
            {"sourcedId": f"{school}-ur", "userSourcedId": f"{school}-hs0", "resourceSourcedId": f"{school}-hl"}
        ],
    }


def _links(school: str) -> dict[str, list[Row]]:
    return {
        "lineItemScoreScales": [
            {
                "sourcedId": f"{school}-bt-td",
                "lineItemSourcedId": f"{school}-bt",
                "scoreScaleSourcedId": f"{school}-td",
            }
        ],
        "resultScoreScales": [
            {
                "sourcedId": f"{school}-kq0-td",
                "resultSourcedId": f"{school}-kq0",
                "scoreScaleSourcedId": f"{school}-td",
            }
        ],
        "lineItemLearningObjectiveIds": [
            {
                "sourcedId": f"{school}-bt-mt",
                "lineItemSourcedId": f"{school}-bt",
                "source": "unknown",
                "learningObjectiveId": "so-hoc-1",
            }
        ],
        "resultLearningObjectiveIds": [
            {
                "sourcedId": f"{school}-kq0-mt",
                "resultSourcedId": f"{school}-kq0",
                "source": "unknown",
                "learningObjectiveId": "so-hoc-1",
                "score": "7.5",
            }
        ],
        "userProfiles": [
            {
                "sourcedId": f"{school}-up",
                "userSourcedId": f"{school}-hs0",
                "profileType": "lms",
                "vendorId": "v",
                "credentialType": "sso",
                "username": "u",
            }
        ],
    }


_HEADERS_1_1 = {
    "users": _START + "enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,"
    "email,sms,phone,agentSourcedIds,grades,password",
    "categories": _START + "title",
    "lineItems": _START + "title,description,assignDate,dueDate,classSourcedId,categorySourcedId,"
    "gradingPeriodSourcedId,resultValueMin,resultValueMax",
    "results": _START + "lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,comment",
}


_KEPT_IN_1_1 = (
    "categories",
    "classResources",
    "courseResources",
    "demographics",
    "lineItems",
    "resources",
    "results",
)


def package_of_1_1(school: str) -> bytes:
    """All 13 files of a OneRoster 1.1 package."""
    files: dict[str, Sequence[Row]] = {**school_files(school), **gradebook_files(school)}
    users = [
        {**row, "orgSourcedIds": school, "role": "teacher" if row["sourcedId"].endswith("-gv") else "student"}
        for row in files["users"]
    ]
    files |= {
        "users": users,
        "categories": [_without(row, "weight") for row in files["categories"]],
        "lineItems": [
            {**_without(row, "academicSessionSourcedId", "schoolSourcedId"), "gradingPeriodSourcedId": "HK1"}
            for row in files["lineItems"]
        ],
        "results": [_without(row, "late") for row in files["results"][:1]],
    }
    names = sorted({"orgs", "users", "classes", "courses", "enrollments", "academicSessions", *_KEPT_IN_1_1})
    manifest = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.1"]
    manifest += [f"file.{name},bulk" for name in names]
    contents: dict[str, bytes | str] = {"manifest.csv": "\r\n".join(manifest) + "\r\n"}
    for name in names:
        contents[f"{name}.csv"] = write_csv(_HEADERS_1_1.get(name, HEADERS[name]), files[name])
    return make_zip(contents)


def _without(row: Mapping[str, str], *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def assessment_lines(school: str) -> bytes:
    """Lines of JSON that add to `gradebook_files` what no CSV file brings; every field that is kept is filled."""
    given = {"school": school, "scoreScaleSourcedId": f"{school}-td", "classSourcedId": f"{school}-lop1"}
    item = {"title": "Khảo sát", "resultValueMin": 0, "resultValueMax": 10, "description": "Vòng 1"} | given
    whole, part = f"{school}-ks", f"{school}-ks-1"
    result = {
        "sourcedId": f"{school}-ks-kq",
        "assessmentLineItemSourcedId": part,
        "studentSourcedId": f"{school}-hs0",
        "scoreScaleSourcedId": f"{school}-td",
        "scoreStatus": "fully graded",
        "score": 8,
        "textScore": "Giỏi",
        "scorePercentile": 90.5,
        "scoreDate": "2026-11-20",
        **dict.fromkeys(("inProgress", "incomplete", "late", "missing"), False),
    }
    objective = {"source": "case", "learningObjectiveId": "yc-1"}
    of_item = {"sourcedId": f"{school}-ks-mt", "assessmentLineItemSourcedId": part} | objective
    of_result = {"sourcedId": f"{school}-ks-kq-mt", "assessmentResultSourcedId": f"{school}-ks-kq", "score": 4}
    of_result |= objective
    records = [
        ("assessmentLineItems", {"sourcedId": whole} | item),
        ("assessmentLineItems", {"sourcedId": part, "parentAssessmentLineItemSourcedId": whole} | item),
        ("assessmentResults", result),
        ("assessmentLineItemLearningObjectiveIds", of_item),
        ("assessmentResultLearningObjectiveIds", of_result),
    ]
    return "".join(json.dumps({"type": kind, "record": record}) + "\n" for kind, record in records).encode()
