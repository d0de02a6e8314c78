"""The process is killed at named steps; what was promised is kept, and nothing is done twice or by half."""

import asyncio
import signal

import httpx
import pytest
from sqlalchemy import text

from services.sync.bootstrap import build
from services.sync.settings import SyncSettings
from shared.db.scope import EVERYTHING
from tests.integration.sync.packages import make_package, school_files, together
from tests.integration.sync.stage import Sync
from tests.support.tokens import TestSigner

ORGS = (
    ("SO-HCM", {"kind": "department", "name": "Sở"}),
    ("A", {"kind": "school", "name": "A", "level": "lower_secondary", "parents": [{"sourcedId": "SO-HCM"}]}),
    ("B", {"kind": "school", "name": "B", "level": "lower_secondary", "parents": [{"sourcedId": "SO-HCM"}]}),
)
ZIP = {"Content-Type": "application/zip"}


@pytest.fixture
def tokens():
    return Sync(None, None, None, TestSigner())  # type: ignore[arg-type]  # only its tokens are used


@pytest.fixture
async def counted(database):
    """A database, and a way to count in it."""
    fresh = database("sync")
    runtime = build(SyncSettings(database_url=fresh.app_url, nats_url="nats://unused.invalid"), role="test")

    async def count(table: str, where: str = "true") -> int:
        async with runtime.units.begin(EVERYTHING) as uow:
            return (await uow.session.execute(text(f'SELECT count(*) FROM "{table}" WHERE {where}'))).scalar_one()

    yield fresh, count
    await runtime.close()


async def settle(http, tokens):
    for name, body in ORGS:
        (await http.put(f"/sync/v1/orgs/{name}", json=body, headers=tokens.as_department)).raise_for_status()


async def test_a_kill_after_commit_and_before_reply_and_a_retry_make_one_import(
    counted, start_service, tokens, tmp_path
):
    database, count = counted
    place = str(tmp_path / "data")
    alive = start_service("sync", database, DATA_DIR=place)
    async with httpx.AsyncClient(base_url=alive.url, timeout=60) as http:
        await settle(http, tokens)
    headers = tokens.as_vendor("A") | ZIP | {"Idempotency-Key": "retry-1"}
    package = make_package(school_files("A"))
    dying = start_service("sync", database, failpoint="http.committed", DATA_DIR=place)
    async with httpx.AsyncClient(base_url=dying.url, timeout=60) as http:
        with pytest.raises(httpx.TransportError):
            await http.post("/sync/v1/imports", content=package, headers=headers)
    assert dying.until_dead() == -signal.SIGKILL
    assert await count("import") == 1

    async with httpx.AsyncClient(base_url=alive.url, timeout=60) as http:
        answer = await http.post("/sync/v1/imports", content=package, headers=headers)
        assert answer.status_code == 202
        assert answer.headers["idempotency-replayed"] == "true"
        other = await http.post("/sync/v1/imports", content=make_package(school_files("B")), headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency.other_payload")
    assert await count("import") == 1
    kept = [path.name for path in (tmp_path / "data" / "uploads").glob("*.package")]
    assert kept == [f"{answer.json()['id']}.package"]


@pytest.mark.parametrize(
    "step",
    [
        "sync.import.staged",
        "sync.import.validated",
        "sync.import.school_written",
        "sync.import.school_committed",
    ],
)
async def test_a_worker_killed_at_any_step_is_gone_on_with_and_no_school_is_half_written(
    counted, start_service, tokens, tmp_path, nats_admin_url, clean_streams, step
):
    database, count = counted
    place = str(tmp_path / "data")
    api = start_service("sync", database, DATA_DIR=place)
    both = tokens.as_vendor("A", "B")
    package = make_package(together(school_files("A"), school_files("B")))
    async with httpx.AsyncClient(base_url=api.url, timeout=60) as http:
        await settle(http, tokens)
        receipt = await http.post("/sync/v1/imports?mode=auto", content=package, headers=both | ZIP)
        dying = start_service("sync", database, module="worker", failpoint=step, DATA_DIR=place, wait=False)
        assert dying.until_dead() == -signal.SIGKILL
        per_school = {await count("person", f"school_sourced_id = '{school}'") for school in "AB"}
        assert per_school <= {0, 11}
        assert sum(per_school) == (11 if step == "sync.import.school_committed" else 0)

        start_service("sync", database, module="worker", DATA_DIR=place, wait=False)
        while (await http.get(receipt.headers["location"], headers=both)).json()["state"] != "committed":
            await asyncio.sleep(0.1)
    assert await count("person") == 22
    assert await count("outbox", "subject = 'sync.roster.committed.v1'") == 2
    assert await count("staged_person") == 0
    assert list((tmp_path / "data" / "uploads").iterdir()) == []
