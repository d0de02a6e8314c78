"""The change feed: ordered, complete, never skipping a late commit, within the caller's schools."""

import asyncio
import re

from sqlalchemy import text

from shared.db.scope import EVERYTHING
from tests.integration.sync.packages import changed, make_package, school_files, without


async def read_all(sync, headers, cursor=None, **query):
    items = []
    while True:
        page = await sync.read("/sync/v1/changes", headers, **query, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["cursor"]
        if not page["more"]:
            return items, cursor


def told(items):
    return [(each["type"], each["sourcedId"], each["action"], each["version"]) for each in items]


async def put(sync, files, school="A"):
    done = await sync.imported(make_package(files), sync.as_vendor(school), mode="auto")
    assert done["state"] == "committed"
    await sync.settled()


async def test_the_feed_can_be_read_from_the_beginning_and_followed(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    await put(sync, files)
    first, cursor = await read_all(sync, vendor, limit="7")
    assert len(first) == sum(len(rows) for name, rows in files.items() if name != "orgs")
    assert {each["action"] for each in first} == {"added"}
    # Parents before children, so that a reader can keep references.
    kinds = [each["type"] for each in first]
    order = ["academicSessions", "courses", "classes", "users", "roles", "enrollments"]
    assert kinds == sorted(kinds, key=order.index)
    # Other databases of the cluster move both cursors on; what is behind them is the same nothing.
    latest = (await sync.read("/sync/v1/changes/latest", vendor))["cursor"]
    for place in (cursor, latest):
        assert (await read_all(sync, vendor, place))[0] == []

    renamed = {**files, "users": changed(files["users"], "A-hs0", familyName="Trần")}
    await put(sync, renamed)
    gone = {**renamed, "enrollments": without(files["enrollments"], "A-hs1-e")}
    await put(sync, gone)
    later, _ = await read_all(sync, vendor, cursor, limit="1")
    assert later == (await read_all(sync, vendor, latest))[0]
    assert told(later) == [("users", "A-hs0", "changed", 2), ("enrollments", "A-hs1-e", "removed", 2)]
    assert later[0]["record"]["familyName"] == "Trần"
    # The natural keys of an ended record are all there.
    assert later[1]["school"] == "A"
    assert later[1]["record"]["userSourcedId"] == "A-hs1"
    assert later[1]["record"]["classSourcedId"] == "A-lop2"


async def test_every_version_is_in_the_feed_also_when_it_was_overwritten(sync):
    await sync.put_schools("A")
    files = school_files("A", learners=30)
    for name in ("Nguyễn", "Trần", "Lê"):
        await put(sync, {**files, "users": changed(files["users"], "A-hs0", familyName=name)})
    items, _ = await read_all(sync, sync.as_vendor("A"), types="users", limit="3")
    names = [each["record"]["familyName"] for each in items if each["sourcedId"] == "A-hs0"]
    assert names == ["Nguyễn", "Trần", "Lê"]
    assert {each["type"] for each in items} == {"users"}


async def test_a_commit_that_comes_late_is_never_skipped(sync):
    await sync.put_schools("A", "B")
    department = sync.as_department
    _, cursor = await read_all(sync, department)
    insert = text(
        "INSERT INTO course (sourced_id, school_sourced_id, status, date_last_modified, version, last_import_id, "
        "title) VALUES (:id, :school, 'active', clock_timestamp(), 1, gen_random_uuid(), 'Toán')"
    )
    early_wrote, may_commit = asyncio.Event(), asyncio.Event()

    async def early():
        async with sync.runtime.units.begin(EVERYTHING) as uow:
            await uow.session.execute(insert, {"id": "early", "school": "A"})
            early_wrote.set()
            await may_commit.wait()

    task = asyncio.create_task(early())
    await early_wrote.wait()
    async with sync.runtime.units.begin(EVERYTHING) as uow:
        await uow.session.execute(insert, {"id": "late", "school": "B"})
    # The later transaction is committed, but the feed waits for the one that began before it.
    items, cursor = await read_all(sync, department, cursor)
    assert items == []
    may_commit.set()
    await task
    await sync.settled()
    items, cursor = await read_all(sync, department, cursor)
    assert [each["sourcedId"] for each in items] == ["early", "late"]
    assert (await read_all(sync, department, cursor))[0] == []


async def test_the_feed_tells_nothing_of_a_school_outside_the_grants(sync):
    await sync.put_schools("A", "B")
    for school in ("A", "B"):
        await put(sync, school_files(school), school)
    items, _ = await read_all(sync, sync.as_vendor("A"), limit="5")
    assert {each["school"] for each in items} == {"A"}
    assert (await read_all(sync, sync.as_vendor()))[0] == []
    assert {each["school"] for each in (await read_all(sync, sync.as_department))[0]} == {"A", "B"}


async def test_the_national_envelope_has_its_four_fields(sync):
    await sync.put_schools("A")
    files = school_files("A", learners=30)
    await put(sync, files)
    await put(sync, {**files, "users": changed(files["users"], "A-hs0", familyName="Trần")})
    await put(sync, {**files, "enrollments": without(files["enrollments"], "A-hs1-e")})
    vendor = sync.as_vendor("A")
    items, _ = await read_all(sync, vendor, profile="ndc")
    keys = [(each["IdBanGhi"], each["PhienBan"]) for each in items]
    assert len(set(keys)) == len(keys)
    events = {key: each["SuKien"] for key, each in zip(keys, items, strict=True)}
    assert events["users|A|A-hs0", 1] == "NEW"
    assert events["users|A|A-hs0", 2] == "UPdate"
    assert events["enrollments|A|A-hs1-e", 2] == "CANCEL"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", each["ThoiGianCapNhat"]) for each in items)


async def test_an_unknown_type_and_a_foreign_cursor_are_refused_and_a_cursor_of_another_database_says_so(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    for query, status, code in (
        ({"types": "users,pets"}, 422, "changes.typeUnknown"),
        ({"cursor": "abc"}, 400, "paging.cursor_invalid"),
        ({"cursor": "WyJhIiwwLCIiLCIiLDBd"}, 400, "paging.cursor_invalid"),
        ({"cursor": "Wzk5OTk5OTk5OTk5OSwwLCIiLCIiLDBd"}, 409, "changes.cursorAhead"),
    ):
        answer = await sync.client.get("/sync/v1/changes", headers=vendor, params=query)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
