from collections.abc import Callable
from pathlib import Path

import httpx
import nats
import pytest

from shared.messaging.topology import declare_topology
from tests.support.processes import StartService
from tests.support.stack import Database


@pytest.mark.usefixtures("clean_streams")
async def test_the_worker_is_ready_with_database_and_stream(
    start_service: StartService,
    database: Callable[[str], Database],
    nats_url_for: Callable[[str], str],
    signing_key_file: Path,
):
    connection = await nats.connect(nats_url_for("gateway"))
    try:
        await declare_topology(connection.jetstream(), "gateway", [], max_bytes=2**20)
        stream = await connection.jetstream().stream_info("GATEWAY")
    finally:
        await connection.close()
    assert stream.config.subjects == ["gateway.>"]
    worker = start_service("gateway", database("gateway"), module="worker", SIGNING_KEY_FILE=str(signing_key_file))
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{worker.url}/readyz")
    assert answer.json() == {"ready": True, "checks": {"database": "ok", "nats": "ok", "nats_sync_always": "ok"}}
