"""A provider is read on a schedule; what is not what it should be stops the run, and nothing of it is imported."""

import asyncio
import datetime as dt
import signal
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from services.sync.bootstrap import SERVICE, pulls_of
from services.sync.domain.pull import RunKind, Schedule
from services.sync.main import create_app
from shared.clock import VIETNAM, SystemClock
from shared.service import build_runtime
from tests.integration.sync.provider import Provider, school_of_the_provider
from tests.integration.sync.stage import Sync, settings_for
from tests.support.outside import served
from tests.support.stack import Database
from tests.support.tokens import TestSigner

KEY = "k" * 40


@dataclass
class Pulling:
    sync: Sync
    provider: Provider
    url: str
    database: Database
    folder: Path
    waits: list[float] = field(default_factory=list)

    def body(self, **more):
        return {
            "clientId": "vendor",
            "baseUrl": self.url,
            "tokenUrl": f"{self.url}/token",
            "oauthClientId": "client",
            "oauthClientSecret": self.provider.secret,
            "onerosterVersion": self.provider.version,
            "schools": ["A"],
            "pageSize": 10,
            **more,
        }

    async def put(self, **more):
        headers = self.sync.as_department
        return await self.sync.client.put("/sync/v1/pulls/lms-mau", json=self.body(**more), headers=headers)

    async def run(self, kind, *, work=True):
        """Ask for a run, let the worker read and import, answer the run."""
        path, headers = "/sync/v1/pulls/lms-mau/runs", self.sync.as_department
        answer = await self.sync.client.post(path, json={"kind": kind}, headers=headers)
        assert answer.status_code == 202, answer.text
        if work:
            await self.work()
        return (await self.sync.read(path, headers))["items"][0]

    async def work(self):
        async def pause(seconds):
            self.waits.append(seconds)

        worker = pulls_of(self.sync.settings, SystemClock())
        worker.pause = pause
        await worker.drain(self.sync.runtime.engine, self.sync.runtime.units)
        await self.sync.work()

    async def count(self, table, where="status = 'active'"):
        return (await self.sync.sql(f"SELECT count(*) FROM {table} WHERE {where}"))[0]


@pytest.fixture
async def pulling(database, tmp_path):
    fresh = database("sync")
    settings = settings_for(fresh, tmp_path / "data", connector_key=KEY, allow_private_addresses=True)
    signer = TestSigner()
    runtime = build_runtime(SERVICE.name, settings, role="test")
    app = create_app(settings, runtime, verifier=signer.verifier())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sync.test") as client,
    ):
        sync = Sync(client, runtime, settings, signer)
        await sync.put_schools("A", "B")
        provider = Provider(lists=school_of_the_provider("A"))
        async with served(provider) as url:
            yield Pulling(sync, provider, url, fresh, tmp_path / "data")


@pytest.mark.parametrize("version", ["1.2", "1.1"])
async def test_a_full_run_imports_everything_and_a_delta_what_changed(pulling, version):
    pulling.provider.version = version
    pulling.provider.lists = school_of_the_provider("A", version=version)
    assert (await pulling.put()).status_code == 201
    run = await pulling.run("full")
    assert (run["state"], run["importState"], run["failure"]) == ("imported", "committed", None)
    assert (await pulling.count("enrollment"), await pulling.count("role"), await pulling.count("person")) == (
        15,
        15,
        15,
    )
    assert await pulling.sync.sql("SELECT subjects FROM class") == [["Lịch sử; Địa lí"]]
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    changed = pulling.provider.lists["users"][3]
    changed |= {"givenName": "Bình", "dateLastModified": later.isoformat().replace("+00:00", "Z")}
    gone = pulling.provider.lists["enrollments"][4]
    gone |= {"status": "tobedeleted", "dateLastModified": changed["dateLastModified"]}
    pulling.provider.queries.clear()
    run = await pulling.run("delta")
    assert (run["state"], run["importState"]) == ("imported", "committed"), run
    assert all("filter" in query for _, query in pulling.provider.queries if query["limit"] != "1")
    assert await pulling.sync.sql(f"SELECT given_name FROM person WHERE sourced_id = '{changed['sourcedId']}'") == [
        "Bình"
    ]
    assert await pulling.count("enrollment") == 14
    assert await pulling.count("role") == 15
    assert (await pulling.run("delta"))["state"] in {"unchanged", "imported"}
    assert await pulling.count("person_history", "true") == 1


