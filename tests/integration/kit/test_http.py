"""HTTP as the kit speaks it, on a real database, through the ASGI interface."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from sqlalchemy import func, select, text

from shared.clock import SystemClock
from shared.db.scope import EVERYTHING
from shared.errors import AppError, unavailable
from shared.service import Runtime
from shared.settings import ServiceSettings
from tests.integration.kit.application import UPLOAD_LIMIT, application
from tests.integration.kit.conftest import Thing
from tests.support.tokens import TestSigner

SIGNER = TestSigner()


def _settings(place) -> ServiceSettings:
    return ServiceSettings(database_url=place.app_url, nats_url="nats://127.0.0.1:1", max_body_bytes=2000)


@pytest.fixture
async def client(place) -> AsyncIterator[httpx.AsyncClient]:
    settings = _settings(place)
    runtime = Runtime("sync", settings, SystemClock(), place.engine, place.units)
    app = application(settings, SIGNER.verifier(), runtime)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://kit", headers=SIGNER.bearer(orgs=["A"])) as client,
    ):
        yield client


async def _count(place) -> int:
    async with place.units.begin(EVERYTHING) as uow:
        return (await uow.session.execute(select(func.count()).select_from(Thing))).scalar_one()


async def _events(place) -> int:
    async with place.units.begin(EVERYTHING) as uow:
        return (await uow.session.execute(text("SELECT count(*) FROM outbox"))).scalar_one()


async def test_a_commit_that_fails_is_never_answered_with_success(client):
    right = await client.post("/late")
    assert right.status_code == 500
    assert right.json()["code"] == "internal.error"
    # The trap the cure is for: a dependency that ends with the *request* commits after the answer has gone out.
    with pytest.raises(Exception, match="response already started"):
        await client.post("/late-the-wrong-way")


async def test_a_row_and_its_event_are_committed_together_or_not_at_all(client, place):
    assert (await client.post("/things", json={"name": "x", "school": "A"})).status_code == 201
    assert [await _count(place), await _events(place)] == [1, 1]
    refused = await client.post("/things", json={"name": "x", "school": "A"})
    assert refused.status_code == 500
    assert [await _count(place), await _events(place)] == [1, 1]


async def test_the_same_key_has_one_effect_and_one_answer(client, place):
    headers = {"Idempotency-Key": "k-1"}
    first = await client.post("/things", json={"name": "x", "school": "A"}, headers=headers)
    again = await client.post("/things", json={"name": "x", "school": "A"}, headers=headers)
    assert [first.status_code, again.status_code, await _count(place)] == [201, 201, 1]
    assert again.content == first.content
    assert [first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]] == [None, "true"]


async def test_the_same_key_with_another_payload_is_refused(client):
    await client.post("/things", json={"name": "x", "school": "A"}, headers={"Idempotency-Key": "k"})
    other = await client.post("/things", json={"name": "y", "school": "A"}, headers={"Idempotency-Key": "k"})
    assert [other.status_code, other.json()["code"]] == [422, "idempotency.other_payload"]


async def test_keys_of_two_callers_do_not_meet(client, place):
    headers = {"Idempotency-Key": "k"}
    await client.post("/things", json={"name": "x", "school": "A"}, headers=headers)
    other = SIGNER.bearer(sub="second-vendor", orgs=["A"])
    answer = await client.post("/things", json={"name": "y", "school": "A"}, headers=headers | other)
    assert [answer.status_code, await _count(place)] == [201, 2]


async def test_a_refused_effect_leaves_the_key_free(client, place):
    headers = {"Idempotency-Key": "k"}
    body = {"name": "taken", "school": "A"}
    assert [(await client.post("/things", json=body, headers=headers)).status_code for _ in range(2)] == [409, 409]
    assert await _count(place) == 0


async def test_while_the_first_request_runs_the_second_is_told_so(client, place):
    async with place.engine.begin() as holder:
        # The first request, seen from the database: its lock is held and nothing is visible yet.
        claim = text("SELECT pg_advisory_xact_lock(hashtextextended('vendor vendor' || ' ' || 'k', 42))")
        await holder.execute(claim)
        answer = await client.post(
            "/things", json={"name": "x", "school": "A"}, headers={"Idempotency-Key": "k", "Accept-Language": "en"}
        )
    assert [answer.status_code, answer.json()["code"]] == [409, "idempotency.in_flight"]


async def test_parallel_requests_with_one_key_have_one_effect(client, place):
    async def send() -> int:
        body = {"name": "x", "school": "A"}
        return (await client.post("/things", json=body, headers={"Idempotency-Key": "k"})).status_code

    assert set(await asyncio.gather(*(send() for _ in range(8)))) <= {201, 409}
    assert await _count(place) == 1


@pytest.mark.parametrize("key", ["", "a" * 256, "đ", "a b"])
async def test_a_malformed_key_is_refused(client, key):
    headers = [(b"idempotency-key", key.encode()), *client.headers.raw]
    answer = await client.post("/things", json={"name": "x", "school": "A"}, headers=headers)
    assert [answer.status_code, answer.json()["code"]] == [400, "idempotency.key_invalid"]


async def test_writing_outside_the_grant_is_stopped_by_the_database(client, place):
    assert (await client.post("/things", json={"name": "x", "school": "B"})).status_code == 500
    assert await _count(place) == 0


async def test_pages_follow_one_another_without_gap_or_repetition(client):
    for name in "abcde":
        await client.post("/things", json={"name": name, "school": "A"})
    seen, cursor = [], None
    while True:
        page = (await client.get("/things", params={"cursor": cursor} if cursor else {})).json()
        seen += [item["name"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == list("abcde")


async def test_a_limit_out_of_bounds_is_a_clear_error(client):
    answer = await client.get("/things", params={"limit": 0})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "query:limit"


async def test_a_lost_update_is_refused(client):
    await client.post("/things", json={"name": "x", "school": "A", "count": 1})
    put = {"name": "x", "school": "A", "count": 2}
    assert (await client.put("/things/x", json=put)).status_code == 428
    changed = await client.put("/things/x", json=put, headers={"If-Match": '"1"'})
    assert [changed.status_code, changed.headers["etag"]] == [200, '"2"']
    stale = await client.put("/things/x", json=put, headers={"If-Match": '"1"'})
    assert [stale.status_code, stale.json()["code"], stale.json()["currentETag"]] == [412, "precondition.failed", '"2"']


async def test_every_fault_of_the_input_comes_at_once_with_its_place(client):
    answer = await client.post("/things", json={"name": "n" * 21, "extra": 1, "count": "many"})
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert {(fault["pointer"], fault["code"]) for fault in problem["errors"]} == {
        ("/name", "field.too_long"),
        ("/school", "field.missing"),
        ("/extra", "field.unknown"),
        ("/count", "field.invalid"),
    }
    assert "many" not in answer.text


async def test_a_problem_speaks_the_callers_language_and_keeps_its_code(client):
    body = {"name": "taken", "school": "A"}
    vietnamese = (await client.post("/things", json=body)).json()
    english = (await client.post("/things", json=body, headers={"Accept-Language": "en"})).json()
    assert [vietnamese["title"], english["title"]] == ["Tên đã có.", "The name is taken."]
    assert vietnamese["code"] == english["code"] == "thing.taken"
    assert vietnamese["messages"] == {"vi": "Tên đã có.", "en": "The name is taken."}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "path.unknown"), ("DELETE", "/things", 405, "method.not_allowed")],
)
async def test_wrong_paths_and_methods_are_problems_too(client, method, path, status, code):
    answer = await client.request(method, path)
    assert [answer.status_code, answer.json()["code"]] == [status, code]


async def test_a_crash_says_nothing_and_carries_the_correlation_id(client):
    answer = await client.get("/crash", headers={"X-Correlation-Id": "night-run-7"})
    assert [answer.status_code, answer.json()["code"]] == [500, "internal.error"]
    assert answer.json()["correlationId"] == answer.headers["x-correlation-id"] == "night-run-7"
    assert "KeyError" not in answer.text
    assert "vendor" not in answer.text


async def test_a_strange_correlation_id_is_replaced(client):
    answer = await client.get("/things", headers={"X-Correlation-Id": "a b\tc"})
    assert answer.headers["x-correlation-id"] not in {"", "a b\tc"}


@pytest.mark.parametrize("header", [None, "Basic abc", "Bearer ", "Bearer abc", "Bearer a.b.c"])
async def test_without_a_valid_token_nothing_opens(client, header):
    client.headers.pop("authorization")
    answer = await client.get("/things", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_body_above_the_limit_is_refused_by_its_length_and_by_counting(client):
    async def chunks():
        for _ in range(30):
            yield b"x" * 100

    declared = await client.post("/things", content=b"x" * 2001)
    counted = await client.post("/things", content=chunks())
    assert [declared.status_code, declared.json()["code"]] == [413, "body.too_large"]
    assert [counted.status_code, counted.json()["code"]] == [413, "body.too_large"]


async def test_an_upload_path_has_its_own_limit(client):
    fits = await client.post("/upload", content=b"x" * UPLOAD_LIMIT)
    over = await client.post("/upload", content=b"x" * (UPLOAD_LIMIT + 1))
    assert [fits.json(), over.status_code] == [{"size": UPLOAD_LIMIT}, 413]


async def test_health_names_each_dependency(client, place):
    client.headers.pop("authorization")
    assert (await client.get("/livez")).text == "ok\n"
    ready = await client.get("/readyz")
    assert [ready.status_code, ready.json()] == [200, {"ready": True, "checks": {"database": "ok"}}]
    assert "http_requests_total" in (await client.get("/metrics")).text


async def test_metrics_count_by_route_template_never_by_path(client):
    await client.put("/things/some-child", json={})
    text_of_metrics = (await client.get("/metrics")).text
    assert 'route="/things/{name}"' in text_of_metrics
    assert "some-child" not in text_of_metrics


async def test_a_database_that_is_away_is_said_so(client, place, pg_admin_url):
    name = place.app_url.rsplit("/", 1)[1]
    admin = await asyncpg.connect(pg_admin_url)
    try:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        answer = await client.get("/things")
        ready = await client.get("/readyz")
    finally:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await admin.close()
    assert [answer.status_code, answer.json()["code"]] == [503, "database.unavailable"]
    assert [ready.status_code, ready.json()["ready"]] == [503, False]
    assert (await client.get("/things")).status_code == 200


def test_an_app_error_prints_its_code():
    failure = unavailable("keys.unavailable", vi="Chưa có.", en="Not there.", retry_after=5)
    assert isinstance(failure, AppError)
    assert str(failure) == "keys.unavailable: Not there."
