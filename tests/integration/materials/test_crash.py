"""The API is killed at a named step; the caller repeats the request with the same Idempotency-Key."""

import signal

import httpx
import pytest
from sqlalchemy import text

from services.materials.bootstrap import build
from services.materials.settings import MaterialsSettings
from shared.db.scope import EVERYTHING
from tests.integration.materials.panel import API, CITY_HEAD, OFFICER, REVIEWERS, SCORES
from tests.integration.materials.shelf import HEAD, LEAD, PATH, SCHOOL_B, TEACHER, contents, parts, settle_city

MOVED = "outbox WHERE position('review.moved' IN convert_from(envelope, 'UTF8')) > 0"
KEY = {"Idempotency-Key": "retry-1"}


@pytest.fixture
async def place(database):
    """A database with the small city in it."""
    fresh = database("materials")
    settings = MaterialsSettings(database_url=fresh.app_url, nats_url="nats://unused.invalid")
    runtime = build(settings, role="api")
    await settle_city(runtime.units)
    yield fresh, runtime
    await runtime.close()


async def count(runtime, table: str) -> int:
    async with runtime.units.begin(EVERYTHING) as uow:
        return (await uow.session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()


@pytest.mark.parametrize(("step", "rows_left"), [("materials.file.stored", 0), ("http.committed", 1)])
async def test_a_kill_while_creating_and_a_retry_make_one_material(place, start_service, tmp_path, step, rows_left):
    database, runtime = place
    dying = start_service("materials", database, failpoint=step, DATA_DIR=str(tmp_path / "data"))
    async with httpx.AsyncClient(base_url=dying.url, timeout=60) as client:
        with pytest.raises(httpx.TransportError):
            await client.post(PATH, headers=TEACHER | KEY, **parts())
    assert dying.until_dead() == -signal.SIGKILL
    assert await count(runtime, "material") == rows_left

    alive = start_service("materials", database, DATA_DIR=str(tmp_path / "data"))
    async with httpx.AsyncClient(base_url=alive.url, timeout=60) as client:
        answer = await client.post(PATH, headers=TEACHER | KEY, **parts())
        assert answer.status_code == 201
        file = await client.get(f"{PATH}/{answer.json()['id']}/file", headers=TEACHER)
    assert file.status_code == 200
    assert await count(runtime, "material") == 1
    assert contents(tmp_path / "data" / "files" / "content") == [answer.json()["file"]["sha256"]]


@pytest.mark.parametrize(("step", "moved"), [("materials.review.moved", False), ("http.committed", True)])
async def test_a_kill_at_any_step_on_the_way_to_approval_and_a_retry_make_each_step_once(
    place, start_service, tmp_path, step, moved
):
    database, runtime = place
    alive = start_service("materials", database, DATA_DIR=str(tmp_path / "data"))
    async with httpx.AsyncClient(base_url=alive.url, timeout=60) as client:
        url = f"{PATH}/{(await client.post(PATH, headers=TEACHER, **parts())).json()['id']}"
    told, way = 0, (("submit", TEACHER, 1), ("pass", LEAD, 1), ("approve", HEAD, 2))
    for action, who, events in way:  # an approval publishes in the same step
        key = who | {"Idempotency-Key": f"retry-{action}"}
        dying = start_service("materials", database, failpoint=step, DATA_DIR=str(tmp_path / "data"))
        async with httpx.AsyncClient(base_url=dying.url, timeout=60) as client:
            with pytest.raises(httpx.TransportError):
                await client.post(f"{url}/{action}", headers=key)
        assert dying.until_dead() == -signal.SIGKILL
        assert await count(runtime, MOVED) == told + (events if moved else 0)
        async with httpx.AsyncClient(base_url=alive.url, timeout=60) as client:
            again = await client.post(f"{url}/{action}", headers=key)
        assert again.status_code == 200
        assert ("Idempotency-Replayed" in again.headers) is moved
        told += events
        assert (await count(runtime, MOVED), await count(runtime, "review_step")) == (told, told)
    assert again.json()["state"] == "published"
    assert await count(runtime, "outbox WHERE position('material.approved' IN convert_from(envelope, 'UTF8')) > 0") == 1


async def appraised(client: httpx.AsyncClient) -> str:
    """The address of a proposal that has both appraisals and waits for its lead."""
    made = (await client.post(PATH, headers=TEACHER, **parts())).json()
    for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)):
        assert (await client.post(f"{PATH}/{made['id']}/{action}", headers=who)).status_code == 200
    seat = {"schoolSourcedId": SCHOOL_B, "subjects": ["mathematics"], "levels": ["lower_secondary"]}
    for name in ("thay-b", "co-c"):
        member = seat | {"person": name, "validFrom": "2026-01-01"}
        assert (await client.post(f"{API}/panel/members", headers=OFFICER, json=member)).status_code == 201
    proposal = (await client.post(f"{PATH}/{made['id']}/propose", headers=CITY_HEAD)).json()
    said = {"scores": SCORES, "recommendation": "share", "comment": "Đã xem."}
    for name in ("thay-b", "co-c"):
        (item,) = (await client.get(f"{API}/appraisal-queue", headers=REVIEWERS[name])).json()["items"]
        url = f"{API}/appraisals/{item['appraisalId']}/submit"
        assert (await client.post(url, headers=REVIEWERS[name], json=said)).status_code == 200
    return f"{API}/proposals/{proposal['id']}"


@pytest.mark.parametrize(("step", "rows_left"), [("materials.proposal.shared", 0), ("http.committed", 1)])
async def test_a_kill_at_the_commit_of_a_share_and_a_retry_make_one_shelf_item_and_one_event(
    place, start_service, tmp_path, step, rows_left
):
    database, runtime = place
    alive = start_service("materials", database, DATA_DIR=str(tmp_path / "data"))
    async with httpx.AsyncClient(base_url=alive.url, timeout=60) as client:
        url = await appraised(client)

    dying = start_service("materials", database, failpoint=step, DATA_DIR=str(tmp_path / "data"))
    async with httpx.AsyncClient(base_url=dying.url, timeout=60) as client:
        with pytest.raises(httpx.TransportError):
            await client.post(f"{url}/share", headers=OFFICER | KEY)
    assert dying.until_dead() == -signal.SIGKILL
    told = "outbox WHERE position('shelf.changed' IN convert_from(envelope, 'UTF8')) > 0"
    assert (await count(runtime, "shelf_item"), await count(runtime, told)) == (rows_left, rows_left)

    async with httpx.AsyncClient(base_url=alive.url, timeout=60) as client:
        again = await client.post(f"{url}/share", headers=OFFICER | KEY)
    assert (again.status_code, again.json()["state"]) == (200, "shared")
    assert (await count(runtime, "shelf_item"), await count(runtime, told)) == (1, 1)
