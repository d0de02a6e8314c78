"""Files on their way into a content store, in a local folder: whoever looks at them needs a path.

`place` gives a complete file its place in the store. What was not kept is gone afterwards.
"""

import asyncio
import contextlib
import datetime as dt
import errno
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from services.materials.storage.content import Kept
from shared.errors import AppError, unavailable
from shared.ids import new_id

BLOCK = 1024 * 1024
Place = Callable[[Path, str], Awaitable[None]]


class Arrival:
    """Collects blocks of a megabyte, so that memory stays flat and each hop to a thread is worth its price."""

    def __init__(self, path: Path, file: BinaryIO, place: Place) -> None:
        self._path = path
        self._file = file
        self._place = place
        self._hash = hashlib.sha256()
        self._buffer = bytearray()
        self.size = 0

    async def write(self, block: bytes) -> None:
        self.size += len(block)
        self._buffer += block
        if len(self._buffer) >= BLOCK:
            await asyncio.to_thread(self._flush)

    async def settled(self) -> Path:
        return await asyncio.to_thread(self._settled)

    async def keep(self) -> Kept:
        kept = await asyncio.to_thread(self._finish)
        await self._place(self._path, kept.sha256)
        return kept

    def _flush(self) -> None:
        with unwritable_is_unavailable():
            self._file.write(self._buffer)
        self._hash.update(self._buffer)
        self._buffer.clear()

    def _settled(self) -> Path:
        self._flush()
        with unwritable_is_unavailable():
            self._file.flush()
        return self._path

    def _finish(self) -> Kept:
        self._flush()
        with unwritable_is_unavailable():
            self._file.flush()
            os.fchmod(self._file.fileno(), 0o440)
            os.fsync(self._file.fileno())
        return Kept(self._hash.hexdigest(), self.size)


class Arrivals:
    """`folder` is created when missing."""

    def __init__(self, folder: Path, place: Place) -> None:
        self._folder = folder
        self._place = place

    @contextlib.asynccontextmanager
    async def incoming(self) -> AsyncIterator[Arrival]:
        path = self._folder / new_id().hex
        file = await asyncio.to_thread(self._open, path)
        try:
            yield Arrival(path, file, self._place)
        finally:
            await asyncio.to_thread(_discard, path, file)

    def _open(self, path: Path) -> BinaryIO:
        with unwritable_is_unavailable():
            self._folder.mkdir(parents=True, exist_ok=True)
            return path.open("xb")

    async def probe(self) -> None:
        """Raise unless files can be written."""
        async with self.incoming() as probe:
            await probe.write(b"ready")
            await probe.settled()

    async def drop_older(self, moment: dt.datetime) -> int:
        """Remove what began to arrive before `moment`; how many."""
        return await asyncio.to_thread(self._drop_older, moment.timestamp())

    def _drop_older(self, moment: float) -> int:
        dropped = 0
        for path in self._folder.glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < moment:
                    path.unlink()
                    dropped += 1
        return dropped


def _discard(path: Path, file: BinaryIO) -> None:
    with contextlib.suppress(OSError):  # a full disk refuses the rest of the buffer; it is thrown away anyway
        file.close()
    path.unlink(missing_ok=True)


# No room, no right, or something else where a folder should be.
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EEXIST, errno.ENOTDIR})


@contextlib.contextmanager
def unwritable_is_unavailable() -> Iterator[None]:
    """A disk that is full or read-only is `files.unavailable`, to be tried again later."""
    try:
        yield
    except OSError as failure:
        if failure.errno in _UNWRITABLE:
            raise _no_room() from failure
        raise


def _no_room() -> AppError:
    return unavailable(
        "files.unavailable",
        vi="Kho tệp tạm thời không ghi được. Hãy gửi lại sau; nếu vẫn lỗi, báo cho đơn vị vận hành.",
        en="Files cannot be stored right now. Send it again later; if it stays, tell the operator.",
        retry_after=60,
    )
