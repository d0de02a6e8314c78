"""What a writer leaves behind is always a beginning of what it was given, whatever ends it."""

import asyncio
import errno
import os
import time

import pytest

from services.materials.domain.tus import Checksum
from services.materials.storage.spool import BLOCK, Spool, Writer
from shared.errors import AppError, unavailable
from shared.ids import new_id

CONTENT = os.urandom(5 * BLOCK + 17)
PIECE = 70_000


def pieces():
    return (CONTENT[start : start + PIECE] for start in range(0, len(CONTENT), PIECE))


@pytest.fixture
async def upload(tmp_path):
    spool, upload_id = Spool(tmp_path), new_id()
    await spool.create(upload_id)
    return spool, upload_id


async def send(upload, then: type[Exception] | None = None) -> None:
    spool, upload_id = upload
    async with spool.writer(upload_id) as writer:
        for piece in pieces():
            await writer.write(piece)
        if then is not None:
            raise then


async def test_what_is_settled_is_there(upload):
    spool, upload_id = upload
    async with spool.writer(upload_id) as writer:
        for piece in pieces():
            await writer.write(piece)
        await writer.settle()
        assert await spool.offset(upload_id) == writer.size == len(CONTENT)
    assert spool.path(upload_id).read_bytes() == CONTENT


async def test_what_was_collected_before_a_cut_is_kept(upload):
    spool, upload_id = upload
    with pytest.raises(ConnectionError):
        await send(upload, then=ConnectionError)
    assert spool.path(upload_id).read_bytes() == CONTENT


async def test_nothing_is_written_behind_a_block_that_could_not_be(upload, monkeypatch):
    spool, upload_id = upload
    put, calls = Writer._put, []

    def full(self, block):
        calls.append(len(block))
        if len(calls) == 2:
            put(self, block[:1000])
            raise unavailable("files.unavailable", vi="Đầy", en="Full")
        put(self, block)

    monkeypatch.setattr(Writer, "_put", full)
    with pytest.raises(AppError):
        await send(upload)
    left = spool.path(upload_id).read_bytes()
    assert left == CONTENT[: len(left)]
    assert BLOCK < len(left) < 2 * BLOCK


async def test_a_writer_that_is_given_up_is_not_closed_under_the_thread_that_writes(upload, monkeypatch):
    spool, upload_id = upload
    put, faults = Writer._put, []

    def slow(self, block):
        time.sleep(0.2)
        try:
            put(self, block)
        except OSError as failure:
            faults.append(errno.errorcode.get(failure.errno or 0, "?"))
            raise

    monkeypatch.setattr(Writer, "_put", slow)

    task = asyncio.create_task(send(upload))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    left = spool.path(upload_id).read_bytes()
    assert (faults, left) == ([], CONTENT[: len(left)])
    assert left


async def test_a_chunk_that_was_damaged_leaves_what_was_there(upload):
    spool, upload_id = upload
    async with spool.writer(upload_id) as writer:
        await writer.write(CONTENT)
        await writer.settle()
    async with spool.writer(upload_id) as writer:
        await writer.write(b"damaged")
        with pytest.raises(AppError, match=r"tus\.checksum"):
            await writer.verify(Checksum("sha1", b"\0" * 20))
        assert writer.size == len(CONTENT)
    assert spool.path(upload_id).read_bytes() == CONTENT
