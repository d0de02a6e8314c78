"""Undo: the newest commit of a school is taken back by a new import, never by forgetting."""

from tests.integration.sync.packages import changed, make_package, school_files, together, without

REASON = {"reason": "gửi nhầm gói của năm trước"}


async def put(sync, files, *schools):
    done = await sync.imported(make_package(files), sync.as_vendor(*schools or ("A",)), mode="auto")
    assert done["state"] == "committed"
    return done


def altered(files):
    """A learner leaves, one is renamed, one is new."""
    new = {"enabledUser": "true", "username": "moi", "givenName": "Bình", "familyName": "Lê", "grades": "6"}
    role = {"userSourcedId": "A-moi", "roleType": "primary", "role": "student", "orgSourcedId": "A"}
    member = {"classSourcedId": "A-lop1", "schoolSourcedId": "A", "userSourcedId": "A-moi", "role": "student"}
    users = changed(without(files["users"], "A-hs1"), "A-hs0", familyName="Trần")
    return {
        **files,
        "users": [*users, {"sourcedId": "A-moi", **new}],
        "roles": [*without(files["roles"], "A-hs1-r"), {"sourcedId": "A-moi-r", **role}],
        "enrollments": [*without(files["enrollments"], "A-hs1-e"), {"sourcedId": "A-moi-e", **member}],
    }


async def content(sync, school="A"):
    rows = await sync.sql(f"SELECT content_hash FROM school_roster WHERE school_sourced_id = '{school}'")
    return rows[0]


async def revert(sync, imported, headers):
    return await sync.client.post(f"/sync/v1/imports/{imported['id']}/revert", json=REASON, headers=headers)


async def test_a_revert_of_the_newest_commit_writes_the_inverse_as_a_new_import(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    await put(sync, files)
    before = await content(sync)
    wrong = await put(sync, altered(files))
    after = await content(sync)
    assert after != before

    answer = await revert(sync, wrong, vendor)
    assert answer.status_code == 202, answer.text
    undoing = answer.json()
    assert undoing["receipt"] > wrong["receipt"]
    assert undoing["revertOf"] == wrong["id"]
    diff = await sync.read(f"/sync/v1/imports/{undoing['id']}/diff", vendor, limit="500")
    assert {(each["type"], each["sourcedId"], each["action"]) for each in diff["items"]} == {
        ("users", "A-hs0", "changed"),
        ("users", "A-hs1", "added"),
        ("roles", "A-hs1-r", "added"),
        ("enrollments", "A-hs1-e", "added"),
        ("users", "A-moi", "removed"),
        ("roles", "A-moi-r", "removed"),
        ("enrollments", "A-moi-e", "removed"),
    }
    await sync.work()
    done = await sync.read(answer.headers["location"], vendor)
    assert done["state"] == "committed"
    assert await content(sync) == before

    # The undoing is a commit like any other: it can be undone, the first import cannot be undone a second time.
    again = await revert(sync, wrong, vendor)
    assert (again.status_code, again.json()["code"]) == (409, "import.notNewest")
    assert (await revert(sync, done, vendor)).status_code == 202
    await sync.work()
    assert await content(sync) == after


async def test_only_the_newest_commit_of_each_school_can_be_undone(sync):
    await sync.put_schools("A", "B")
    both = await put(sync, together(school_files("A"), school_files("B")), "A", "B")
    await put(
        sync, {**school_files("B"), "classes": changed(school_files("B")["classes"], "B-lop1", title="6 mới")}, "B"
    )
    answer = await revert(sync, both, sync.as_vendor("A", "B"))
    assert (answer.status_code, answer.json()["code"]) == (409, "import.notNewest")
    assert answer.json()["schools"] == ["B"]
    # Of school A it is the newest: its head may undo that part, and nothing else is touched.
    unchanged = await content(sync, "B")
    answer = await revert(sync, both, sync.as_person("A", "head"))
    assert answer.status_code == 202, answer.text
    await sync.work()
    assert await sync.roster("users", sync.as_vendor("A")) == []
    assert await content(sync, "B") == unchanged


async def test_a_vendors_too_large_undoing_waits_for_the_school(sync):
    await sync.put_schools("A")
    first = await put(sync, school_files("A"))
    answer = await revert(sync, first, sync.as_vendor("A"))
    assert answer.status_code == 202
    assert answer.json()["state"] == "held"


async def test_what_was_committed_in_between_is_not_taken_back_unseen(sync):
    await sync.put_schools("A")
    files = school_files("A", learners=30)
    await put(sync, files)
    wrong = await put(sync, altered(files))
    undoing = (await revert(sync, wrong, sync.as_person("A", "data_officer"))).json()
    assert undoing["state"] == "committing"
    await sync.sql("UPDATE school_roster SET version = version + 1 RETURNING 1")
    await sync.work()
    held = await sync.read(f"/sync/v1/imports/{undoing['id']}", sync.as_person("A", "data_officer"))
    assert held["state"] == "held"
    assert "olderThanCommitted" in {each["code"] for each in held["holdReasons"]}


async def test_only_the_sender_or_the_school_undoes_and_only_what_is_committed(sync):
    await sync.put_schools("A", "B")
    done = await put(sync, school_files("A"))
    for caller, status, code in (
        (sync.as_person("A", "teacher"), 403, "role.missing"),
        (sync.as_person("B", "head"), 404, "import.unknown"),
        (sync.as_vendor("A", sub="rival"), 404, "import.unknown"),
    ):
        answer = await revert(sync, done, caller)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    ready = await sync.imported(make_package(school_files("A")), sync.as_vendor("A"))
    answer = await revert(sync, ready, sync.as_vendor("A"))
    assert (answer.status_code, answer.json()["code"]) == (409, "import.wrongState")
    path = f"/sync/v1/imports/{done['id']}/revert"
    answer = await sync.client.post(path, json={"reason": "  "}, headers=sync.as_vendor("A"))
    assert (answer.status_code, answer.json()["code"]) == (422, "reason.missing")
