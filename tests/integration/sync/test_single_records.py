"""One record by PUT and DELETE: the rules of a package, at once, with history, feed and a sealed roster."""

import datetime as dt

import pytest

from services.sync.usecases.seal_rosters import seal_rosters
from tests.integration.sync.gradebook_packages import gradebook_files
from tests.integration.sync.packages import make_package, school_files


@pytest.fixture
async def school(sync):
    """School A with its package, and B that the vendor has nothing to do with."""
    await sync.put_schools("A", "B")
    files = {**school_files("A"), **gradebook_files("A", results=3)}
    done = await sync.imported(make_package(files), sync.as_vendor("A"), mode="auto")
    assert done["state"] == "committed", done
    await sync.imported(make_package(school_files("B")), sync.as_vendor("B"), mode="auto")
    return sync.as_vendor("A")


async def put(sync, path, body, headers, **more):
    return await sync.client.put(f"/sync/v1/{path}", json=body, headers={**headers, **more})


async def one(sync, collection, headers):
    return (await sync.read(f"/sync/v1/{collection}", headers, limit="1"))["items"][0]


def counts_of(told, name):
    (found,) = [each for each in told["files"] if each["file"].startswith(name)]
    return found


async def errors_of(answer):
    assert answer.status_code == 422, answer.text
    return {(each["pointer"], each["code"]) for each in answer.json()["errors"]}


@pytest.mark.parametrize(
    "collection",
    [
        "academicSessions",
        "courses",
        "classes",
        "users",
        "enrollments",
        "lineItems",
        "results",
        "categories",
        "scoreScales",
        "resources",
        "classResources",
    ],
)
async def test_what_a_read_answered_may_be_sent_back_and_writes_nothing(sync, school, collection):
    found = await one(sync, collection, school)
    answer = await put(sync, f"{collection}/{found['sourcedId']}", found, school)
    assert (answer.status_code, answer.json()) == (200, found), answer.text
    assert answer.headers["etag"] == f'"{found["version"]}"'


async def test_a_change_makes_a_version_keeps_the_old_one_and_is_in_the_feed(sync, school):
    found = await one(sync, "classes", school)
    path = f"classes/{found['sourcedId']}"
    answer = await put(sync, path, found | {"title": "Toán 6A3, nhóm 2"}, school)
    assert (answer.status_code, answer.json()["title"], answer.json()["version"]) == (
        200,
        "Toán 6A3, nhóm 2",
        found["version"] + 1,
    )
    then = await sync.read(f"/sync/v1/{path}", school, asOf=found["recordedFrom"])
    assert then["title"] == found["title"]
    await sync.settled()
    feed = await sync.read("/sync/v1/changes", school, types="classes", limit="1000")
    assert [each["record"]["title"] for each in feed["items"] if each["sourcedId"] == found["sourcedId"]][-1] == (
        "Toán 6A3, nhóm 2"
    )
    told = await sync.read(f"/sync/v1/imports/{answer.json()['lastImportId']}", school)
    assert (told["state"], counts_of(told, "classes")["changed"]) == ("committed", 1)


async def test_a_new_record_is_created_with_references_as_objects(sync, school):
    enrolled = await one(sync, "enrollments", school)
    body = {
        "class": {"sourcedId": enrolled["classSourcedId"], "type": "class"},
        "user": {"sourcedId": enrolled["userSourcedId"], "type": "user"},
        "school": {"sourcedId": "A", "type": "org"},
        "role": "student",
        "beginDate": "2026-09-05",
    }
    answer = await put(sync, "enrollments/moi-1", body, school)
    assert answer.status_code == 201, answer.text
    assert answer.json()["classSourcedId"] == enrolled["classSourcedId"]
    again = await put(sync, "enrollments/moi-1", body, school)
    assert (again.status_code, again.json()["version"]) == (200, 1)