@pytest.mark.parametrize(
    ("habit", "code", "path"),
    [
        ("short", "pull.pageShort", "/schools/A/enrollments"),
        ("grows", "pull.totalChanged", "/schools/A/enrollments"),
        ("repeats", "pull.pageRepeated", "/schools/A/enrollments"),
        ("hole", "pull.pageMissing", "/schools/A/enrollments"),
        ("forbids", "pull.forbidden", "/users"),
        ("html", "pull.notJson", "/users"),
    ],
)
async def test_a_reading_that_is_not_whole_imports_nothing_and_says_where(pulling, habit, code, path):
    await pulling.put()
    pulling.provider.habit = habit
    run = await pulling.run("full")
    assert (run["state"], run["failure"]["code"], run["failure"]["place"]["path"]) == ("failed", code, path)
    assert run["failure"]["messages"]["vi"] != run["failure"]["messages"]["en"]
    assert await pulling.sync.sql("SELECT count(*) FROM import") == [0]
    pulling.provider.habit = ""
    assert (await pulling.run("full"))["importState"] == "committed"


async def test_a_busy_provider_is_asked_again_after_the_time_it_names(pulling):
    await pulling.put()
    pulling.provider.busy = 2
    assert (await pulling.run("full"))["state"] == "imported"
    assert pulling.waits == [7.0, 7.0]


async def test_a_provider_that_stays_busy_fails_the_run_after_a_bounded_number_of_tries(pulling):
    await pulling.put()
    pulling.provider.busy = 1000
    run = await pulling.run("full")
    assert (run["state"], run["failure"]["code"], len(pulling.waits)) == ("failed", "pull.unavailable", 5)


async def test_a_token_that_ends_in_the_middle_is_renewed_once(pulling):
    await pulling.put()
    pulling.provider.habit = "ends"
    assert (await pulling.run("full"))["importState"] == "committed"
    assert pulling.provider.asked["/token"] == 2


async def test_a_scope_that_was_not_granted_is_told_apart_from_a_wrong_secret(pulling):
    await pulling.put()
    pulling.provider.habit = "grants nothing"
    assert (await pulling.run("full"))["failure"]["code"] == "pull.scopeRefused"


async def test_a_refused_secret_is_told_and_no_answer_ever_shows_one(pulling):
    put = await pulling.put(oauthClientSecret="wrong-secret")
    run = await pulling.run("full")
    assert run["failure"]["code"] == "pull.secretRefused"
    shown = await pulling.sync.client.get("/sync/v1/pulls/lms-mau", headers=pulling.sync.as_department)
    for answer in (put, shown):
        assert "wrong-secret" not in answer.text
        assert "oauthClientSecret" not in answer.json()
    assert "wrong-secret" not in (await pulling.sync.sql("SELECT secret FROM pull"))[0]


async def test_a_school_the_provider_does_not_know_is_no_empty_school(pulling):
    await pulling.put()
    await pulling.run("full")
    await pulling.put(schools=["A", "B"])
    run = await pulling.run("full")
    assert (run["state"], run["failure"]["code"]) == ("failed", "pull.schoolUnknown")
    assert await pulling.count("enrollment") == 15


async def test_a_provider_without_lists_of_schools_is_read_whole_and_sorted_by_school(pulling):
    pulling.provider.has_lists_of_schools = False
    other = school_of_the_provider("B")
    for name, rows in other.items():
        pulling.provider.lists[name] = pulling.provider.lists[name] + rows
    await pulling.put()
    assert (await pulling.run("full"))["importState"] == "committed"
    assert await pulling.sync.sql("SELECT DISTINCT school_sourced_id FROM enrollment") == ["A"]


async def test_an_interrupted_run_is_done_again_and_imports_once(pulling, monkeypatch):
    await pulling.put()

    def die(_name):
        raise RuntimeError("killed")

    monkeypatch.setattr("services.sync.usecases.work_pulls.failpoint", die)
    await pulling.run("full", work=False)
    worker = pulls_of(pulling.sync.settings, SystemClock())
    await worker.run_once(pulling.sync.runtime.engine, pulling.sync.runtime.units)
    await asyncio.gather(*worker._running.values())  # as its own rounds do
    await worker.claims.close()
    assert await pulling.sync.sql("SELECT count(*) FROM import") == [0]
    monkeypatch.undo()
    await pulling.work()
    assert await pulling.sync.sql("SELECT state FROM pull_run ORDER BY position") == ["interrupted", "imported"]
    assert await pulling.sync.sql("SELECT state FROM import") == ["committed"]


