"""The bucket keeps the promises of the folder, over real HTTP; and what only a bucket has."""

import asyncio
import dataclasses
import datetime as dt
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from services.materials.bootstrap import build, build_store
from services.materials.settings import MaterialsSettings
from services.materials.storage import s3_bucket
from services.materials.storage.content import Wanted
from services.materials.storage.content_lock import content_lock
from services.materials.storage.s3_bucket import Bucket, S3Bucket
from services.materials.usecases.sweep_files import sweep_files
from shared.errors import AppError
from tests.integration.materials.shelf import PATH, PDF, TEACHER, Library, build_app, parts, settle_city
from tests.support.hostile_files import package
from tests.support.s3_server import NAME, s3_server

LATER = dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def server():
    with s3_server() as running:
        yield running


@pytest.fixture
def bucket(server, monkeypatch):
    """Empty, and read by a clock that does not wait."""
    monkeypatch.setattr(s3_bucket, "PART", 5 * 1024 * 1024)  # the least S3 takes
    client = server.client()
    client.create_bucket(Bucket=NAME)
    yield client
    for upload in client.list_multipart_uploads(Bucket=NAME).get("Uploads", []):
        client.abort_multipart_upload(Bucket=NAME, Key=upload["Key"], UploadId=upload["UploadId"])
    for each in client.list_objects_v2(Bucket=NAME).get("Contents", []):
        client.delete_object(Bucket=NAME, Key=each["Key"])
    client.delete_bucket(Bucket=NAME)


@asynccontextmanager
async def unlocked(_: str) -> AsyncIterator[None]:
    yield


@pytest.fixture
def store(server, bucket, tmp_path):
    where = Bucket(NAME, "us-east-1", "khoa", "bi-mat", endpoint=server.url, prefix="thu-vien/")
    return S3Bucket(where, tmp_path / "incoming", unlocked)


async def keep(store, content: bytes) -> str:
    async with store.incoming() as incoming:
        for start in range(0, len(content), 700_000):
            await incoming.write(content[start : start + 700_000])
        return (await incoming.keep()).sha256


async def read(store, sha256: str, start: int, length: int) -> bytes:
    return b"".join([block async for block in store.read(sha256, start, length)])


def keys(bucket) -> list[str]:
    return sorted(each["Key"] for each in bucket.list_objects_v2(Bucket=NAME).get("Contents", []))


async def test_content_comes_back_as_it_went_in_whole_and_in_parts(store, bucket, tmp_path):
    for size in (0, 17, 5 * 1024 * 1024, 12 * 1024 * 1024 + 3):
        content = os.urandom(size)
        name = await keep(store, content)
        assert name == hashlib.sha256(content).hexdigest()
        assert await store.size(name) == size
        assert await read(store, name, 0, size) == content
        if size > 100:
            assert await read(store, name, size - 50, 50) == content[-50:]
        assert {f"thu-vien/content/{name}", f"thu-vien/seen/{name}"} <= set(keys(bucket))
    assert list((tmp_path / "incoming").iterdir()) == []
    assert await store.size("0" * 64) is None


async def test_the_same_content_from_many_at_once_is_one_object_and_is_never_written_again(store, bucket):
    content = os.urandom(6 * 1024 * 1024)
    (name,) = set(await asyncio.gather(*(keep(store, content) for _ in range(4))))
    before = bucket.head_object(Bucket=NAME, Key=f"thu-vien/content/{name}")["LastModified"]
    await asyncio.sleep(1.1)  # S3 tells times in seconds
    await keep(store, content)
    assert bucket.head_object(Bucket=NAME, Key=f"thu-vien/content/{name}")["LastModified"] == before
    assert len(keys(bucket)) == 2
    with pytest.raises(ClientError, match="PreconditionFailed"):
        bucket.put_object(Bucket=NAME, Key=f"thu-vien/content/{name}", Body=b"other", IfNoneMatch="*")


