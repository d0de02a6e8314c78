import asyncio
import datetime as dt
import hashlib
import os

import pytest

from services.materials.storage.arrivals import BLOCK
from services.materials.storage.local_folder import LocalFolder
from services.materials.usecases.sweep_files import sweep_files
from tests.integration.materials.shelf import PATH, PDF, TEACHER, parts

LATER = dt.timedelta(hours=1)


def soon() -> dt.datetime:
    return dt.datetime.now(dt.UTC) + LATER


async def keep(store: LocalFolder, content: bytes) -> str:
    async with store.incoming() as incoming:
        await incoming.write(content)
        return (await incoming.keep()).sha256


async def read(store: LocalFolder, sha256: str, start: int, length: int) -> bytes:
    return b"".join([block async for block in store.read(sha256, start, length)])


async def test_large_content_comes_back_as_it_went_in(tmp_path):
    store = LocalFolder(tmp_path)
    content = os.urandom(3 * BLOCK + 17)
    async with store.incoming() as incoming:
        for start in range(0, len(content), 70_000):
            await incoming.write(content[start : start + 70_000])
        kept = await incoming.keep()
    assert (kept.sha256, kept.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert await store.size(kept.sha256) == len(content)
    assert await read(store, kept.sha256, 0, len(content)) == content
    assert await read(store, kept.sha256, BLOCK - 1, BLOCK + 2) == content[BLOCK - 1 : 2 * BLOCK + 1]


async def test_an_upload_that_fails_leaves_nothing(tmp_path):
    store = LocalFolder(tmp_path)

    async def broken_upload():
        async with store.incoming() as incoming:
            await incoming.write(bytes(2 * BLOCK))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken_upload()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_the_same_content_from_many_at_once_is_one_file(tmp_path):
    store = LocalFolder(tmp_path)
    names = set(await asyncio.gather(*(keep(store, PDF) for _ in range(10))))
    assert len(names) == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


async def test_a_name_that_is_no_hash_reaches_no_file(tmp_path):
    store = LocalFolder(tmp_path)
    for name in ("../../etc/passwd", "A" * 64, "a" * 63):
        with pytest.raises(ValueError, match="SHA-256"):
            await store.size(name)


async def test_the_sweep_removes_orphans_and_nothing_a_version_uses(library):
    used = (await library.create())["file"]["sha256"]
    store = LocalFolder(library.folder)
    orphan = await keep(store, b"nobody came for this")
    (library.folder / "incoming" / "half").write_bytes(b"%PDF")
    assert await sweep_files(library.runtime.units, store, older_than=soon()) == 2
    assert library.stored() == [used]
    assert await store.size(orphan) is None
    assert await sweep_files(library.runtime.units, store, older_than=soon()) == 0


async def test_the_sweep_leaves_what_came_lately(library):
    store = LocalFolder(library.folder)
    orphan = await keep(store, b"on its way to a row")
    assert await sweep_files(library.runtime.units, store, older_than=dt.datetime.now(dt.UTC) - LATER) == 0
    assert await store.size(orphan) is not None


async def test_an_orphan_handed_in_again_is_not_swept_away_under_its_new_owner(tmp_path):
    store = LocalFolder(tmp_path)
    name = await keep(store, PDF)
    (path,) = tmp_path.rglob(name)
    os.utime(path, (0, 0))
    limit = dt.datetime.now(dt.UTC) - LATER
    assert [batch async for batch in store.idle_since(limit)] == [[name]]
    await keep(store, PDF)  # between the look and the removal
    assert await store.remove_if_idle(name, limit) is False
    assert await store.size(name) == len(PDF)


async def test_a_store_that_cannot_be_written_is_told_as_unavailable_and_ready_knows(library):
    library.folder.mkdir(parents=True, exist_ok=True)
    assert (await library.client.get("/readyz")).json()["checks"] == {"database": "ok", "files": "ok"}
    blocked = library.folder / "incoming"
    for path in blocked.glob("*"):
        path.unlink()
    blocked.rmdir()
    blocked.write_bytes(b"")  # a file where the folder should be: nothing can be written, also not by root
    answer = await library.client.post(PATH, headers=TEACHER, **parts())
    assert (answer.status_code, answer.json()["code"]) == (503, "files.unavailable")
    assert (await library.client.get("/readyz")).status_code == 503