async def test_every_fault_is_told_at_once_with_its_place_and_nothing_is_written(sync, school):
    before = await sync.sql("SELECT count(*) FROM import")
    body = {"schoolSourcedId": "A", "role": "hoc sinh", "beginDate": "05/09/2026", "userSourcedId": "x", "tuoi": 3}
    answer = await put(sync, "enrollments/sai", body, school)
    assert await errors_of(answer) == {
        ("/role", "value.notInList"),
        ("/beginDate", "value.notDate"),
        ("/classSourcedId", "value.required"),
        ("/tuoi", "field.unknown"),
    }
    assert await sync.sql("SELECT count(*) FROM import") == before
    assert (await sync.client.get("/sync/v1/enrollments/sai", headers=school)).status_code == 404


async def test_a_reference_to_nothing_is_refused_with_the_field(sync, school):
    enrolled = await one(sync, "enrollments", school)
    left = await sync.sql("SELECT count(*) FROM staged_enrollment")
    answer = await put(sync, "enrollments/sai", enrolled | {"sourcedId": "sai", "classSourcedId": "khong-co"}, school)
    assert await errors_of(answer) == {("/classSourcedId", "reference.unknown")}
    assert await sync.sql("SELECT count(*) FROM staged_enrollment") == left


async def test_a_class_of_another_school_is_taken_even_when_the_vendor_cannot_see_it(sync, school):
    theirs = await one(sync, "classes", sync.as_vendor("B"))
    mine = await one(sync, "classes", school)
    answer = await put(sync, f"classes/{theirs['sourcedId']}", mine | {"sourcedId": theirs["sourcedId"]}, school)
    assert await errors_of(answer) == {("/sourcedId", "sourcedId.taken")}


async def test_a_foreign_school_does_not_exist(sync, school):
    theirs = await one(sync, "classes", sync.as_vendor("B"))
    answer = await put(sync, f"classes/{theirs['sourcedId']}", theirs | {"schoolSourcedId": "B"}, school)
    assert ("/schoolSourcedId", "org.unknown") in await errors_of(answer)
    gone = await sync.client.delete(f"/sync/v1/classes/{theirs['sourcedId']}", headers=school)
    assert gone.status_code == 404
    assert (await one(sync, "classes", sync.as_vendor("B")))["status"] == "active"


async def test_a_user_needs_a_role_and_roles_given_replace_those_of_the_school(sync, school):
    body = {"enabledUser": True, "username": "moi", "givenName": "An", "familyName": "Lê", "sms": "0901234567"}
    bare = await put(sync, "users/moi", body, school)
    assert ("/sourcedId", "user.noRole") in await errors_of(bare)
    roles = [{"roleType": "primary", "role": "student", "org": {"sourcedId": "A"}}]
    answer = await put(sync, "users/moi", body | {"roles": roles}, school)
    assert answer.status_code == 201, answer.text
    assert answer.headers["dropped-fields"] == "sms"
    teacher = [{"roleType": "primary", "role": "teacher", "org": {"sourcedId": "A"}}]
    assert (await put(sync, "users/moi", body | {"roles": teacher}, school)).status_code == 200
    (shown,) = [each for each in await sync.roster("users", school) if each["sourcedId"] == "moi"]
    assert [each["role"] for each in shown["roles"]] == ["teacher"]


async def test_delete_ends_the_record_and_what_hangs_on_it_and_twice_changes_nothing(sync, school):
    found = await one(sync, "classes", school)
    path = f"/sync/v1/classes/{found['sourcedId']}"
    for _ in range(2):
        assert (await sync.client.delete(path, headers=school)).status_code == 204
    ended = await sync.read(path, school)
    assert (ended["status"], ended["version"]) == ("tobedeleted", found["version"] + 1)
    where = f"class_sourced_id = '{found['sourcedId']}' AND status = 'active'"
    assert await sync.sql(f"SELECT count(*) FROM enrollment WHERE {where}") == [0]
    assert await sync.sql(f"SELECT count(*) FROM line_item WHERE {where}") == [0]
    assert (await sync.client.delete("/sync/v1/classes/khong-co", headers=school)).status_code == 404
    back = await put(sync, f"classes/{found['sourcedId']}", found, school)
    assert (back.status_code, back.json()["status"]) == (201, "active")


