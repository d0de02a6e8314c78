"""Every reading operation of the official resources file against the answers of the library's own provider."""

import pytest

from services.materials.domain.resources import BASE
from tests.contract.sync.official import operations
from tests.integration.materials.conftest import library, settings  # noqa: F401  # the fixtures of the service
from tests.integration.materials.public import publish, put_on_shelf, share, withdraw
from tests.integration.materials.shelf import SCHOOL_A, SCHOOL_B, vendor

SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
FULL = f"{SCOPE}resource.readonly"
OF_A, OF_B = vendor(SCHOOL_A, scope=FULL), vendor(SCHOOL_B, scope=FULL)
CORE = vendor(SCHOOL_A, scope=f"{SCOPE}resource-core.readonly")


async def ask(library, path: str = "/resources", who=OF_A, **query):  # noqa: F811  # the fixture
    return await library.client.get(BASE + path, headers=who, params=query)


async def ids(library, who=OF_A, **query):  # noqa: F811
    answer = await ask(library, who=who, **query)
    assert answer.status_code == 200, answer.text
    found = [each["sourcedId"] for each in answer.json()["resources"]]
    if "limit" not in query:
        assert answer.headers["x-total-count"] == str(len(found))
    return found


async def test_every_operation_answers_as_the_standard_says(library):  # noqa: F811
    material = await share(library)
    for each in operations("resources"):
        path = each.path.format(**dict.fromkeys(each.parents, material["id"]))
        for query in ({}, {"fields": "title,sourcedId"}):
            answer = await ask(library, path, **query)
            assert answer.status_code == 200, (path, answer.text)
            each.validate(200, answer.json(), selected=bool(query))
            if not each.is_single:
                count = len(answer.json()["resources"])
                assert answer.headers["x-total-count"] == str(count) == ("1" if path == "/resources" else "0")
        answer = await library.client.get(BASE + path)
        each.validate(401, answer.json())
        assert answer.status_code == 401
        assert (await ask(library, path, CORE)).status_code == (200 if len(each.scopes) == 2 else 403)
        assert (await ask(library, path, vendor(SCHOOL_A))).status_code == 403


async def test_every_error_is_one_of_the_standards(library):  # noqa: F811
    (every,) = [each for each in operations("resources") if each.path == "/resources"]
    for query, minor in (
        ({"filter": "x"}, "invalid_filter_field"),
        ({"filter": "colour='red'"}, "invalid_filter_field"),
        ({"filter": "dateLastModified>'soon'"}, "invalid_filter_field"),
        ({"fields": "colour"}, "invalid_selection_field"),
        ({"sort": "colour"}, "invalid_sort_field"),
        ({"limit": "0"}, "invaliddata"),
    ):
        answer = await ask(library, **query)
        assert answer.status_code == 400, query
        every.validate(400, answer.json())
        (field,) = answer.json()["imsx_CodeMinor"]["imsx_codeMinorField"]
        assert field["imsx_codeMinorFieldValue"] == minor
    for unknown in ("nothing", "0192f0c1-7d3a-7c55-8d1e-2f4b6a8c0e12", "a%00b"):
        answer = await ask(library, f"/resources/{unknown}")
        assert answer.status_code == 404
        every.validate(404, answer.json())


async def test_a_vendor_sees_what_its_schools_use_and_what_the_city_shares(library):  # noqa: F811
    own, shared, restricted = (
        await publish(library),
        await share(library),
        await share(library, licence="LicenseRef-school-internal"),
    )
    await library.create()
    assert await ids(library) == sorted([own["id"], shared["id"], restricted["id"]])
    assert await ids(library, OF_B) == sorted([shared["id"], restricted["id"]])
    assert (await ask(library, f"/resources/{own['id']}", OF_B)).status_code == 404
    seen = (await ask(library, f"/resources/{shared['id']}", OF_B)).json()["resource"]
    assert (seen["title"], seen["roles"], seen["importance"]) == (shared["title"], ["student", "teacher"], "primary")
    assert seen["vendorResourceId"] == shared["id"]
    assert seen["metadata"]["lienThong.place"] == "shared"
    mine = (await ask(library, f"/resources/{shared['id']}")).json()["resource"]
    assert mine["metadata"]["lienThong.place"] == "school"


async def test_a_list_is_filtered_sorted_and_paged(library):  # noqa: F811
    one, two, three = [await publish(library, title=f"Bài {n}") for n in (1, 2, 3)]
    for written, expected in (
        ("title='Bài 2'", [two]),
        ("title!='Bài 2'", [one, three]),
        ("title~'BÀI'", [one, two, three]),
        ("title='Bài 1' OR title>='Bài 3'", [one, three]),
        ("roles='teacher' AND title<'Bài 2'", [one]),
        ("roles!='teacher'", []),
        ("roles~'stud'", [one, two, three]),
        ("roles>'student'", [one, two, three]),
        ("roles>'teacher'", []),
        ("dateLastModified>'2026-01-01'", [one, two, three]),
        ("dateLastModified<'2026-01-01T00:00:00Z'", []),
        ("status='tobedeleted'", []),
        ("applicationId='lien-thong-library'", [one, two, three]),
    ):
        assert await ids(library, filter=written) == [each["id"] for each in expected], written
    titled = await ids(library, sort="title", orderBy="desc")
    assert titled == [three["id"], two["id"], one["id"]]
    page = await ask(library, limit=1, offset=1, sort="title")
    assert [each["title"] for each in page.json()["resources"]] == ["Bài 2"]
    assert page.headers["x-total-count"] == "3"
    assert page.headers["link"].count("rel=") == 4
    start = f'<{library.settings.public_url}{BASE}/resources?sort=title&limit=1&offset=2>; rel="next"'
    assert start in page.headers["link"]


@pytest.mark.parametrize("who", [OF_A, OF_B], ids=["its school", "another school"])
async def test_an_ended_resource_is_there_for_who_asks_what_changed(library, who):  # noqa: F811
    material = await share(library)
    await withdraw(library, material)
    is_own = who is OF_A
    assert await ids(library, who) == ([material["id"]] if is_own else [])
    assert await ids(library, who, filter="dateLastModified>'2026-01-01'") == [material["id"]]
    one = (await ask(library, f"/resources/{material['id']}", who)).json()["resource"]
    assert one["status"] == ("active" if is_own else "tobedeleted")
    await put_on_shelf(library, material)
    assert await ids(library, who) == [material["id"]]
