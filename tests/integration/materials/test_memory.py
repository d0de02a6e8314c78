"""A process of its own takes in and gives out files far larger than what it may hold in memory."""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from services.materials.bootstrap import build
from services.materials.settings import MaterialsSettings
from tests.integration.materials.shelf import PATH, TEACHER, metadata, parts, settle_city
from tests.support.s3_server import NAME, s3_server

MIB = 1024 * 1024
SIZE = 200 * MIB
GROWTH = 32 * MIB


def content() -> Iterator[bytes]:
    yield b"\x00\x00\x00\x18ftypisom".ljust(MIB, b"\0")
    for number in range(SIZE // MIB - 1):
        yield number.to_bytes(8, "big") * (MIB // 8)


async def body() -> AsyncIterator[bytes]:
    yield b'--x\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n' + json.dumps(metadata()).encode()
    yield b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    for block in content():
        yield block
    yield b"\r\n--x--\r\n"


def peak_memory(pid: int) -> int:
    """Bytes of resident memory at its highest (`VmHWM`)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.fixture(params=["local", "s3"])
def place(request) -> Iterator[dict[str, str]]:
    """Where files are kept, as the environment says it."""
    if request.param == "local":
        yield {}
        return
    with s3_server() as server:
        server.client().create_bucket(Bucket=NAME)
        yield {name.upper(): value for name, value in server.settings().items()}


async def test_memory_stays_flat_while_a_large_file_goes_in_and_out(database, start_service, place):
    fresh = database("materials")
    runtime = build(MaterialsSettings(database_url=fresh.app_url, nats_url="nats://unused.invalid"), role="api")
    await settle_city(runtime.units)
    await runtime.close()
    service = start_service("materials", fresh, MAX_UPLOAD_BYTES=str(SIZE + MIB), **place)
    headers = TEACHER | {"Content-Type": "multipart/form-data; boundary=x"}
    async with httpx.AsyncClient(base_url=service.url, timeout=300) as client:
        # Whatever is loaded late is loaded now.
        assert (await client.post(PATH, headers=TEACHER, **parts())).status_code == 201
        before = peak_memory(service.child.popen.pid)
        made = await client.post(PATH, headers=headers, content=body())
        assert made.status_code == 201, made.text
        received = hashlib.sha256()
        async with client.stream("GET", f"{PATH}/{made.json()['id']}/file", headers=TEACHER) as answer:
            async for block in answer.aiter_bytes():
                received.update(block)
    assert received.hexdigest() == made.json()["file"]["sha256"]
    assert made.json()["file"]["size"] == SIZE
    assert peak_memory(service.child.popen.pid) - before <= GROWTH
