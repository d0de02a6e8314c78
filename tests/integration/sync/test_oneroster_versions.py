"""OneRoster 1.1 beside 1.2, scopes of each operation, discovery, late commits and pages far behind."""

import re

import pytest
from sqlalchemy import text

from services.sync.domain.oneroster import V1_1, V1_2
from services.sync.domain.oneroster_paths import OPERATIONS
from services.sync.storage.listing import STEP
from shared.db.scope import EVERYTHING
from tests.integration.sync.packages import changed, make_package, school_files
from tests.integration.sync.stage import DEPARTMENT, ROSTER_SCOPE

V1P1_SCOPE = "https://purl.imsglobal.org/spec/or/v1p1/scope/roster.readonly"
IDS = {
    "schoolSourcedId": "A",
    "classSourcedId": "A-lop1",
    "courseSourcedId": "A-toan",
    "termSourcedId": "HK1",
    "studentSourcedId": "A-hs0",
    "teacherSourcedId": "A-gv",
    "userSourcedId": "A-gv",
}


@pytest.fixture
async def filled(sync):
    await sync.put_schools("A")
    await sync.imported(make_package(school_files("A")), sync.as_vendor("A"), mode="auto")
    return sync


async def get(sync, version, path, scope, **query):
    headers = sync.as_vendor("A", scope=scope)
    return await sync.client.get(version.base + path, headers=headers, params=query or None)


async def test_version_1_1_answers_every_operation_with_its_own_scope(filled):
    scope = f"{V1P1_SCOPE} {V1P1_SCOPE.replace('roster.', 'roster-demographics.')}"
    for operation in OPERATIONS:
        if operation.is_single:
            continue
        answer = await get(filled, V1_1, operation.path.format(**IDS), scope)
        assert answer.status_code == 200, operation.path
        (records,) = answer.json().values()
        assert answer.headers["x-total-count"] == str(len(records))
        assert "/ims/oneroster/v1p1/" in answer.headers["link"]


async def test_a_user_of_1_1_has_one_role_and_orgs(filled):
    user = (await get(filled, V1_1, "/users/A-gv", V1P1_SCOPE)).json()["user"]
    assert user["role"] == "teacher"
    assert user["orgs"] == [{"href": "http://gateway.test/ims/oneroster/v1p1/orgs/A", "sourcedId": "A", "type": "org"}]
    assert "roles" not in user
    assert user["enabledUser"] == "true"


async def test_in_1_1_a_bad_sort_or_selection_is_a_warning_beside_all_the_data(filled):
    plain = (await get(filled, V1_1, "/users", V1P1_SCOPE)).json()["users"]
    for query, minor in (({"sort": "x"}, "invalid_sort_field"), ({"fields": "x"}, "invalid_selection_field")):
        answer = await get(filled, V1_1, "/users", V1P1_SCOPE, **query)
        assert answer.status_code == 200
        assert answer.json()["users"] == plain
        (entry,) = answer.json()["statusInfoSet"]
        assert (entry["imsx_severity"], entry["imsx_codeMinor"]) == ("warning", minor)


@pytest.mark.parametrize(
    ("path", "status", "minor"),
    [("/users?filter=x", 400, "invalid_filter_field"), ("/users/nobody", 404, "unknownobject")],
)
async def test_errors_of_1_1_are_a_status_info_set(filled, path, status, minor):
    answer = await get(filled, V1_1, path, V1P1_SCOPE)
    assert answer.status_code == status
    (entry,) = answer.json()["statusInfoSet"]
    assert (entry["imsx_codeMajor"], entry["imsx_codeMinor"]) == ("failure", minor)


async def test_each_operation_opens_with_the_scopes_of_the_standard_and_no_other(filled):
    prefix = ROSTER_SCOPE.removesuffix("roster.readonly")
    for operation in OPERATIONS:
        place = operation.path.format(**IDS, sourcedId="nobody")
        for name in ("roster.readonly", "roster-core.readonly", "roster-demographics.readonly"):
            answer = await get(filled, V1_2, place, prefix + name)
            assert (answer.status_code != 403) == (name in operation.scopes), (place, name)


async def test_discovery_is_public_and_describes_exactly_what_is_served(filled):
    for name in ("onerosterv1p2rostersservice_openapi3_v1p0.json", "imsorv1p2_rostering_openapi3_v1p0.json"):
        answer = await filled.client.get(f"{V1_2.base}/discovery/{name}")
        assert answer.status_code == 200
        document = answer.json()
        assert document["servers"] == [{"url": f"http://gateway.test{V1_2.base}"}]
        assert set(document["paths"]) == {operation.path for operation in OPERATIONS}
        named = set(re.findall(r'"#/components/schemas/(\w+)"', answer.text))
        assert named == document["components"]["schemas"].keys() & named


async def test_a_list_by_date_never_passes_over_a_commit_that_is_still_on_its_way(filled):
    since = {"filter": "dateLastModified>'2020-01-01'"}
    assert len((await get(filled, V1_2, "/classes", ROSTER_SCOPE, **since)).json()["classes"]) == 2
    async with filled.runtime.units.begin(EVERYTHING) as late:
        # A writer that took its time before the others, and commits after them.
        await late.session.execute(text("SELECT pg_current_xact_id()"))
        files = school_files("A")
        renamed = changed(files["classes"], "A-lop1", title="Mới")
        await filled.imported(make_package({**files, "classes": renamed}), filled.as_vendor("A"), mode="auto")
        plain = (await get(filled, V1_2, "/classes", ROSTER_SCOPE)).json()["classes"]
        held_back = (await get(filled, V1_2, "/classes", ROSTER_SCOPE, **since)).json()["classes"]
        assert "Mới" in {each["title"] for each in plain}
        assert [each["sourcedId"] for each in held_back] == ["A-lop2"]
    shown = (await get(filled, V1_2, "/classes", ROSTER_SCOPE, **since)).json()["classes"]
    assert "Mới" in {each["title"] for each in shown}


async def test_pages_far_behind_are_found_by_key_and_hold_the_same_rows(sync):
    await sync.put_schools("A")
    await sync.imported(make_package(school_files("A", learners=2 * STEP + 300)), sync.as_vendor("A"), mode="auto")
    for grant, order in (("A", "asc"), ("A", "desc"), (DEPARTMENT, "asc"), (DEPARTMENT, "desc")):
        headers = sync.as_vendor(grant, scope=ROSTER_SCOPE)
        place = f"{V1_2.base}/users?orderBy={order}"
        whole = await sync.client.get(f"{place}&limit=10000", headers=headers)
        ids = [each["sourcedId"] for each in whole.json()["users"]]
        assert len(ids) == 2 * STEP + 301
        for offset in (STEP - 1, STEP, STEP + 1, 2 * STEP + 150, 2 * STEP + 300, 5 * STEP):
            page = await sync.client.get(f"{place}&limit=200&offset={offset}", headers=headers)
            assert [each["sourcedId"] for each in page.json()["users"]] == ids[offset : offset + 200]
            assert page.headers["x-total-count"] == str(len(ids))


async def test_a_list_is_counted_anew_when_a_roster_changed(filled):
    assert (await get(filled, V1_2, "/users", ROSTER_SCOPE)).headers["x-total-count"] == "11"
    ended = {"status": "tobedeleted", "dateLastModified": "2026-11-01T00:00:00Z"}
    delta = {"users": [{"sourcedId": "A-hs0", **ended}]}
    await filled.imported(make_package(delta, "delta"), filled.as_vendor("A"), mode="auto")
    assert (await get(filled, V1_2, "/users", ROSTER_SCOPE)).headers["x-total-count"] == "10"