async def test_preconditions_guard_against_lost_updates(sync, school):
    found = await one(sync, "classes", school)
    path = f"classes/{found['sourcedId']}"
    tag = f'"{found["version"]}"'
    assert (await put(sync, path, found | {"title": "a"}, school, **{"If-Match": tag})).status_code == 200
    assert (await put(sync, path, found | {"title": "b"}, school, **{"If-Match": tag})).status_code == 412
    assert (await put(sync, path, found, school, **{"If-None-Match": "*"})).status_code == 412
    stale = await sync.client.delete(f"/sync/v1/{path}", headers={**school, "If-Match": tag})
    assert stale.status_code == 412
    assert (await put(sync, path, found, school, **{"If-Match": "abc"})).status_code == 422
    assert (
        await put(sync, "classes/moi", found | {"sourcedId": "moi"}, school, **{"If-Match": "*"})
    ).status_code == 412


async def test_the_school_must_be_said_when_nothing_tells_it(sync, school):
    both = sync.as_vendor("A", "B")
    body = {
        "title": "Học kỳ phụ",
        "type": "term",
        "startDate": "2027-06-01",
        "endDate": "2027-07-01",
        "schoolYear": "2027",
    }
    answer = await put(sync, "academicSessions/he", body, both)
    assert await errors_of(answer) == {("/school", "school.missing")}
    said = await sync.client.put("/sync/v1/academicSessions/he", json=body, headers=both, params={"school": "B"})
    assert (said.status_code, said.json()["school"]) == (201, "B")


async def test_an_authoritative_registry_holds_a_person_it_does_not_know(sync, school):
    loaded = await sync.client.post(
        "/sync/v1/registry/learners",
        content="sourcedId\nhs-da-cap\n",
        headers={**sync.as_department, "Content-Type": "text/csv"},
    )
    assert loaded.status_code in {200, 201}, loaded.text
    body = {
        "enabledUser": True,
        "username": "moi",
        "givenName": "An",
        "familyName": "Lê",
        "roles": [{"roleType": "primary", "role": "student", "org": {"sourcedId": "A"}}],
    }
    codes = {code for _, code in await errors_of(await put(sync, "users/moi", body, school))}
    assert "registry.unknown" in codes


async def test_records_written_one_by_one_are_sealed_once_with_one_event(sync, school):
    (before,) = await sync.sql("SELECT content_hash FROM school_roster WHERE school_sourced_id = 'A'")
    found = await one(sync, "classes", school)
    for title in ("x", "y", "z"):
        assert (await put(sync, f"classes/{found['sourcedId']}", found | {"title": title}, school)).status_code == 200
    events = "SELECT count(*) FROM outbox WHERE subject LIKE '%roster.committed%'"
    (told,) = await sync.sql(events)
    assert await seal_rosters(sync.runtime.units, dt.timedelta(hours=1)) == 0
    assert await seal_rosters(sync.runtime.units, dt.timedelta()) == 1
    assert await seal_rosters(sync.runtime.units, dt.timedelta()) == 0
    assert await sync.sql(events) == [told + 1]
    (after,) = await sync.sql("SELECT content_hash FROM school_roster WHERE school_sourced_id = 'A'")
    assert after != before


async def test_an_import_of_the_same_rows_finds_the_roster_as_the_records_left_it(sync, school):
    """A package and single records are one history: the package takes back what was changed by hand."""
    found = await one(sync, "classes", school)
    await put(sync, f"classes/{found['sourcedId']}", found | {"title": "x"}, school)
    files = {**school_files("A"), **gradebook_files("A", results=3)}
    done = await sync.imported(make_package(files), school, mode="auto")
    assert (done["state"], counts_of(done, "classes")["changed"]) == ("committed", 1)
    assert await sync.sql("SELECT count(*) FROM school_roster WHERE unsealed_since IS NOT NULL") == [0]


async def test_the_scope_and_a_grant_are_needed(sync, school):
    found = await one(sync, "classes", school)
    reader = sync.as_vendor("A", scope="sync.read")
    assert (await put(sync, f"classes/{found['sourcedId']}", found, reader)).status_code == 403
    stranger = sync.as_vendor("B", sub="stranger")
    answer = await put(sync, f"classes/{found['sourcedId']}", found, stranger)
    assert ("/schoolSourcedId", "org.unknown") in await errors_of(answer)
