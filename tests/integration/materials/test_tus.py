import asyncio
import base64
import contextlib
import hashlib
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from tusclient.client import TusClient

from services.materials.bootstrap import build, build_spool
from services.materials.settings import MaterialsSettings
from services.materials.usecases.uploads import sweep_uploads
from shared.db.scope import EVERYTHING
from tests.integration.materials.shelf import PATH, PDF, SCHOOL_A, SCHOOL_B, TEACHER, metadata, person, settle_city
from tests.support.hostile_files import package

UPLOADS = "/materials/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = TUS | {"Content-Type": "application/offset+octet-stream"}
CONTENT = bytes(range(256)) * 40
PARTIAL = {"Upload-Concat": "partial"}


def b64(value: bytes | str) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


async def begin(client: httpx.AsyncClient, length: int = len(CONTENT), **headers: str) -> str:
    given = TEACHER | TUS | {"Upload-Length": str(length), "Upload-Metadata": f"filename {b64('Bài.pdf')}"} | headers
    answer = await client.post(UPLOADS, headers=given)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


async def send(client: httpx.AsyncClient, url: str, block: bytes, offset: int, **headers: str) -> httpx.Response:
    return await client.patch(url, headers=TEACHER | CHUNK | {"Upload-Offset": str(offset)} | headers, content=block)


async def offset_of(client: httpx.AsyncClient, url: str) -> int:
    answer = await client.head(url, headers=TEACHER | TUS)
    assert answer.headers["Cache-Control"] == "no-store"
    return int(answer.headers["Upload-Offset"])


async def test_the_server_says_what_it_can_do(library):
    answer = await library.client.options(UPLOADS)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) >= {
        *("creation", "creation-with-upload", "checksum", "expiration", "termination", "concatenation")
    }
    assert int(answer.headers["Tus-Max-Size"]) == 5 * 1024**3


async def test_an_upload_in_pieces_becomes_a_file_of_a_draft(library):
    url = await begin(library.client, len(PDF))
    for start in range(0, len(PDF), 100):
        answer = await send(library.client, url, PDF[start : start + 100], start)
        assert answer.status_code == 204
        assert int(answer.headers["Upload-Offset"]) == min(start + 100, len(PDF))
        assert answer.headers["Upload-Expires"].endswith("GMT")
    material = (await library.client.post(PATH, headers=TEACHER, json=metadata())).json()
    body = {"upload": url.rpartition("/")[2]}
    for _ in range(2):  # taking an upload over is safe to repeat
        taken = await library.client.post(f"{PATH}/{material['id']}/files", headers=TEACHER, json=body)
        assert taken.status_code == 201, taken.text
    file = taken.json()["files"][1]
    assert (file["name"], file["sha256"]) == ("Bài.pdf", hashlib.sha256(PDF).hexdigest())
    assert (await library.client.get(f"{PATH}/{material['id']}/files/2", headers=TEACHER)).content == PDF


async def test_an_incomplete_or_foreign_upload_becomes_nothing(library):
    url = await begin(library.client, len(PDF))
    await send(library.client, url, PDF[:10], 0)
    material = (await library.client.post(PATH, headers=TEACHER, json=metadata())).json()
    files = f"{PATH}/{material['id']}/files"
    half = await library.client.post(files, headers=TEACHER, json={"upload": url.rpartition("/")[2]})
    assert (half.status_code, half.json()["code"], half.json()["offset"]) == (409, "upload.incomplete", 10)
    theirs = (await library.client.post(PATH, headers=person("co-mai", "teacher"), json=metadata())).json()
    stolen = await library.client.post(
        f"{PATH}/{theirs['id']}/files", headers=person("co-mai", "teacher"), json={"upload": url.rpartition("/")[2]}
    )
    assert (stolen.status_code, stolen.json()["code"]) == (404, "upload.unknown")


async def test_a_complete_upload_is_looked_at_like_any_other_file(library):
    content = package(inside=package())
    url = await begin(library.client, len(content))
    await send(library.client, url, content, 0)
    material = (await library.client.post(PATH, headers=TEACHER, json=metadata())).json()
    body = {"upload": url.rpartition("/")[2]}
    answer = await library.client.post(f"{PATH}/{material['id']}/files", headers=TEACHER, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "archive.nested")


async def test_the_first_bytes_may_come_with_the_creation(library):
    given = TEACHER | CHUNK | {"Upload-Length": str(len(CONTENT))}
    answer = await library.client.post(UPLOADS, headers=given, content=CONTENT[:300])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "300")
    assert await offset_of(library.client, answer.headers["Location"]) == 300


