"""Every operation of the official rostering OpenAPI file, which stays outside the repository, against our answers."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from services.sync.domain.oneroster_paths import OPERATIONS
from tests.integration.sync.conftest import sync  # noqa: F401  # the fixture of the running service
from tests.integration.sync.packages import SAMPLE_SCHOOL, make_package, sample, school_files
from tests.integration.sync.stage import ROSTER_SCOPE, VENDOR_SCOPE

BASE = "/ims/oneroster/rostering/v1p2"
DOCUMENT = Path(__file__).parents[4] / "shared/data/oneroster/openapi/onerosterv1p2rostersservice_openapi3_v1p0.json"
DEMOGRAPHICS_SCOPE = ROSTER_SCOPE.replace("roster.readonly", "roster-demographics.readonly")
EVERY_SCOPE = f"{VENDOR_SCOPE} {DEMOGRAPHICS_SCOPE}"
IDS = {
    "schoolSourcedId": "A",
    "classSourcedId": "A-lop1",
    "courseSourcedId": "A-toan",
    "termSourcedId": "HK1",
    "studentSourcedId": "A-hs0",
    "teacherSourcedId": "A-gv",
    "userSourcedId": "A-gv",
}
MAY_BE_EMPTY = {"/demographics", "/gradingPeriods", "/terms/{termSourcedId}/gradingPeriods"}


@pytest.fixture(scope="module")
def official():
    if not DOCUMENT.exists():
        pytest.skip("NOTICE: the official OneRoster OpenAPI file is not here; its check did not run")
    return json.loads(DOCUMENT.read_text(encoding="utf-8"))


def validator(official, path, status):
    responses = official["paths"][path]["get"]["responses"]
    schema = responses.get(status, responses["default"])["content"]["application/json"]["schema"]
    whole = {"$ref": "#/$defs/answer", "$defs": {"answer": schema}, "components": official["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def lists(official):
    return [path for path in official["paths"] if "{sourcedId}" not in path]


async def fill(sync):  # noqa: F811  # the fixture
    await sync.put_schools("A", SAMPLE_SCHOOL)
    vendor = sync.as_vendor("A", SAMPLE_SCHOOL, scope=EVERY_SCOPE)
    files = school_files("A")
    files["courses"][0] = {
        **files["courses"][0],
        "courseCode": "T6",
        "grades": "6,7",
        "subjects": "Toán",
        "subjectCodes": "T",
    }
    files["users"][0] = {
        **files["users"][0],
        "userIds": "{LDAP:1},{LTI:2}",
        "primaryOrgSourcedId": "A",
        "email": "a@b.vn",
        "givenName": 'Ân "Bi" \\ é',
    }
    await sync.imported(make_package(files), vendor, mode="auto")
    await sync.imported(sample("v1p2_full_dataset.zip"), vendor, mode="auto", lenient="true")
    return vendor


def test_we_serve_every_operation_of_the_standard_under_its_own_scopes(official):
    theirs: set[tuple[str, str, frozenset[str]]] = {
        (path, operation["get"]["operationId"], frozenset(*operation["get"]["security"][0].values()))
        for path, operation in official["paths"].items()
    }
    prefix = ROSTER_SCOPE.removesuffix("roster.readonly")
    ours = {(each.path, each.name, frozenset(prefix + name for name in each.scopes)) for each in OPERATIONS}
    assert ours == theirs
    assert len(ours) == 41


async def test_every_list_and_every_single_record_is_what_the_standard_says(sync, official):  # noqa: F811
    vendor = await fill(sync)
    for path in lists(official):
        answer = await sync.client.get(BASE + path.format(**IDS), params={"limit": 10000}, headers=vendor)
        assert answer.status_code == 200, path
        validator(official, path, "200").validate(answer.json())
        (records,) = answer.json().values()
        assert records or path in MAY_BE_EMPTY, path
        assert answer.headers["x-total-count"] == str(len(records))
        if path.count("/") > 1:
            continue
        for record in records:
            one = await sync.client.get(f"{BASE}{path}/{record['sourcedId']}", headers=vendor)
            validator(official, f"{path}/{{sourcedId}}", "200").validate(one.json())
            assert list(one.json().values()) == [record]


async def test_every_list_takes_the_whole_query(sync, official):  # noqa: F811
    vendor = await fill(sync)
    query = {
        "limit": 2,
        "offset": 1,
        "sort": "dateLastModified",
        "orderBy": "desc",
        "filter": "status='active' OR status='tobedeleted'",
    }
    for path in lists(official):
        place = BASE + path.format(**IDS)
        answer = await sync.client.get(place, params=query, headers=vendor)
        assert answer.status_code == 200, path
        validator(official, path, "200").validate(answer.json())
        (records,) = answer.json().values()
        assert len(records) == max(0, min(2, int(answer.headers["x-total-count"]) - 1))
        answer = await sync.client.get(place, params={**query, "fields": "sourcedId"}, headers=vendor)
        (chosen,) = answer.json().values()
        assert chosen == [{"sourcedId": record["sourcedId"]} for record in records]


async def test_ended_records_are_what_the_standard_says(sync, official):  # noqa: F811
    vendor = await fill(sync)
    ended = {"status": "tobedeleted", "dateLastModified": "2026-11-01T00:00:00Z"}
    delta = {"users": [{"sourcedId": "A-hs0", **ended}]}
    await sync.imported(make_package(delta, "delta"), vendor, mode="auto")
    answer = await sync.client.get(f"{BASE}/users?filter=status='tobedeleted'", headers=vendor)
    assert [each["sourcedId"] for each in answer.json()["users"]] == ["A-hs0"]
    validator(official, "/users", "200").validate(answer.json())


async def test_every_error_of_every_operation_is_what_the_standard_says(sync, official):  # noqa: F811
    await sync.put_schools("A")
    vendor, poor = sync.as_vendor("A", scope=EVERY_SCOPE), sync.as_vendor("A", scope="x")
    nothing = dict.fromkeys([*IDS, "sourcedId"], "nowhere")
    for path in official["paths"]:
        place = BASE + path.format(**nothing)
        asked = [("", poor, 403), ("", {}, 401), ("?fields=shoeSize", vendor, 400)]
        asked += [("", vendor, 404)] if "{" in path else []
        if "{sourcedId}" not in path:
            asked += [("?limit=0", vendor, 400), ("?filter=x", vendor, 400)]
        for query, headers, status in asked:
            answer = await sync.client.get(place + query, headers=headers)
            assert answer.status_code == status, (path, query)
            validator(official, path, str(status)).validate(answer.json())
