"""The content store in a local folder: `content/ab/cd/<sha256>`, and `incoming/` on the same file system.

A file is written and synced under a name of its own, then renamed to its hash. API and worker may be different
processes on different machines as long as they share the folder; `flock` on a shard orders them.
"""

import asyncio
import contextlib
import datetime as dt
import errno
import fcntl
import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from services.materials.storage.content import Kept
from shared.errors import AppError, unavailable
from shared.ids import new_id

BLOCK = 1024 * 1024
_NAME = re.compile(r"[0-9a-f]{64}")


class LocalIncoming:
    """Collects blocks of a megabyte, so that memory stays flat and each hop to a thread is worth its price."""

    def __init__(self, root: Path, path: Path, file: BinaryIO) -> None:
        self._root = root
        self._path = path
        self._file = file
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
        return await asyncio.to_thread(self._keep)

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

    def _keep(self) -> Kept:
        self._flush()
        with unwritable_is_unavailable():
            self._file.flush()
            os.fchmod(self._file.fileno(), 0o440)
            os.fsync(self._file.fileno())
        kept = Kept(self._hash.hexdigest(), self.size)
        _put(self._root, self._path, kept.sha256)
        return kept


class LocalFolder:
    """A `ContentStore`; `root` is created when missing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._arrivals = root / "incoming"

    @contextlib.asynccontextmanager
    async def incoming(self) -> AsyncIterator[LocalIncoming]:
        path = self._arrivals / new_id().hex
        file = await asyncio.to_thread(self._open_arrival, path)
        try:
            yield LocalIncoming(self._root, path, file)
        finally:
            await asyncio.to_thread(_discard, path, file)

    def _open_arrival(self, path: Path) -> BinaryIO:
        with unwritable_is_unavailable():
            self._arrivals.mkdir(parents=True, exist_ok=True)
            return path.open("xb")

    async def adopt(self, path: Path, sha256: str) -> None:
        await asyncio.to_thread(self._adopt, path, sha256)

    def _adopt(self, path: Path, sha256: str) -> None:
        with unwritable_is_unavailable():
            path.chmod(0o440)
            _put(self._root, path, sha256)

    async def size(self, sha256: str) -> int | None:
        return await asyncio.to_thread(self._size, sha256)

    def _size(self, sha256: str) -> int | None:
        try:
            return _place(self._root, sha256).stat().st_size
        except FileNotFoundError:
            return None

    async def read(self, sha256: str, start: int, length: int) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread(_place(self._root, sha256).open, "rb", 0)
        try:
            descriptor = file.fileno()
            while length > 0:
                block = await asyncio.to_thread(os.pread, descriptor, min(BLOCK, length), start)
                if not block:
                    raise OSError(errno.EIO, "a stored file is shorter than it was")
                yield block
                start += len(block)
                length -= len(block)
        finally:
            file.close()

    async def ready(self) -> None:
        async with self.incoming() as probe:
            await probe.write(b"ready")
            await probe.settled()

    async def idle_since(self, moment: dt.datetime) -> AsyncIterator[list[str]]:
        for shard in await asyncio.to_thread(self._shards):
            if names := await asyncio.to_thread(_idle_in, shard, moment.timestamp()):
                yield names

    def _shards(self) -> list[Path]:
        return sorted((self._root / "content").glob("??/??"))

    async def remove_if_idle(self, sha256: str, moment: dt.datetime) -> bool:
        return await asyncio.to_thread(self._remove_if_idle, sha256, moment.timestamp())

    def _remove_if_idle(self, sha256: str, moment: float) -> bool:
        target = _place(self._root, sha256)
        # Under the lock of the shard: an upload of the same content either has touched the file by now, and it stays,
        # or comes afterwards and puts its own copy.
        with contextlib.suppress(FileNotFoundError), _locked(target.parent):
            if target.stat().st_mtime < moment:
                target.unlink()
                return True
        return False

    async def drop_unfinished(self, moment: dt.datetime) -> int:
        return await asyncio.to_thread(self._drop_unfinished, moment.timestamp())

    def _drop_unfinished(self, moment: float) -> int:
        dropped = 0
        for path in self._arrivals.glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < moment:
                    path.unlink()
                    dropped += 1
        return dropped


def _put(root: Path, source: Path, sha256: str) -> None:
    """Give a complete file its place in the store; `source` is on the same file system and stays where it is."""
    target = _place(root, sha256)
    _make_durable(target.parent)
    with _locked(target.parent) as shard:
        try:
            os.utime(target)  # already here: only say that it was handed in again
        except FileNotFoundError:
            os.link(source, target)
        os.fsync(shard)


def _place(root: Path, sha256: str) -> Path:
    if not _NAME.fullmatch(sha256):
        raise ValueError("not a SHA-256 in hexadecimal")
    return root / "content" / sha256[:2] / sha256[2:4] / sha256


def _idle_in(shard: Path, moment: float) -> list[str]:
    with os.scandir(shard) as entries:
        return sorted(entry.name for entry in entries if _NAME.fullmatch(entry.name) and entry.stat().st_mtime < moment)


def _discard(path: Path, file: BinaryIO) -> None:
    with contextlib.suppress(OSError):  # a full disk refuses the rest of the buffer; it is thrown away anyway
        file.close()
    path.unlink(missing_ok=True)


def _make_durable(folder: Path) -> None:
    """Create a folder so that a power cut does not take it away again."""
    if folder.is_dir():
        return
    _make_durable(folder.parent)
    folder.mkdir(exist_ok=True)
    parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Hold the lock of a shard; yields its descriptor."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


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