async def test_the_length_may_be_said_later_and_once(library):
    answer = await library.client.post(UPLOADS, headers=TEACHER | TUS | {"Upload-Defer-Length": "1"})
    url = answer.headers["Location"]
    head = await library.client.head(url, headers=TEACHER | TUS)
    assert head.headers["Upload-Defer-Length"] == "1"
    await send(library.client, url, CONTENT[:10], 0)
    await send(library.client, url, CONTENT[10:20], 10, **{"Upload-Length": "30"})
    head = await library.client.head(url, headers=TEACHER | TUS)
    assert (head.headers["Upload-Length"], head.headers["Upload-Offset"]) == ("30", "20")
    over = await send(library.client, url, CONTENT[:11], 20)
    assert over.status_code == 413
    other = await send(library.client, url, CONTENT[20:25], 20, **{"Upload-Length": "31"})
    assert (other.status_code, other.text[:10]) == (400, "tus.length")
    assert (await send(library.client, url, CONTENT[20:30], 20, **{"Upload-Length": "30"})).status_code == 204


async def test_a_length_said_later_is_not_less_than_what_is_there_and_not_kept_from_a_chunk_that_is_refused(library):
    answer = await library.client.post(UPLOADS, headers=TEACHER | TUS | {"Upload-Defer-Length": "1"})
    url = answer.headers["Location"]
    await send(library.client, url, CONTENT[:10], 0)
    less = await send(library.client, url, b"", 10, **{"Upload-Length": "9"})
    assert (less.status_code, less.text[:10]) == (400, "tus.length")
    wrong = b64(hashlib.sha1(b"other").digest())
    for refused, headers in (
        (460, {"Upload-Length": "30", "Upload-Checksum": f"sha1 {wrong}"}),
        (413, {"Upload-Length": "12"}),
        (413, {"Upload-Length": str(6 * 1024**3)}),
    ):
        assert (await send(library.client, url, CONTENT[10:20], 10, **headers)).status_code == refused
        head = await library.client.head(url, headers=TEACHER | TUS)
        assert (head.headers["Upload-Defer-Length"], head.headers["Upload-Offset"]) == ("1", "10")
    last = await send(library.client, url, CONTENT[10:20], 10, **{"Upload-Length": "20"})
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, "20")


async def test_a_damaged_chunk_is_not_kept(library):
    url = await begin(library.client)
    good = b64(hashlib.sha1(CONTENT[:50]).digest())
    await send(library.client, url, CONTENT[:50], 0, **{"Upload-Checksum": f"sha1 {good}"})
    damaged = await send(library.client, url, b"x" * 50, 50, **{"Upload-Checksum": f"sha1 {good}"})
    assert (damaged.status_code, damaged.headers["Tus-Resumable"]) == (460, "1.0.0")
    assert damaged.text.startswith("tus.checksum: ")
    assert await offset_of(library.client, url) == 50
    unknown = await send(library.client, url, b"x", 50, **{"Upload-Checksum": "crc32 AAAA"})
    assert unknown.status_code == 400


async def test_parts_are_joined_in_the_order_they_are_named(library):
    first, second = [await begin(library.client, 20, **PARTIAL) for _ in range(2)]
    await send(library.client, first, CONTENT[:20], 0)
    final = TEACHER | TUS | {"Upload-Concat": f"final;{second} {first}"}
    early = await library.client.post(UPLOADS, headers=final)
    assert early.status_code == 400
    await send(library.client, second, CONTENT[20:40], 0)
    joined = await library.client.post(UPLOADS, headers=final)
    url = joined.headers["Location"]
    head = await library.client.head(url, headers=TEACHER | TUS)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("40", "40")
    assert head.headers["Upload-Concat"].startswith("final;")
    spool = build_spool(library.settings)
    assert spool.path(UUID(url.rpartition("/")[2])).read_bytes() == CONTENT[20:40] + CONTENT[:20]
    assert (await send(library.client, url, b"x", 40)).status_code == 403


async def test_a_given_up_upload_is_gone(library):
    url = await begin(library.client)
    assert (await library.client.delete(url, headers=TEACHER | TUS)).status_code == 204
    assert (await library.client.head(url, headers=TEACHER | TUS)).status_code == 404
    assert list((library.folder / "uploads").iterdir()) == []


async def test_an_upload_ends_a_week_after_its_last_byte(library):
    url = await begin(library.client)
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await uow.session.execute(text("UPDATE upload SET expires_at = now() - interval '1 second'"))
    assert (await library.client.head(url, headers=TEACHER | TUS)).status_code == 410
    assert await sweep_uploads(library.runtime.units, build_spool(library.settings)) == 1
    assert list((library.folder / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Content-Type": "text/plain"}, 415),
        ({"Upload-Offset": "7"}, 409),
        ({"Upload-Offset": "-1"}, 400),
        ({"Upload-Offset": "x"}, 400),
        ({"Authorization": "Bearer x"}, 401),
    ],
)
async def test_a_request_that_breaks_the_protocol_changes_nothing(library, headers, status):
    url = await begin(library.client)
    answer = await send(library.client, url, CONTENT, 0, **headers)
    assert answer.status_code == status
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert await offset_of(library.client, url) == 0


