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
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

from services.materials.domain.tus import Checksum, fault, hasher
from services.materials.storage.arrivals import unwritable_is_unavailable

BLOCK = 1024 * 1024
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
            await asyncio.to_thread(writer.close)

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
    """Appends to one upload; blocks of a megabyte make each hop to a thread worth its price."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self.start = os.fstat(descriptor).st_size
        self.size = self.start

    async def write(self, block: bytes) -> None:
        self._buffer += block
        self.size += len(block)
        if len(self._buffer) >= BLOCK:
            await asyncio.to_thread(self._flush)

    async def settle(self) -> None:
        """Everything written so far is on the disk when this returns."""
        await asyncio.to_thread(self._settle)

    async def verify(self, checksum: Checksum) -> None:
        """Read this writer's bytes again. Raises `tus.checksum` and keeps nothing of them when they are others."""
        await asyncio.to_thread(self._verify, checksum)

    def _flush(self) -> None:
        view = memoryview(bytes(self._buffer))
        self._buffer.clear()
        with unwritable_is_unavailable():
            while view:
                view = view[os.write(self._descriptor, view) :]

    def _settle(self) -> None:
        self._flush()
        os.fdatasync(self._descriptor)

    def _verify(self, checksum: Checksum) -> None:
        self._flush()
        computed = hasher(checksum.algorithm)
        place = self.start
        while block := os.pread(self._descriptor, BLOCK, place):
            computed.update(block)
            place += len(block)
        if not checksum.matches(computed.digest()):
            os.ftruncate(self._descriptor, self.start)
            self.size = self.start
            raise fault("tus.checksum", "Dữ liệu hỏng trên đường truyền.", "The chunk was damaged on its way.")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._flush()
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
