"""The OneRoster 1.2 provider: pages, filters, fields, errors, as interoperability demands them."""

import pytest

from tests.integration.sync.packages import make_package, school_files
from tests.integration.sync.stage import VENDOR_SCOPE

BASE = "/ims/oneroster/rostering/v1p2"


@pytest.fixture
async def vendor(sync):
    await sync.put_schools("A")
    headers = sync.as_vendor("A")
    await sync.imported(make_package(school_files("A", learners=30)), headers, mode="auto")
    return headers


async def get(sync, path, headers, **query):
    return await sync.client.get(f"{BASE}/{path}", headers=headers, params=query)


def links(answer):
    found = {}
    for part in answer.headers["link"].split(", "):
        url, rel = part.split("; ")
        found[rel.removeprefix('rel="').removesuffix('"')] = url[1:-1]
    return found


async def test_following_next_yields_every_record_once_in_code_point_order(sync, vendor):
    path, seen = f"{BASE}/students?limit=7", []
    while path:
        answer = await sync.client.get(path, headers=vendor)
        assert answer.headers["x-total-count"] == "30"
        seen += [each["sourcedId"] for each in answer.json()["users"]]
        path = links(answer).get("next")
        assert path is None or path.startswith("http://gateway.test/ims/")
    assert len(seen) == 30
    assert seen == sorted(set(seen))


async def test_link_has_first_and_last_always_and_prev_only_after_the_first_page(sync, vendor):
    first = links(await get(sync, "users", vendor, limit=10, filter="status='active'"))
    assert set(first) == {"first", "next", "last"}
    assert "filter=status%3D%27active%27" in first["next"]
    last = links(await sync.client.get(first["last"], headers=vendor))
    assert set(last) == {"first", "prev", "last"}


async def test_a_page_of_ten_thousand_is_honoured_and_never_clamped(sync, vendor):
    assert len((await get(sync, "users", vendor, limit=10000)).json()["users"]) == 31
    assert len((await get(sync, "users", vendor, limit=1000000)).json()["users"]) == 31


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"filter": "sourcedId='A-hs3'"}, {"A-hs3"}),
        ({"filter": "role='teacher'"}, {"A-gv"}),
        ({"filter": "sourcedId='A-hs3' OR sourcedId='A-gv'"}, {"A-hs3", "A-gv"}),
        ({"filter": "sourcedId>='A-hs8' AND sourcedId<'A-hs9'"}, {"A-hs8"}),
        ({"filter": "username~'HS2' AND username!='a-hs2'"}, {f"A-hs2{digit}" for digit in range(10)}),
        ({"filter": "dateLastModified>'2100-01-01'"}, set()),
        ({"filter": "status='tobedeleted'"}, set()),
        ({"filter": "roles.org.sourcedId='A' AND enabledUser='true'", "limit": "1"}, {"A-gv"}),
        ({"sort": "sourcedId", "orderBy": "desc", "limit": "1"}, {"A-hs9"}),
        ({"orderBy": "desc", "limit": "1"}, {"A-hs9"}),
        ({"sort": "familyName", "limit": "1"}, {"A-gv"}),
    ],
)
async def test_filters_and_sorting_follow_the_grammar(sync, vendor, query, expected):
    answer = await get(sync, "users", vendor, **query)
    assert answer.status_code == 200, answer.text
    assert {each["sourcedId"] for each in answer.json()["users"]} == expected


async def test_fields_are_taken_repeated_and_as_a_comma_list(sync, vendor):
    for query in ("fields=sourcedId,givenName", "fields=sourcedId&fields=givenName"):
        answer = await sync.client.get(f"{BASE}/users/A-gv?{query}", headers=vendor)
        assert answer.json() == {"user": {"sourcedId": "A-gv", "givenName": "An"}}


def assert_oneroster_error(answer, status, minor):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["imsx_codeMajor"] == "failure"
    assert body["imsx_severity"] == "error"
    assert body["imsx_description"].startswith("Liên Thông: ")
    (field,) = body["imsx_CodeMinor"]["imsx_codeMinorField"]
    assert field == {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}


@pytest.mark.parametrize(
    ("path", "query", "status", "minor"),
    [
        ("users", {"filter": "shoeSize='42'"}, 400, "invalid_filter_field"),
        ("users", {"filter": "status=active"}, 400, "invalid_filter_field"),
        ("users", {"filter": "dateLastModified>'yesterday'"}, 400, "invalid_filter_field"),
        ("users", {"filter": "a='1' AND b='2' AND c='3'"}, 400, "invalid_filter_field"),
        ("users", {"sort": "shoeSize"}, 400, "invalid_filter_field"),
        ("users", {"fields": "shoeSize"}, 400, "invalid_selection_field"),
        ("users", {"limit": "0"}, 400, "invaliddata"),
        ("users", {"offset": "-1"}, 400, "invaliddata"),
        ("users/nobody", {}, 404, "unknownobject"),
        ("shoes", {}, 404, "unknownobject"),
        ("schools/nowhere/terms", {}, 404, "unknownobject"),
        ("classes/nowhere/students", {}, 404, "unknownobject"),
        ("schools/A/classes/nowhere/enrollments", {}, 404, "unknownobject"),
    ],
)
async def test_errors_are_the_standards_and_never_problem_json(sync, vendor, path, query, status, minor):
    assert_oneroster_error(await get(sync, path, vendor, **query), status, minor)


async def test_without_token_or_scope_the_error_is_the_standards_too(sync, vendor):
    assert_oneroster_error(await get(sync, "users", {}), 401, "unauthorisedrequest")
    assert_oneroster_error(await get(sync, "users", {"Authorization": "Bearer x.y.z"}), 401, "unauthorisedrequest")
    poor = sync.as_vendor("A", scope="sync.read")
    assert_oneroster_error(await get(sync, "users", poor), 403, "forbidden")


async def test_the_core_scope_is_enough(sync, vendor):
    core = VENDOR_SCOPE.replace("roster.readonly", "roster-core.readonly")
    assert (await get(sync, "users", sync.as_vendor("A", scope=core))).status_code == 200


async def test_the_lists_of_a_school_are_its_own(sync, vendor):
    for collection, count in (("students", 30), ("teachers", 1), ("classes", 2), ("enrollments", 31), ("courses", 1)):
        assert (await get(sync, f"schools/A/{collection}", vendor)).headers["x-total-count"] == str(count)
    assert_oneroster_error(await get(sync, "schools/nowhere/students", vendor), 404, "unknownobject")
