"""What the other services hear: one event per school and commit, with numbers that equal what OneRoster returns."""

import asyncio
import json

import nats
import pytest
from sqlalchemy import text

from services.sync.bootstrap import SERVICE, uploads_of
from services.sync.usecases.work_through import ImportWork
from shared.db.scope import EVERYTHING
from shared.messaging.topology import declare_topology
from tests.integration.sync.packages import changed, make_package, school_files, together, without


async def events_of(sync, school):
    async with sync.runtime.units.begin(EVERYTHING) as uow:
        rows = await uow.session.execute(
            text("SELECT envelope FROM outbox WHERE aggregate = :a ORDER BY position"), {"a": f"roster:{school}"}
        )
        return [json.loads(row[0])["data"] for row in rows]


async def test_the_numbers_of_the_event_are_those_that_one_roster_returns(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = together(school_files("A", learners=30, grade="6"))
    files["classes"] = changed(files["classes"], "A-lop2", grades="07")
    files["classes"].append({**files["classes"][0], "sourcedId": "A-ghep", "grades": "6,7"})
    files["enrollments"].append({**files["enrollments"][0], "sourcedId": "A-more", "classSourcedId": "A-ghep"})
    done = await sync.imported(make_package(files), vendor, mode="auto")
    (event,) = await events_of(sync, "A")

    async def total(path, **query):
        answer = await sync.client.get(
            f"/ims/oneroster/rostering/v1p2/{path}", headers=vendor, params={"limit": "1"} | query
        )
        return int(answer.headers["x-total-count"])

    assert event["importId"] == done["id"]
    assert event["schoolSourcedId"] == "A"
    assert event["learners"] == await total("students") == 30
    assert event["teachers"] == event["staff"] == await total("teachers") == 1
    assert event["classes"] == await total("classes") == 3
    assert event["enrollments"] == await total("enrollments") == 32
    assert event["byGrade"] == [
        {"grade": "0", "learners": 1, "enrollments": 1},
        {"grade": "6", "learners": 15, "enrollments": 15},
        {"grade": "7", "learners": 15, "enrollments": 15},
    ]
    assert len(event["contentHash"]) == 64
    assert event["committedAt"].endswith(("Z", "+00:00"))


async def test_equal_rosters_have_equal_hashes_and_different_ones_do_not(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    await sync.imported(make_package(files), vendor, mode="auto")
    await sync.imported(make_package(files), vendor, mode="auto")
    other = {**files, "users": changed(files["users"], "A-hs0", givenName="Bình")}
    await sync.imported(make_package(other), vendor, mode="auto")
    first, second, third = [event["contentHash"] for event in await events_of(sync, "A")]
    assert first == second != third


async def test_an_event_names_no_person(sync):
    await sync.put_schools("A")
    await sync.imported(make_package(school_files("A")), sync.as_vendor("A"), mode="auto")
    (event,) = await events_of(sync, "A")
    assert "Nguyễn" not in json.dumps(event, ensure_ascii=False)
    assert "A-hs" not in json.dumps(event)


async def test_each_school_of_a_package_has_its_own_event(sync):
    await sync.put_schools("A", "B")
    both = sync.as_vendor("A", "B")
    files = together(school_files("A", learners=4), school_files("B", learners=6))
    await sync.imported(make_package(files), both, mode="auto")
    (a,), (b,) = await events_of(sync, "A"), await events_of(sync, "B")
    assert (a["learners"], b["learners"]) == (4, 6)


async def test_an_ended_learner_is_no_longer_counted(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    await sync.imported(make_package(files), vendor, mode="auto")
    fewer = {name: without(rows, "A-hs0", "A-hs0-r", "A-hs0-e") for name, rows in files.items()}
    await sync.imported(make_package(fewer), vendor, mode="auto")
    assert [event["learners"] for event in await events_of(sync, "A")] == [30, 29]
    assert [event["enrollments"] for event in await events_of(sync, "A")] == [31, 30]


@pytest.mark.usefixtures("clean_streams")
async def test_with_nats_down_a_commit_succeeds_and_the_event_arrives_after_it_is_back(
    sync, own_nats, database, start_service, tmp_path
):
    import httpx  # noqa: PLC0415

    fresh = database("sync")
    client = await nats.connect(own_nats.url("admin"))
    await declare_topology(client.jetstream(), SERVICE.name, [], max_bytes=64 * 1024 * 1024)
    await client.close()
    place = {"DATA_DIR": str(tmp_path / "place"), "nats_url": own_nats.url("sync")}
    api = start_service("sync", fresh, **place)
    start_service("sync", fresh, module="worker", **place)
    own_nats.stop()
    async with httpx.AsyncClient(base_url=api.url, timeout=60) as http:
        department, vendor = sync.as_department, sync.as_vendor("A")
        for name, body in (
            ("SO-HCM", {"kind": "department", "name": "Sở"}),
            ("A", {"kind": "school", "name": "A", "level": "lower_secondary", "parents": [{"sourcedId": "SO-HCM"}]}),
        ):
            answer = await http.put(f"/sync/v1/orgs/{name}", json=body, headers=department)
            assert answer.status_code == 201
        answer = await http.post(
            "/sync/v1/imports?mode=auto",
            content=make_package(school_files("A")),
            headers=vendor | {"Content-Type": "application/zip"},
        )
        assert answer.status_code == 202
        while (await http.get(answer.headers["location"], headers=vendor)).json()["state"] != "committed":
            await asyncio.sleep(0.1)
    own_nats.start()
    client = await nats.connect(own_nats.url("admin"))
    subscription = await client.jetstream().subscribe("sync.roster.>", ordered_consumer=True)
    message = await subscription.next_msg(timeout=60)
    assert json.loads(message.data)["data"]["learners"] == 10
    await client.close()


async def test_the_worker_goes_on_where_another_one_stopped(sync):
    """Two workers at once do no import twice: the claim is a lock of the connection."""
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    await sync.upload(make_package(school_files("A")), vendor, mode="auto")
    uploads = uploads_of(sync.settings)
    workers = [ImportWork(uploads, 2) for _ in range(3)]
    await asyncio.gather(*(worker.drain(sync.runtime.engine, sync.runtime.units) for worker in workers))
    await sync.work()
    assert len(await events_of(sync, "A")) == 1