async def test_an_upload_belongs_to_who_began_it(library):
    url = await begin(library.client)
    for who in (person("co-mai", "teacher"), person("co-lan", "teacher", org=SCHOOL_B, scope="materials.read")):
        assert (await library.client.head(url, headers=who | TUS)).status_code in {403, 404}
    same_name_elsewhere = person("co-lan", "teacher", org=SCHOOL_A)
    assert (await library.client.head(url, headers=same_name_elsewhere | TUS)).status_code == 200


async def test_clients_that_can_only_post_say_what_they_mean(library):
    url = await begin(library.client, 10)
    given = TEACHER | CHUNK | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert (await library.client.post(url, headers=given, content=b"0123456789")).status_code == 204
    assert await offset_of(library.client, url) == 10


@pytest.fixture
async def place(database):
    fresh = database("materials")
    runtime = build(MaterialsSettings(database_url=fresh.app_url, nats_url="nats://unused.invalid"), role="api")
    await settle_city(runtime.units)
    await runtime.close()
    return fresh


@pytest.mark.parametrize("step", ["materials.upload.created", "materials.upload.written", "materials.upload.settled"])
async def test_a_kill_at_any_step_of_an_upload_loses_nothing_that_was_acknowledged(
    place, start_service, tmp_path, step
):
    data = {"DATA_DIR": str(tmp_path / "data")}
    alive = start_service("materials", place, **data)
    async with httpx.AsyncClient(base_url=alive.url, timeout=60) as client:
        url = await begin(client)
        assert (await send(client, url, CONTENT[:1000], 0)).status_code == 204
    dying = start_service("materials", place, failpoint=step, **data)
    async with httpx.AsyncClient(base_url=dying.url, timeout=60) as client:
        with pytest.raises(httpx.TransportError):
            await (begin(client) if step.endswith("created") else send(client, url, CONTENT[1000:3000], 1000))
    assert dying.until_dead() == -signal.SIGKILL
    async with httpx.AsyncClient(base_url=alive.url, timeout=60) as client:
        reached = await offset_of(client, url)
        assert 1000 <= reached <= 3000
        await send(client, url, CONTENT[reached:], reached)
        assert await offset_of(client, url) == len(CONTENT)
    assert (tmp_path / "data" / "files" / "uploads" / url.rpartition("/")[2].replace("-", "")).read_bytes() == CONTENT


async def test_a_connection_cut_at_any_byte_goes_on_where_it_stopped(place, start_service, tmp_path):
    service = start_service("materials", place, DATA_DIR=str(tmp_path / "data"))
    content = os.urandom(3_000_000)
    chance = random.Random(7)
    async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
        url = await begin(client, len(content))
        while (reached := await offset_of(client, url)) < len(content):
            stop = min(len(content), reached + chance.randrange(1, 1_500_000))

            async def body(start: int = reached, end: int = stop) -> AsyncIterator[bytes]:
                for place_ in range(start, end, 50_000):
                    yield content[place_ : min(place_ + 50_000, end)]
                if end < len(content):
                    raise ConnectionAbortedError

            headers = TEACHER | CHUNK | {"Upload-Offset": str(reached), "Content-Length": str(len(content) - reached)}
            with contextlib.suppress(ConnectionAbortedError):
                await client.patch(url, headers=headers, content=body())
            assert await offset_of(client, url) >= reached
    kept = next((tmp_path / "data" / "files" / "uploads").iterdir())
    assert hashlib.sha256(kept.read_bytes()).digest() == hashlib.sha256(content).digest()


async def test_tuspy_uploads_and_resumes_after_a_cut(place, start_service, tmp_path):
    service = start_service("materials", place, DATA_DIR=str(tmp_path / "data"))
    file = tmp_path / "bai.pdf"
    file.write_bytes(os.urandom(1_000_000))

    def run(path: Path) -> str:
        client = TusClient(f"{service.url}{UPLOADS}", headers=TEACHER)
        said = {"metadata": {"filename": "Bài.pdf"}, "upload_checksum": True}
        with path.open("rb") as stream:
            first = client.uploader(file_stream=stream, chunk_size=100_000, **said)
            first.upload(stop_at=400_000)
        # Another process, another day: all it knows is the address.
        with path.open("rb") as stream:
            second = client.uploader(file_stream=stream, chunk_size=150_000, url=first.url)
            assert second.offset == 400_000
            second.upload()
        return str(first.url)

    url = await asyncio.to_thread(run, file)
    kept = tmp_path / "data" / "files" / "uploads" / url.rpartition("/")[2].replace("-", "")
    assert kept.read_bytes() == file.read_bytes()
