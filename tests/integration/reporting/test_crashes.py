"""What survives: a kill between commit and reply, nats-server away, a start on other data."""

import asyncio
import copy
import signal

import httpx
import nats
import pytest
from sqlalchemy import text

from deploy.local.ports import free_ports
from services.reporting.bootstrap import SERVICE, build
from services.reporting.domain.templates import template_of
from services.reporting.storage import data_files
from services.reporting.usecases import load_data as loading
from services.reporting.usecases.load_data import load_data
from shared.contracts.reporting_v1 import SubmissionAccepted
from shared.db.scope import EVERYTHING
from shared.errors import AppError
from shared.messaging.envelope import decode
from shared.messaging.topology import declare_topology
from shared.worker import work
from tests.support.stack import Database

PATIENCE = 60.0


async def test_kill_after_commit_and_before_reply_then_retry_is_one_effect(city, settings, start_service):
    await city.ready_to_submit()
    submitted = await city.submit("thcs-a")
    database = Database(
        "reporting", "", settings.database_url.get_secret_value(), settings.database_url.get_secret_value()
    )
    headers = city.department_officer().headers | {"Idempotency-Key": "nhan-1"}
    path = f"/reporting/v1/submissions/{submitted['id']}/accept"
    doomed = start_service("reporting", database, failpoint="http.committed")
    async with httpx.AsyncClient(timeout=60) as http:
        with pytest.raises(httpx.HTTPError):
            await http.post(doomed.url + path, headers=headers)
        assert doomed.until_dead() == -signal.SIGKILL
        again = start_service("reporting", database)
        answer = await http.post(again.url + path, headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
    assert answer.headers["Idempotency-Replayed"] == "true"
    async with city.units.begin(EVERYTHING) as uow:
        assert await uow.session.scalar(text("SELECT count(*) FROM outbox")) == 1
        steps = text("SELECT count(*) FROM submission_step WHERE action = 'accept'")
        assert await uow.session.scalar(steps) == 1


async def test_nats_server_down_during_accept_is_2xx_and_the_event_arrives_after_it_is_back(city, settings, own_nats):
    await city.ready_to_submit()
    submitted = await city.submit("thcs-a")
    client = await nats.connect(own_nats.url("admin"))
    for owner in ("sync", "materials"):
        await declare_topology(client.jetstream(), owner, [], max_bytes=2**20)
    specs = [consumer.spec for consumer in SERVICE.consumers]
    await declare_topology(client.jetstream(), "reporting", specs, max_bytes=2**20)
    await client.close()
    place = {"nats_url": own_nats.url("reporting"), "worker_port": free_ports(1)[0]}
    theirs = type(settings).model_validate(settings.model_dump() | place)
    stop = asyncio.Event()
    worker = asyncio.create_task(work(SERVICE, build(theirs, role="worker"), [], stop))
    try:
        own_nats.kill()
        answer = await city.department_officer().post(f"/submissions/{submitted['id']}/accept")
        assert answer.status_code == 200
        own_nats.start()
        event = await received(own_nats.url("admin"))
    finally:
        stop.set()
        await worker
    assert (str(event.submission_id), event.school_sourced_id) == (submitted["id"], "thcs-a")


async def received(url: str) -> SubmissionAccepted:
    client = await nats.connect(url)
    try:
        subscription = await client.jetstream().subscribe(SubmissionAccepted.TYPE, ordered_consumer=True)
        message = await subscription.next_msg(timeout=PATIENCE)
        return SubmissionAccepted.model_validate(decode(message.data).data)
    finally:
        await client.close()


async def test_loading_the_data_files_again_changes_nothing(city):
    counts = text("SELECT (SELECT count(*) FROM template), (SELECT count(*) FROM recipient_rule)")
    async with city.units.begin(EVERYTHING) as uow:
        before = (await uow.session.execute(counts)).one()
        await load_data(uow)
        assert (await uow.session.execute(counts)).one() == before
    assert before[0] >= 1


async def test_a_loaded_template_that_was_edited_without_a_new_version_stops_the_start(city, monkeypatch):
    (file,) = data_files.template_files()
    document = copy.deepcopy(file.document)
    document["fields"][0]["required"] = False
    assert template_of(document)
    edited = data_files.TemplateFile(document, b"another hash")
    monkeypatch.setattr(loading, "template_files", lambda: [edited])
    with pytest.raises(AppError) as refused:
        async with city.units.begin(EVERYTHING) as uow:
            await load_data(uow)
    assert refused.value.code == "template.changed"


async def test_a_recipient_rule_that_an_operator_changed_stays_changed(city):
    async with city.units.begin(EVERYTHING) as uow:
        await uow.session.execute(text("UPDATE recipient_rule SET recipient_kind = 'department'"))
        await load_data(uow)
        kinds = await uow.session.scalars(text("SELECT DISTINCT recipient_kind FROM recipient_rule"))
        assert list(kinds) == ["department"]
