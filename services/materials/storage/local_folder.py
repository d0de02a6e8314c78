"""The content store in a local folder: `content/ab/cd/<sha256>`, and `incoming/` on the same file system.

A file is written and synced under a name of its own, then renamed to its hash. API and worker may be different
processes on different machines as long as they share the folder; `flock` on a shard orders them.
"""

import asyncio
import contextlib
import datetime as dt
import errno
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from services.materials.storage.arrivals import BLOCK, Arrival, Arrivals, unwritable_is_unavailable
from services.materials.storage.content import HASH, Wanted, require_hash


class LocalFolder:
    """A `ContentStore`; `root` is created when missing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._arrivals = Arrivals(root / "incoming", self._put)

    async def _put(self, source: Path, sha256: str) -> None:
        await asyncio.to_thread(_put, self._root, source, sha256)

    def incoming(self) -> AbstractAsyncContextManager[Arrival]:
        return self._arrivals.incoming()

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
        await self._arrivals.probe()

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
        return await self._arrivals.drop_older(moment)

    def address(self, sha256: str, wanted: Wanted) -> str | None:
        """Nobody but this service can read the folder."""
        del sha256, wanted
        return None


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
    require_hash(sha256)
    return root / "content" / sha256[:2] / sha256[2:4] / sha256


def _idle_in(shard: Path, moment: float) -> list[str]:
    with os.scandir(shard) as entries:
        return sorted(entry.name for entry in entries if HASH.fullmatch(entry.name) and entry.stat().st_mtime < moment)


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
