"""Single files of a package in the content store, read from it without unpacking the whole.

The directory is read once, a file as it is asked for, in bounded blocks, from whatever store there is.
Only packages that were inspected come here: their directory is known to be small, whole and honest (`inspection`).
"""

import collections
import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from services.materials.storage.content import ContentStore

# What an inspected directory may take at most, with its end records and the longest comment.
_TAIL = 8 * 1024 * 1024 + 128 * 1024
_BLOCK = 256 * 1024
_LOCAL = struct.Struct("<4s5H3L2H")
_MOST_KEPT = 64


@dataclass(frozen=True, slots=True)
class PackedFile:
    """Where a file's bytes begin (its local header), how many there are packed, and what they unpack to."""

    header: int
    packed: int
    size: int
    deflated: bool


class PackedFiles:
    """Keeps the directories that were used last."""

    def __init__(self, store: ContentStore) -> None:
        self._store = store
        self._kept: collections.OrderedDict[str, Mapping[str, PackedFile]] = collections.OrderedDict()

    async def find(self, sha256: str, path: str) -> PackedFile | None:
        """The file at `path` of the package, None when there is none (or no such package)."""
        directory = self._kept.get(sha256)
        if directory is None:
            size = await self._store.size(sha256)
            if size is None:
                return None
            directory = self._kept[sha256] = await self._directory(sha256, size)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(sha256)
        return directory.get(path)

    async def _directory(self, sha256: str, size: int) -> Mapping[str, PackedFile]:
        start = max(0, size - _TAIL)
        tail = b"".join([block async for block in self._store.read(sha256, start, size - start)])
        with zipfile.ZipFile(io.BytesIO(tail)) as archive:
            # `zipfile` takes the missing front for a shift of every offset.
            return {
                info.filename: PackedFile(
                    info.header_offset + start, info.compress_size, info.file_size, info.compress_type != 0
                )
                for info in archive.infolist()
                if not info.is_dir()
            }

    async def read(self, sha256: str, file: PackedFile) -> AsyncIterator[bytes]:
        """The unpacked bytes. Raises OSError when they are not what the directory says."""
        head = b"".join([block async for block in self._store.read(sha256, file.header, _LOCAL.size)])
        *_, name, extra = _LOCAL.unpack(head)
        start = file.header + _LOCAL.size + name + extra
        if file.packed == 0:
            return
        unpacker, left = zlib.decompressobj(-zlib.MAX_WBITS), file.size
        async for block in self._store.read(sha256, start, file.packed):
            waiting = block
            while waiting:
                piece = unpacker.decompress(waiting, _BLOCK) if file.deflated else waiting
                waiting = unpacker.unconsumed_tail if file.deflated else b""
                left -= len(piece)
                if left < 0:
                    raise OSError("a packed file is longer than its directory says")
                if piece:
                    yield piece
        if left:
            raise OSError("a packed file is shorter than its directory says")
