"""A walk over every reading operation of OneRoster 1.1 rostering. 1.1 has no OpenAPI file: its tables are written here.

Source: OneRoster 1.1, section 4 (objects, vocabularies) and section 3.5 (errors).
"""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.sync.domain.oneroster import NOUN_OF, V1_1
from services.sync.domain.oneroster_paths import OPERATIONS
from tests.contract.sync.test_oneroster_walk import IDS, NOWHERE, links_of, whole_school
from tests.integration.sync.conftest import sync  # noqa: F401  # the fixture of the running service
from tests.integration.sync.packages import make_package
from tests.integration.sync.stage import ROSTER_SCOPE

V1P1 = "https://purl.imsglobal.org/spec/or/v1p1/scope/"
EVERY_SCOPE = " ".join(V1P1 + name for name in ("roster.readonly", "roster-demographics.readonly"))
Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
DATE: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
TRUTH: Schema = {"enum": ["true", "false"]}
TEXTS: Schema = {"type": "array", "items": TEXT, "minItems": 1}


def one_of(*words: str) -> Schema:
    return {"enum": list(words)}


def reference(noun: str) -> Schema:
    place = "classes" if noun == "class" else f"{noun}s"
    href = {"type": "string", "pattern": rf"^http://gateway\.test/ims/oneroster/v1p1/{place}/[^/]+$"}
    members = {"href": href, "sourcedId": TEXT, "type": {"const": noun}}
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema, "minItems": 1}


BASE = {
    "sourcedId": TEXT,
    "status": one_of("active", "tobedeleted"),
    "dateLastModified": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
}
SESSION = one_of("gradingPeriod", "semester", "schoolYear", "term")
ROLE = one_of("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher")
USER_ID: Schema = {"type": "object", "properties": {"type": TEXT, "identifier": TEXT}, "additionalProperties": False}
# noun -> (required, optional)
OBJECTS: dict[str, tuple[Schema, Schema]] = {
    "org": (
        {"name": TEXT, "type": one_of("department", "school", "district", "local", "state", "national")},
        {"identifier": TEXT, "parent": reference("org")},
    ),
    "academicSession": (
        {"title": TEXT, "startDate": DATE, "endDate": DATE, "type": SESSION, "schoolYear": TEXT},
        {"parent": reference("academicSession")},
    ),
    "course": (
        {"title": TEXT, "courseCode": TEXT, "org": reference("org")},
        {"schoolYear": reference("academicSession"), "grades": TEXTS, "subjects": TEXTS, "subjectCodes": TEXTS},
    ),
    "class": (
        {
            "title": TEXT,
            "classType": one_of("homeroom", "scheduled"),
            "course": reference("course"),
            "school": reference("org"),
            "terms": many(reference("academicSession")),
        },
        {
            "classCode": TEXT,
            "location": TEXT,
            "grades": TEXTS,
            "subjects": TEXTS,
            "subjectCodes": TEXTS,
            "periods": TEXTS,
        },
    ),
    "user": (
        {
            "username": TEXT,
            "enabledUser": TRUTH,
            "givenName": TEXT,
            "familyName": TEXT,
            "role": ROLE,
            "orgs": many(reference("org")),
        },
        {"userIds": many(USER_ID), "middleName": TEXT, "identifier": TEXT, "email": TEXT, "grades": TEXTS},
    ),
    "enrollment": (
        {
            "user": reference("user"),
            "class": reference("class"),
            "school": reference("org"),
            "role": one_of("administrator", "aide", "proctor", "student", "teacher"),
        },
        {"primary": TRUTH, "beginDate": DATE, "endDate": DATE},
    ),
    "demographics": ({}, {"birthDate": DATE, "sex": one_of("male", "female")}),
}
ERROR: Schema = {
    "type": "object",
    "properties": {
        "imsx_codeMajor": one_of("success", "failure"),
        "imsx_severity": one_of("status", "error", "warning"),
        "imsx_codeMinor": TEXT,
        "imsx_description": TEXT,
    },
    "required": ["imsx_codeMajor", "imsx_severity", "imsx_codeMinor"],
    "additionalProperties": False,
}


