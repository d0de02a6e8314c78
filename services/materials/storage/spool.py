"""Uploads on their way in, one file each in a local folder: how far an upload has come is the length of its file.

Whoever writes holds the file's lock (`flock`), which ends with the process: a killed writer holds up nobody.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from services.materials.domain.tus import Checksum, fault, hasher
from services.materials.storage.arrivals import unwritable_is_unavailable
from shared.errors import AppError

BLOCK = 1024 * 1024
_AHEAD = 16 * 1024 * 1024
_LOCK_PATIENCE_SECONDS = 2.0


class Spool:
    """The folder of unfinished uploads, on the file system of the content store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, upload_id: UUID) -> Path:
        return self._folder / upload_id.hex

    async def create(self, upload_id: UUID) -> None:
        await asyncio.to_thread(self._create, upload_id)

    def _create(self, upload_id: UUID) -> None:
        with unwritable_is_unavailable():
            self._folder.mkdir(parents=True, exist_ok=True)
            self.path(upload_id).open("xb").close()

    async def offset(self, upload_id: UUID) -> int | None:
        """Bytes that are safe on the disk, None when the upload is gone."""
        return await asyncio.to_thread(self._offset, upload_id)

    def _offset(self, upload_id: UUID) -> int | None:
        try:
            descriptor = os.open(self.path(upload_id), os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            os.fdatasync(descriptor)
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    async def remove(self, upload_id: UUID) -> None:
        await asyncio.to_thread(self.path(upload_id).unlink, missing_ok=True)

    @contextlib.asynccontextmanager
    async def writer(self, upload_id: UUID) -> AsyncIterator["Writer"]:
        """The only writer of an upload. Raises `tus.locked` while another connection writes, `tus.unknown`."""
        writer = await asyncio.to_thread(self._open, upload_id)
        try:
            yield writer
        finally:
            await writer.close()

    def _open(self, upload_id: UUID) -> "Writer":
        try:
            descriptor = os.open(self.path(upload_id), os.O_RDWR | os.O_APPEND)
        except FileNotFoundError as failure:
            raise fault("tus.unknown", "Không có lượt tải này.", "There is no such upload.") from failure
        deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as failure:
                if time.monotonic() > deadline:
                    os.close(descriptor)
                    raise fault(
                        "tus.locked", "Một kết nối khác đang ghi tệp này.", "Another connection writes this upload."
                    ) from failure
                time.sleep(0.05)
            else:
                return Writer(descriptor)

    async def join(self, parts: Sequence[UUID], upload_id: UUID) -> None:
        """One file of several, in their order, without a byte passing through memory."""
        await asyncio.to_thread(self._join, parts, upload_id)

    def _join(self, parts: Sequence[UUID], upload_id: UUID) -> None:
        with unwritable_is_unavailable(), self.path(upload_id).open("xb") as target:
            for part in parts:
                with self.path(part).open("rb") as source:
                    left = os.fstat(source.fileno()).st_size
                    while left > 0:
                        left -= _copy(source.fileno(), target.fileno(), min(left, 64 * BLOCK))
            os.fsync(target.fileno())

    def left_behind(self, older_than: float) -> list[UUID]:
        """Uploads nobody has written to since `older_than` (Unix time in seconds)."""
        found = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            for entry in entries:
                with contextlib.suppress(ValueError, FileNotFoundError):
                    if entry.stat().st_mtime < older_than:
                        found.append(UUID(entry.name))
        return found


class Writer:
    """Appends to one upload: while one block of a megabyte is written in a thread, the next one is collected.

    One call at a time is under way. Whoever gives up waiting for it leaves it to `close`, so that the file is never
    closed under a thread that writes.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._under_way: asyncio.Future[None] | None = None
        self.start = os.fstat(descriptor).st_size
        self.size = self.start
        self._advised, self._behind = self.start, 0

    async def write(self, block: bytes) -> None:
        self._buffer += block
        self.size += len(block)
        if len(self._buffer) >= BLOCK:
            await self._begin(self._put, self._taken())

    async def settle(self) -> None:
        """Everything written so far is on the disk when this returns."""
        await self._begin(self._settle, self._taken())
        await self._ended()

    async def verify(self, checksum: Checksum) -> None:
        """Read this writer's bytes again. Raises `tus.checksum` and keeps nothing of them when they are others."""
        await self._begin(self._verify, checksum, self._taken())
        await self._ended()

    async def close(self) -> None:
        """Keep what has been collected, unless what came before it could not be kept."""
        try:
            await self._ended()
        except (OSError, AppError):
            self._buffer.clear()
        await asyncio.to_thread(self._close, self._taken())

    def _taken(self) -> bytes:
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken

    async def _begin(self, call: Callable[..., None], *given: Any) -> None:
        """Hand something to a thread once what is under way has ended."""
        await self._ended()
        self._under_way = asyncio.ensure_future(asyncio.to_thread(call, *given))

    async def _ended(self) -> None:
        if self._under_way is not None:
            await asyncio.shield(self._under_way)
            self._under_way = None

    def _put(self, block: bytes) -> None:
        view = memoryview(block)
        with unwritable_is_unavailable():
            while view:
                view = view[os.write(self._descriptor, view) :]
        self._behind += len(block)
        if self._behind >= _AHEAD:
            # The disk begins now, while more arrives: the sync at the end waits for less.
            os.posix_fadvise(self._descriptor, self._advised, self._behind, os.POSIX_FADV_DONTNEED)
            self._advised, self._behind = self._advised + self._behind, 0

    def _settle(self, block: bytes) -> None:
        self._put(block)
        os.fdatasync(self._descriptor)

    def _verify(self, checksum: Checksum, block: bytes) -> None:
        self._put(block)
        computed = hasher(checksum.algorithm)
        place = self.start
        while read := os.pread(self._descriptor, BLOCK, place):
            computed.update(read)
            place += len(read)
        if not checksum.matches(computed.digest()):
            os.ftruncate(self._descriptor, self.start)
            self.size = self.start
            raise fault("tus.checksum", "Dữ liệu hỏng trên đường truyền.", "The chunk was damaged on its way.")

    def _close(self, block: bytes) -> None:
        with contextlib.suppress(OSError, AppError):
            self._put(block)
        os.close(self._descriptor)


def sha256_of(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: int, target: int, length: int) -> int:
    try:
        return os.copy_file_range(source, target, length)
    except OSError as failure:
        if failure.errno not in {errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS}:
            raise
        return os.sendfile(target, source, None, length)