async def test_a_line_that_breaks_between_parts_leaves_nothing_and_is_told(store, bucket, monkeypatch):
    sent = store._client.upload_part
    numbers = []

    def breaking(**given):
        numbers.append(given["PartNumber"])
        if given["PartNumber"] == 2:
            raise ClientError(
                {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "UploadPart"
            )
        return sent(**given)

    content = os.urandom(12 * 1024 * 1024)
    with monkeypatch.context() as change:
        change.setattr(store._client, "upload_part", breaking)
        with pytest.raises(AppError, match=r"files\.unavailable"):
            await keep(store, content)
    assert numbers == [1, 2]
    assert keys(bucket) == []
    assert bucket.list_multipart_uploads(Bucket=NAME).get("Uploads", []) == []
    assert await store.size(await keep(store, content)) == len(content)


async def test_a_download_goes_on_where_the_line_broke(store, monkeypatch):
    content = os.urandom(5 * 1024 * 1024 + 9)
    name = await keep(store, content)
    opened = store._open
    asked = []

    class Short:
        """Ends after two megabytes."""

        def __init__(self, body):
            self._body, self._left = body, 2 * 1024 * 1024

        def read(self, length):
            if self._left == 0:
                raise ConnectionResetError
            self._left -= 1024 * 1024
            return self._body.read(length)

        def close(self):
            self._body.close()

    def once(key, start, length):
        asked.append(start)
        body = opened(key, start, length)
        return Short(body) if len(asked) == 1 else body

    monkeypatch.setattr(store, "_open", once)
    assert await read(store, name, 0, len(content)) == content
    assert asked == [0, 2 * 1024 * 1024]
    asked.clear()
    monkeypatch.setattr(store, "_open", lambda *given: Short(opened(*given)))
    with pytest.raises(OSError, match="to its end"):
        await read(store, name, 0, len(content) * 2)


async def test_orphans_are_swept_by_when_they_were_last_handed_in(store, bucket):
    name = await keep(store, b"nobody came for this")
    soon = dt.datetime.now(dt.UTC) + LATER
    assert [batch async for batch in store.idle_since(soon)] == [[name]]
    assert [batch async for batch in store.idle_since(soon - 2 * LATER)] == []
    assert await store.remove_if_idle(name, soon - 2 * LATER) is False
    assert await store.remove_if_idle(name, soon) is True
    assert keys(bucket) == []
    assert await store.remove_if_idle(name, soon) is False


async def test_content_handed_in_while_a_sweep_takes_it_is_put_there_again(store, bucket, monkeypatch):
    content = b"handed in at the wrong moment"
    name = await keep(store, content)
    see, soon = store.see, dt.datetime.now(dt.UTC) + LATER

    async def swept_first(sha256):
        monkeypatch.setattr(store, "see", see)
        assert await store.remove_if_idle(sha256, soon)
        return await see(sha256)

    monkeypatch.setattr(store, "see", swept_first)
    await keep(store, content)
    assert await read(store, name, 0, len(content)) == content


async def test_the_lock_is_shared_by_all_processes(settings):
    one, other = build(settings, role="api"), build(settings, role="worker")
    locks = [content_lock(runtime.engine) for runtime in (one, other)]
    order = []

    async def hold(lock, number):
        async with lock("a" * 64):
            order.append(("in", number))
            await asyncio.sleep(0.2)
            order.append(("out", number))

    await asyncio.gather(*(hold(lock, number) for number, lock in enumerate(locks)))
    assert [what for what, _ in order] == ["in", "out", "in", "out"]
    await one.close()
    await other.close()


async def test_unfinished_parts_of_a_killed_process_are_dropped(store, bucket):
    bucket.create_multipart_upload(Bucket=NAME, Key=f"thu-vien/content/{'a' * 64}")
    assert await store.drop_unfinished(dt.datetime(2000, 1, 1, tzinfo=dt.UTC)) == 0  # moto's begin in 2010
    assert await store.drop_unfinished(dt.datetime.now(dt.UTC) + LATER) == 1
    assert bucket.list_multipart_uploads(Bucket=NAME).get("Uploads", []) == []


async def test_a_server_that_is_away_or_knows_no_bucket_is_told_as_unavailable(store, server, tmp_path):
    nowhere = Bucket("khong-co", "us-east-1", "khoa", "bi-mat", endpoint=server.url)
    away = Bucket(NAME, "us-east-1", "khoa", "bi-mat", endpoint="http://127.0.0.1:9")
    for where in (nowhere, away):
        broken = S3Bucket(where, tmp_path / "incoming", unlocked)
        for attempt in (keep(broken, b"x"), broken.ready()):
            with pytest.raises(AppError, match=r"files\.unavailable"):
                await attempt
    await store.ready()


def test_a_bucket_needs_its_name_and_keys(settings):
    given = settings.model_dump() | {"content_store": "s3", "s3_bucket": "x"}
    with pytest.raises(ValidationError, match="S3_ACCESS_KEY, S3_SECRET_KEY"):
        MaterialsSettings(**given)


@pytest.fixture
async def library(settings, server, bucket) -> AsyncIterator[Library]:
    """The application with its files in the bucket, which browsers reach under another address."""
    changed = MaterialsSettings(**settings.model_dump() | server.settings() | {"s3_public_endpoint": server.url})
    runtime = build(changed, role="api")
    app = build_app(changed, runtime)
    await settle_city(runtime.units)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://materials.test") as client,
    ):
        yield Library(client, runtime, changed)


async def test_a_download_leads_to_a_signed_address_with_type_and_name(library, server):
    material = await library.create()
    answer = await library.client.get(f"{PATH}/{material['id']}/file", headers=TEACHER)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (307, "no-store")
    address = answer.headers["Location"]
    query = parse_qs(urlsplit(address).query)
    assert address.startswith(f"{server.url}/{NAME}/thu-vien/content/")
    assert (query["X-Amz-Algorithm"], query["X-Amz-Expires"]) == (["AWS4-HMAC-SHA256"], ["900"])
    async with httpx.AsyncClient() as browser:
        file = await browser.get(address)
        part = await browser.get(address, headers={"Range": "bytes=0-4"})
    assert (file.content, part.status_code, part.content) == (PDF, 206, PDF[:5])
    assert file.headers["Content-Type"] == "application/pdf"
    assert "filename*=UTF-8''B%C3%A0i%201.pdf" in file.headers["Content-Disposition"]
    same = {"If-None-Match": f'"{material["file"]["sha256"]}"'}
    assert (await library.client.get(f"{PATH}/{material['id']}/file", headers=TEACHER | same)).status_code == 304


