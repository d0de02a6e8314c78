"""100 MiB through a gateway that is a process of its own, so that its memory can be looked at."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway.upstream import PIECE, Upstream
from tests.support.processes import ServiceProcess, StartService
from tests.support.stack import Database
from tests.support.tokens import TestSigner

SIZE = 100 * 2**20
# Far below the 100 MiB that a buffered body would take, far above what streaming needs.
ROOM_BYTES = 24 * 2**20


@pytest.fixture
def process(
    start_service: StartService, database: Callable[[str], Database], upstream: Upstream, signing_key_file: Path
) -> ServiceProcess:
    return start_service(
        "gateway",
        database("gateway"),
        SYNC_URL=upstream.url,
        SIGNING_KEY_FILE=str(signing_key_file),
        LOG_LEVEL="warning",
    )


def peak_bytes(process: ServiceProcess) -> int:
    status = Path(f"/proc/{process.child.popen.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def pieces() -> Iterator[bytes]:
    for _ in range(SIZE // len(PIECE)):
        yield PIECE


def test_100_mib_pass_both_ways_in_flat_memory(process: ServiceProcess, signer: TestSigner):
    whole = hashlib.sha256()
    for piece in pieces():
        whole.update(piece)
    with httpx.Client(base_url=process.url, headers=signer.bearer(), timeout=60) as client:
        for warm_up in ("/sync/v1/echo", "/sync/v1/download?bytes=1000000"):
            assert client.get(warm_up).status_code == 200
        assert client.post("/sync/v1/imports/upload", content=PIECE * 16).status_code == 201
        before = peak_bytes(process)

        for headers in ({"Content-Length": str(SIZE)}, {}):
            sent = client.post("/sync/v1/imports/upload", content=pieces(), headers=headers)
            assert sent.json() == {"bytes": SIZE, "sha256": whole.hexdigest()}

        received = hashlib.sha256()
        with client.stream("GET", f"/sync/v1/download?bytes={SIZE}") as answer:
            for piece in answer.iter_bytes():
                received.update(piece)
        assert received.hexdigest() == whole.hexdigest()
        assert peak_bytes(process) - before < ROOM_BYTES
