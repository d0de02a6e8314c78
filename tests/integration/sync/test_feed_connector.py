"""The change feed is pushed to a receiver that fails, lies down and refuses: in the end it holds what is."""

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import json
import random
import signal
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.sync.bootstrap import SERVICE, feeds_of
from services.sync.main import create_app
from services.sync.usecases import push_feed
from shared.clock import SystemClock
from shared.service import build_runtime
from tests.integration.sync.gradebook_packages import gradebook_files
from tests.integration.sync.packages import changed, make_package, school_files
from tests.integration.sync.stage import Sync, settings_for
from tests.support.outside import served
from tests.support.stack import Database
from tests.support.tokens import TestSigner

KEY = "k" * 40
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


@dataclass
class Receiver:
    """Keeps the newest version of each record by its key; `mood(rows)` may answer something else than 200."""

    mood: Any = None
    held: dict[Any, Any] = field(default_factory=dict)
    versions: dict[Any, list[int]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[str, bytes] = field(default_factory=dict)
    requests: list[Any] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, extra = self.take(headers, body)
        names = [(b"content-type", b"application/json"), *((k.encode(), v.encode()) for k, v in extra.items())]
        await send({"type": "http.response.start", "status": status, "headers": names})
        await send({"type": "http.response.body", "body": b'{"said": "no"}' if status >= 400 else b"{}"})

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        document = json.loads(body)
        self.requests.append((headers, document))
        before = self.keys.setdefault(headers["idempotency-key"], body)
        assert before == body, "one key for two contents"
        status, extra = self.mood(document["changes"]) if self.mood else (200, {})
        if status >= 400:
            return status, extra
        for each in document["changes"]:
            key = each["type"], each["school"], each["sourcedId"]
            self.versions[key].append(each["version"])
            if each["version"] >= self.held.get(key, {"version": 0})["version"]:
                self.held[key] = each
        # The answer of what was taken may still be lost.
        return status, extra


@dataclass
class Pushing:
    sync: Sync
    receiver: Receiver
    url: str
    database: Database
    folder: Path

    async def put(self, **more: Any) -> httpx.Response:
        body = {"url": f"{self.url}/in", "batchSize": 7, **more}
        headers = self.sync.as_department
        return await self.sync.client.put("/sync/v1/feeds/csdl-nganh", json=body, headers=headers)

    async def state(self) -> Any:
        return (await self.sync.read("/sync/v1/feeds/csdl-nganh", self.sync.as_department))["state"]

    async def work(self, rounds: int = 1) -> None:
        """Rounds of the worker; the pauses between them are over."""
        for _ in range(rounds):
            await self.sync.settled()
            await self.sync.sql("UPDATE feed SET next_try_at = NULL RETURNING id")
            worker = feeds_of(self.sync.settings, SystemClock())
            await worker.drain(self.sync.runtime.engine, self.sync.runtime.units)

    async def expected(self) -> dict[Any, Any]:
        """What reading the feed from the beginning leaves."""
        found: dict[Any, Any] = {}
        page = await self.sync.read("/sync/v1/changes", self.sync.as_department, limit="1000")
        assert not page["more"]
        for each in page["items"]:
            found[each["type"], each["school"], each["sourcedId"]] = each
        return found

    async def letters(self) -> Any:
        path = "/sync/v1/feeds/csdl-nganh/dead-letters"
        return (await self.sync.read(path, self.sync.as_department, limit="500"))["items"]


@pytest.fixture
async def pushing(database, tmp_path):
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
        await imported(sync, "A")
        receiver = Receiver()
        async with served(receiver) as url:
            yield Pushing(sync, receiver, url, fresh, tmp_path / "data")


async def imported(sync: Sync, school: str, **titles: str) -> None:
    files = {**school_files(school), **gradebook_files(school, results=5)}
    for sourced_id, title in titles.items():
        files["classes"] = changed(files["classes"], sourced_id.replace("_", "-"), title=title)
    done = await sync.imported(make_package(files), sync.as_vendor(school), mode="auto")
    if done["state"] == "held":
        headers = {**sync.as_person(school, "head"), "Idempotency-Key": f"r-{done['id']}"}
        await sync.client.post(f"/sync/v1/imports/{done['id']}/release", json={"reason": "đúng"}, headers=headers)
        await sync.work()


def comparable(held: dict[Any, Any]) -> dict[Any, Any]:
    return {key: (each["version"], each["action"], each["record"]) for key, each in held.items()}


async def test_a_receiver_gets_everything_in_order_and_then_what_changes(pushing):
    assert (await pushing.put()).status_code == 201
    await pushing.sync.settled()
    assert (await pushing.state())["waitingSince"] is not None
    await pushing.work()
    assert comparable(pushing.receiver.held) == comparable(await pushing.expected())
    state = await pushing.state()
    assert (state["waitingSince"], state["failures"], state["delivered"]) == (None, 0, len(pushing.receiver.held))
    sent = len(pushing.receiver.requests)
    await pushing.work()
    assert len(pushing.receiver.requests) == sent
    (first,) = await pushing.sync.sql("SELECT sourced_id FROM class WHERE school_sourced_id = 'A' ORDER BY 1 LIMIT 1")
    await imported(pushing.sync, "A", **{first.replace("-", "_"): "đổi tên"})
    await pushing.work()
    assert comparable(pushing.receiver.held) == comparable(await pushing.expected())
    assert pushing.receiver.versions["classes", "A", first] == [1, 2]


@pytest.mark.parametrize("seed", range(4))
async def test_a_receiver_that_fails_at_random_loses_nothing_and_keeps_the_order(pushing, seed):
    chance = random.Random(seed)
    taken = pushing.receiver.take

    def moody(headers, body):
        """Busy, broken, or it takes the batch and the answer gets lost."""
        roll = chance.random()
        if roll < 0.3:
            return chance.choice([(429, {"retry-after": "3"}), (500, {}), (503, {}), (401, {}), (302, {})])
        answer = taken(headers, body)
        return (502, {}) if roll < 0.45 else answer

    pushing.receiver.take = moody
    await pushing.put(batchSize=5)
    for number in range(60):
        if number == 10:
            (first,) = await pushing.sync.sql("SELECT min(sourced_id) FROM class WHERE school_sourced_id = 'A'")
            await imported(pushing.sync, "A", **{first.replace("-", "_"): "đổi tên"})
        await pushing.work()
        if number > 10 and (await pushing.state())["waitingSince"] is None:
            break
    assert comparable(pushing.receiver.held) == comparable(await pushing.expected())
    assert all(seen == sorted(seen) for seen in pushing.receiver.versions.values())


async def test_a_receiver_that_is_away_is_waited_for_and_told_about(pushing):
    await pushing.put(url="http://127.0.0.1:9/in")
    await pushing.work(3)
    state = await pushing.state()
    assert (state["failures"], state["lastError"]["code"]) == (3, "feed.unreachable")
    assert state["cursor"] is None
    await pushing.put()
    await pushing.work()
    assert comparable(pushing.receiver.held) == comparable(await pushing.expected())


async def test_a_refused_record_is_put_aside_with_its_reason_and_the_rest_goes_on(pushing):
    bad = {"A-kq1", "A-kq3"}
    pushing.receiver.mood = lambda rows: (422, {}) if bad & {each["sourcedId"] for each in rows} else (200, {})
    await pushing.put()
    await pushing.work(2)
    letters = await pushing.letters()
    refused = {key for key in await pushing.expected() if key[2] in bad}
    assert {(each["type"], each["school"], each["sourcedId"]) for each in letters} == refused
    assert {(each["status"], each["answer"]) for each in letters} == {(422, '{"said": "no"}')}
    assert pushing.receiver.held.keys() == (await pushing.expected()).keys() - refused
    path = "/sync/v1/feeds/csdl-nganh/dead-letters/replay"
    headers = pushing.sync.as_department
    assert (await pushing.sync.client.post(path, headers=headers)).json() == {"asked": len(refused)}
    await pushing.work()
    assert {each["tries"] for each in await pushing.letters()} == {2}
    pushing.receiver.mood = None
    await pushing.sync.client.post(path, headers=headers)
    await pushing.work()
    assert await pushing.letters() == []
    assert comparable(pushing.receiver.held) == comparable(await pushing.expected())


async def test_a_receiver_that_refuses_everything_is_left_alone_and_nothing_more_is_put_aside(pushing, monkeypatch):
    monkeypatch.setattr(push_feed, "MOST_REFUSED_IN_A_ROW", 10)
    pushing.receiver.mood = lambda _rows: (422, {})
    await pushing.put()
    await pushing.work(3)
    state = await pushing.state()
    assert (state["lastError"]["code"], state["failures"]) == ("feed.refusesAll", 3)
    assert state["lastError"]["messages"]["vi"]
    assert len(await pushing.letters()) == 10
    # Once it takes one, the rest follows; what was put aside waits to be sent again.
    pushing.receiver.mood = None
    await pushing.work()
    state = await pushing.state()
    assert (state["lastError"], len(await pushing.letters())) == (None, 10)
    assert len(pushing.receiver.held) == len(await pushing.expected()) - 10
    # Who sends the settings again lets it go on past as many more.
    pushing.receiver.mood = lambda _rows: (422, {})
    await pushing.sync.client.post("/sync/v1/feeds/csdl-nganh/restart", headers=pushing.sync.as_department)
    await pushing.put()
    await pushing.work(2)
    assert len(await pushing.letters()) == 10
    await pushing.put()
    await pushing.work(2)
    assert len(await pushing.letters()) == 20


async def test_the_request_is_signed_as_standard_webhooks_say_and_the_secret_is_never_shown(pushing):
    put = await pushing.put(auth="signature", secret=SECRET)
    assert SECRET not in put.text
    await pushing.work()
    headers, _ = pushing.receiver.requests[0]
    body = pushing.receiver.keys[headers["idempotency-key"]]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.new(b"s" * 32, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{made}"
    moved = await pushing.put(auth="signature", url=f"{pushing.url}/elsewhere")
    assert (moved.status_code, moved.json()["code"]) == (422, "connector.secretNeeded")


async def test_a_feed_of_one_school_and_some_types_in_the_ministrys_envelope(pushing):
    await imported(pushing.sync, "B")
    kept: list[Any] = []

    def take(_headers, body):
        kept.extend(json.loads(body)["changes"])
        return 200, {}

    pushing.receiver.take = take
    await pushing.put(schools=["B"], types=["classes"], profile="ndc")
    await pushing.work()
    assert {(each["Loai"], each["DuLieu"]["school"], each["SuKien"]) for each in kept} == {("classes", "B", "NEW")}
    assert len(kept) == len(school_files("B")["classes"])


async def test_a_restart_sends_everything_again_and_a_disabled_feed_nothing(pushing):
    await pushing.put()
    await pushing.work()
    sent = len(pushing.receiver.requests)
    headers = pushing.sync.as_department
    answer = await pushing.sync.client.post("/sync/v1/feeds/csdl-nganh/restart", headers=headers)
    assert answer.status_code == 200
    await pushing.put(enabled=False)
    await pushing.work()
    assert len(pushing.receiver.requests) == sent
    await pushing.put()
    await pushing.work()
    assert len(pushing.receiver.requests) == 2 * sent
    vendor = pushing.sync.as_vendor("A", scope="sync.orgs")
    assert (await pushing.sync.client.get("/sync/v1/feeds", headers=vendor)).status_code == 403


async def test_a_worker_killed_before_it_notes_the_answer_sends_the_same_again_and_nothing_is_lost(
    pushing, start_service
):
    await pushing.put()
    await pushing.sync.settled()
    where = {"DATA_DIR": str(pushing.folder), "CONNECTOR_KEY": KEY, "ALLOW_PRIVATE_ADDRESSES": "true"}
    dying = start_service("sync", pushing.database, module="worker", failpoint="sync.feed.sent", wait=False, **where)
    assert await asyncio.to_thread(dying.until_dead) == -signal.SIGKILL
    assert (await pushing.state())["cursor"] is None
    # What was sent has become history meanwhile; the same key still means the same content (`Receiver.take`).
    (first,) = await pushing.sync.sql("SELECT min(sourced_id) FROM class WHERE school_sourced_id = 'A'")
    await imported(pushing.sync, "A", **{first.replace("-", "_"): "đổi tên"})
    await pushing.work()
    keys = [headers["idempotency-key"] for headers, _ in pushing.receiver.requests]
    assert keys[0] == keys[1]
    assert len(set(keys)) == len(keys) - 1
    assert comparable(pushing.receiver.held) == comparable(await pushing.expected())
    assert all(seen == sorted(seen) for seen in pushing.receiver.versions.values())


async def test_a_receiver_that_remembers_keys_takes_a_restart_and_a_replay_for_something_new(pushing):
    answers: dict[str, tuple[int, dict[str, str]]] = {}
    taken = pushing.receiver.take

    def remembering(headers, body):
        key = headers["idempotency-key"]
        if key not in answers:
            answers[key] = taken(headers, body)
        return answers[key]

    pushing.receiver.take = remembering
    pushing.receiver.mood = lambda rows: (422, {}) if "A-kq1" in {each["sourcedId"] for each in rows} else (200, {})
    await pushing.put()
    await pushing.work(2)
    path, headers = "/sync/v1/feeds/csdl-nganh", pushing.sync.as_department
    (await pushing.sync.client.post(f"{path}/dead-letters/replay", headers=headers)).raise_for_status()
    await pushing.work()
    assert {each["tries"] for each in await pushing.letters()} == {2}
    pushing.receiver.mood = None
    (await pushing.sync.client.post(f"{path}/dead-letters/replay", headers=headers)).raise_for_status()
    await pushing.work()
    assert await pushing.letters() == []
    assert comparable(pushing.receiver.held) == comparable(await pushing.expected())
    pushing.receiver.held.clear()
    (await pushing.sync.client.post(f"{path}/restart", headers=headers)).raise_for_status()
    await pushing.work()
    assert comparable(pushing.receiver.held) == comparable(await pushing.expected())


async def test_pauses_double_and_last_as_long_as_the_receiver_asks_and_after_days_it_goes_on(pushing):
    @dataclass
    class Hands:
        instant: dt.datetime

        def now(self):
            return self.instant

    answers = [(503, {}), (503, {}), (503, {}), (429, {"retry-after": "90000"})]
    pushing.receiver.mood = lambda _rows: answers.pop(0) if answers else (200, {})
    await pushing.put()
    await pushing.sync.settled()
    hands = Hands(dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    worker = feeds_of(pushing.sync.settings, hands)
    worker.chance = lambda: 1.0
    pauses = []
    for _ in range(4):
        await worker.drain(pushing.sync.runtime.engine, pushing.sync.runtime.units)
        due = dt.datetime.fromisoformat((await pushing.state())["nextTryAt"])
        pauses.append((due - hands.instant).total_seconds())
        hands.instant = due - dt.timedelta(seconds=1)
        sent = len(pushing.receiver.requests)
        await worker.drain(pushing.sync.runtime.engine, pushing.sync.runtime.units)
        assert len(pushing.receiver.requests) == sent
        hands.instant = due
    assert pauses == [2.0, 4.0, 8.0, 86_400.0]
    hands.instant += dt.timedelta(days=5)
    await worker.drain(pushing.sync.runtime.engine, pushing.sync.runtime.units)
    assert comparable(pushing.receiver.held) == comparable(await pushing.expected())