def validate(operation, body) -> None:
    noun = NOUN_OF[operation.collection]
    required, optional = OBJECTS[noun]
    record = {
        "type": "object",
        "properties": {**BASE, **required, **optional},
        "required": [*BASE, *required],
        "additionalProperties": False,
    }
    Draft202012Validator(record if operation.is_single else {"type": "array", "items": record}).validate(body)


@pytest.fixture
async def ask(sync):  # noqa: F811  # the fixture
    await sync.put_schools("A", "B")
    await sync.imported(make_package(whole_school()), sync.as_vendor("A"), mode="auto")

    async def ask(operation, *, school="A", scope=EVERY_SCOPE, ids=IDS, **query):
        place = V1_1.base + operation.path.format(**{"sourcedId": NOWHERE, **ids})
        headers = sync.as_vendor(school, scope=scope) if scope else {}
        return await sync.client.get(place, headers=headers, params=query or None)

    return ask


def refuses(answer, status: int, minor: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.request.url
    assert list(answer.json()) == ["statusInfoSet"]
    (entry,) = answer.json()["statusInfoSet"]
    Draft202012Validator(ERROR).validate(entry)
    assert (entry["imsx_codeMajor"], entry["imsx_severity"], entry["imsx_codeMinor"]) == ("failure", "error", minor)


async def test_every_list_and_every_single_record_is_what_the_tables_of_1_1_say(ask):
    singles = {each.collection: each for each in OPERATIONS if each.is_single}
    for operation in OPERATIONS:
        if operation.is_single:
            continue
        answer = await ask(operation, limit="10000")
        assert answer.status_code == 200, (operation, answer.text)
        ((wrapper, records),) = answer.json().items()
        validate(operation, records)
        assert records, operation
        assert answer.headers["x-total-count"] == str(len(records))
        assert links_of(answer).keys() == {"first", "last"}
        if operation.parents:
            continue
        for record in records:
            one = await ask(singles[operation.collection], ids={"sourcedId": record["sourcedId"]})
            assert one.json() == {NOUN_OF[wrapper]: record}
            validate(singles[operation.collection], record)


async def test_every_error_is_a_status_info_set_and_a_bad_sort_or_selection_only_a_warning(ask):
    for operation in OPERATIONS:
        refuses(await ask(operation, scope=""), 401, "unauthorisedrequest")
        refuses(await ask(operation, scope=V1P1 + "gradebook.readonly"), 403, "forbidden")
        for parent in operation.parameters:
            refuses(await ask(operation, ids={**IDS, parent: NOWHERE}), 404, "unknownobject")
        if operation.is_single:
            continue
        for query in ({"filter": "x"}, {"filter": "shoeSize='42'"}, {"filter": "sourcedId='\x00'"}):
            refuses(await ask(operation, **query), 400, "invalid_filter_field")
        for query in ({"limit": "0"}, {"limit": "x"}, {"offset": "-1"}, {"orderBy": "up"}):
            refuses(await ask(operation, **query), 400, "invaliddata")
        plain = (await ask(operation)).json()
        for query, minor in (({"sort": "x"}, "invalid_sort_field"), ({"fields": "x"}, "invalid_selection_field")):
            answer = await ask(operation, **query)
            assert answer.status_code == 200
            (entry,) = answer.json().pop("statusInfoSet")
            Draft202012Validator(ERROR).validate(entry)
            assert (entry["imsx_severity"], entry["imsx_codeMinor"]) == ("warning", minor)
            assert answer.json() == {**plain, "statusInfoSet": [entry]}


async def test_scopes_of_1_1_and_of_1_2_open_the_operations_the_standard_names(ask):
    for operation in OPERATIONS:
        for prefix in (V1P1, ROSTER_SCOPE.removesuffix("roster.readonly")):
            for name in ("roster.readonly", "roster-core.readonly", "roster-demographics.readonly"):
                answer = await ask(operation, scope=prefix + name)
                assert (answer.status_code != 403) == (name in operation.scopes), (operation, prefix + name)