async def test_what_is_shown_is_answered_by_us_and_an_infected_or_foreign_file_by_nobody(library):
    material = await library.create()
    made = await library.client.post(
        f"{PATH}/{material['id']}/files/1/link", headers=TEACHER, params={"disposition": "inline"}
    )
    shown = made.json()["url"].removeprefix("http://hoc-lieu.test")
    answer = await library.client.get(shown, headers={"Range": "bytes=5-9"})
    assert (answer.status_code, answer.content) == (206, PDF[5:10])
    assert "Content-Security-Policy" in answer.headers
    picture = await library.client.get(f"{PATH}/{material['id']}/files/1/thumbnail", headers=TEACHER)
    assert picture.content[8:12] == b"WEBP"


async def test_without_a_public_address_the_service_streams_the_file_itself(library):
    plain = library.settings.model_copy(update={"s3_public_endpoint": None})
    store = build_store(plain, library.runtime.engine)
    assert store.address("a" * 64, Wanted("text/plain", "attachment")) is None
    library.client._transport.app.state.content_store = store
    material = await library.create()
    part = await library.client.get(f"{PATH}/{material['id']}/file", headers=TEACHER | {"Range": "bytes=0-4"})
    assert (part.status_code, part.content, part.headers["Content-Length"]) == (206, PDF[:5], "5")


async def test_a_package_plays_out_of_the_bucket(library):
    noise = os.urandom(40_000)
    material = await library.create(content=package(phim=noise), name="goi.zip")
    link = await library.client.post(
        f"{PATH}/{material['id']}/files/1/link", headers=TEACHER, params={"disposition": "inline"}
    )
    folder = link.json()["url"].removeprefix("http://hoc-lieu.test").rpartition("/")[0]
    assert (await library.client.get(f"{folder}/a.html")).content == b"<html>Bai</html>"
    assert (await library.client.get(f"{folder}/phim")).content == noise


async def test_the_sweep_leaves_what_a_version_uses(library, bucket):
    material = await library.create()
    store = library.client._transport.app.state.content_store
    orphan = await keep(store, b"on its way to nowhere")
    soon = dt.datetime.now(dt.UTC) + LATER
    assert await sweep_files(library.runtime.units, store, older_than=soon) == 1
    left = {key.rpartition("/")[2] for key in keys(bucket)}
    assert orphan not in left
    assert material["file"]["sha256"] in left


async def test_a_store_that_goes_away_is_seen_by_readiness_and_by_who_uploads(library, bucket):
    ready = await library.client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["files"]) == (200, "ok")
    away = dataclasses.replace(library.client._transport.app.state.content_store._bucket, endpoint="http://127.0.0.1:9")
    broken = S3Bucket(away, library.settings.data_dir / "incoming", unlocked)
    library.client._transport.app.state.content_store = broken
    answer = await library.client.post(PATH, headers=TEACHER, **parts())
    assert (answer.status_code, answer.json()["code"]) == (503, "files.unavailable")


@pytest.mark.parametrize("step", ["materials.file.stored", "http.committed"])
async def test_a_kill_while_creating_and_a_retry_make_one_material_and_one_object(
    database, start_service, server, bucket, tmp_path, step
):
    fresh = database("materials")
    runtime = build(MaterialsSettings(database_url=fresh.app_url, nats_url="nats://unused.invalid"), role="api")
    await settle_city(runtime.units)
    await runtime.close()
    told = {name.upper(): value for name, value in server.settings().items()} | {"DATA_DIR": str(tmp_path / "data")}
    key = TEACHER | {"Idempotency-Key": "retry-1"}
    dying = start_service("materials", fresh, failpoint=step, **told)
    async with httpx.AsyncClient(base_url=dying.url, timeout=60) as client:
        with pytest.raises(httpx.TransportError):
            await client.post(PATH, headers=key, **parts())
    assert dying.until_dead() == -signal.SIGKILL
    alive = start_service("materials", fresh, **told)
    async with httpx.AsyncClient(base_url=alive.url, timeout=60) as client:
        made = await client.post(PATH, headers=key, **parts())
        assert made.status_code == 201
        file = await client.get(f"{PATH}/{made.json()['id']}/file", headers=TEACHER)
    assert file.content == PDF
    assert f"thu-vien/content/{made.json()['file']['sha256']}" in keys(bucket)
    assert len([name for name in keys(bucket) if "/content/" in name]) == 2  # the file, and the picture of it
