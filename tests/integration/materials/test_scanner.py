"""ClamAV's daemon, played by a small server that knows one signature, as the EICAR test file is known to all."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator

import pytest

from services.materials.bootstrap import build_store
from services.materials.inspection.scanner import Clamd, Scan
from services.materials.storage.files import remember_scan
from services.materials.usecases.scan_files import scan_files
from shared.db.scope import EVERYTHING
from shared.errors import AppError
from tests.integration.materials.panel import API
from tests.integration.materials.public import share
from tests.integration.materials.shelf import LEAD, PATH, PDF, TEACHER, parts

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LIMIT = 500_000


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    assert await reader.readexactly(10) == b"zINSTREAM\0"
    content = b""
    while length := struct.unpack(">I", await reader.readexactly(4))[0]:
        content += await reader.readexactly(length)
        if len(content) > LIMIT:
            writer.write(b"INSTREAM size limit exceeded. ERROR\0")
            break
    else:
        writer.write(b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0")
    await writer.drain()
    writer.close()


@pytest.fixture
async def clamd() -> AsyncIterator[Clamd]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield Clamd("127.0.0.1", server.sockets[0].getsockname()[1])


async def blocks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


async def test_what_the_scanner_says_is_understood(clamd):
    assert await clamd.scan(blocks(b"clean")) == Scan("clean")
    assert await clamd.scan(blocks(b"x" * 300_000 + EICAR)) == Scan("infected", "Eicar-Test-Signature")
    assert (await clamd.scan(blocks(b"x" * (LIMIT + 200_000)))).state == "not_scanned"


async def test_a_scanner_that_is_away_is_asked_again_later():
    with contextlib.closing(await asyncio.start_server(answer, "127.0.0.1", 0)) as server:
        port = server.sockets[0].getsockname()[1]
    await server.wait_closed()
    with pytest.raises(AppError, match=r"scanner\.unavailable"):
        await Clamd("127.0.0.1", port).scan(blocks(b"x"))


async def test_a_clean_file_shows_it_and_an_infected_one_goes_nowhere(library, clamd):
    clean = await library.create()
    infected = await library.create(content=b"Bai tap\n" + EICAR, name="a.txt")
    await library.act(infected, "submit", TEACHER)
    assert clean["file"]["check"]["scan"] == "not_scanned"
    assert await scan_files(library.runtime.units, build_store(library.settings, library.runtime.engine), clamd) == 2
    assert await scan_files(library.runtime.units, build_store(library.settings, library.runtime.engine), clamd) == 0
    assert (await library.read(clean, TEACHER)).json()["file"]["check"]["scan"] == "clean"
    assert (await library.read(infected, TEACHER)).json()["file"]["check"]["scan"] == "infected"
    for answered in (
        await library.act(infected, "pass", LEAD),
        await library.client.get(f"{PATH}/{infected['id']}/file", headers=LEAD),
    ):
        assert (answered.status_code, answered.json()["code"]) == (422, "file.infected")
    assert (await library.act(infected, "return", LEAD, reason="Nhiễm virus")).status_code == 200
    again = await library.client.post(PATH, headers=TEACHER, **parts(content=b"Bai tap\n" + EICAR, name="b.txt"))
    assert (again.status_code, again.json()["code"]) == (422, "file.infected")
    assert (await library.client.get(f"{PATH}/{clean['id']}/file", headers=TEACHER)).content == PDF


async def test_what_was_found_out_later_is_given_to_nobody_from_the_shelf_either(library):
    material = await share(library)
    addresses = (f"{API}/shelf/{material['id']}/files/1", f"/library/{material['id']}/files/1")
    for address in addresses:
        assert (await library.client.get(address, headers=TEACHER)).content == PDF
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await remember_scan(uow.session, material["file"]["sha256"], "infected", "Eicar-Test-Signature")
    refused = [await library.client.get(address, headers=TEACHER) for address in addresses]
    assert [each.status_code for each in refused] == [422, 422]
    assert refused[0].json()["code"] == "file.infected"