@pytest.mark.parametrize("step", ["sync.pull.crawled", "sync.pull.received"])
async def test_a_worker_killed_between_reading_and_handing_in_makes_one_import(pulling, start_service, step):
    await pulling.put()
    await pulling.run("full", work=False)
    where = {"DATA_DIR": str(pulling.folder), "CONNECTOR_KEY": KEY, "ALLOW_PRIVATE_ADDRESSES": "true"}
    dying = start_service("sync", pulling.database, module="worker", failpoint=step, wait=False, **where)
    assert await asyncio.to_thread(dying.until_dead) == -signal.SIGKILL
    assert await pulling.sync.sql("SELECT count(*) FROM import") == [0]
    await pulling.work()
    assert await pulling.sync.sql("SELECT state FROM pull_run ORDER BY position") == ["interrupted", "imported"]
    assert await pulling.sync.sql("SELECT state FROM import") == ["committed"]
    assert await pulling.count("person") == 15
    assert list((pulling.folder / "pulls").iterdir()) == []


async def test_the_schedule_runs_once_a_day_fully_on_its_day_and_not_while_paused(pulling):
    @dataclass
    class Hands:
        instant: dt.datetime

        def now(self):
            return self.instant

    answer = await pulling.put(runAt="01:30", fullOn="sunday")
    hands = Hands(dt.datetime.fromisoformat(answer.json()["state"]["nextRunAt"]))
    worker = pulls_of(pulling.sync.settings, hands)

    async def rounds():
        for _ in range(2):
            await worker.drain(pulling.sync.runtime.engine, pulling.sync.runtime.units)
            await pulling.sync.work()

    expected: list[str] = []
    for _ in range(8):
        is_sunday = hands.instant.astimezone(VIETNAM).weekday() == 6
        expected.append("full" if is_sunday or not expected else "delta")
        await rounds()
        hands.instant += dt.timedelta(days=1)
    kinds = "SELECT kind FROM pull_run ORDER BY position"
    assert await pulling.sync.sql(kinds) == expected
    await pulling.put(enabled=False)
    hands.instant += dt.timedelta(days=3)
    await rounds()
    assert await pulling.sync.sql(kinds) == expected


async def test_one_run_at_a_time_and_no_delta_before_a_full_one(pulling):
    await pulling.put()
    path, headers = "/sync/v1/pulls/lms-mau/runs", pulling.sync.as_department
    asked = [
        await pulling.sync.client.post(path, json={"kind": kind}, headers=headers) for kind in ("delta", "full", "full")
    ]
    assert [each.status_code for each in asked] == [409, 202, 409]
    assert [asked[0].json()["code"], asked[2].json()["code"]] == ["pull.fullFirst", "pull.running"]


async def test_a_new_token_address_needs_the_secret_again(pulling):
    await pulling.put()
    assert (await pulling.put(oauthClientSecret=None)).status_code == 200
    moved = await pulling.put(oauthClientSecret=None, tokenUrl=f"{pulling.url}/elsewhere")
    assert (moved.status_code, moved.json()["code"]) == (422, "connector.secretNeeded")


async def test_only_the_department_sets_up_a_pull_and_a_disabled_one_does_not_run(pulling):
    vendor = pulling.sync.as_vendor("A", scope="sync.orgs")
    path = "/sync/v1/pulls/lms-mau"
    assert (await pulling.sync.client.put(path, json=pulling.body(), headers=vendor)).status_code == 403
    await pulling.put(enabled=False)
    answer = await pulling.sync.client.post(f"{path}/runs", json={"kind": "full"}, headers=pulling.sync.as_department)
    assert (answer.status_code, answer.json()["code"]) == (409, "pull.disabled")
    assert (await pulling.sync.client.delete(path, headers=pulling.sync.as_department)).status_code == 204


def test_a_schedule_is_daily_and_full_once_a_week():
    night = Schedule(dt.time(1, 30), full_on=6)
    friday = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
    assert night.next_after(friday) == dt.datetime(2026, 11, 27, 18, 30, tzinfo=dt.UTC)
    saturday_full = dt.datetime(2026, 11, 21, 18, 31, tzinfo=dt.UTC)  # Sunday 01:31 in Vietnam
    assert night.kind_at(friday, saturday_full) is RunKind.DELTA
    assert night.kind_at(dt.datetime(2026, 11, 28, 18, 31, tzinfo=dt.UTC), saturday_full) is RunKind.FULL
    assert night.kind_at(friday, None) is RunKind.FULL
