"""A ZIP archive of a stranger: counted, measured and judged before anything of it is unpacked."""

import stat
import struct
import zipfile
import zlib
from typing import BinaryIO

from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import Limits

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 0xFFFF
_ENCRYPTED = 0x1
_BOMB_FROM = 100 * 1024 * 1024
_LOCAL_HEADER = 30
_ZIP_HEAD = b"PK\x03\x04"
_ARCHIVE_HEADS = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00")
# Documents that happen to be ZIP archives; readers of them do not unpack further ones.
_DOCUMENTS = (".docx", ".pptx", ".xlsx", ".odt", ".odp", ".ods", ".epub", ".ggb")


class Archive:
    """Files by name. Every read has a bound of its own, whatever the directory says about sizes."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        _count_first(file, limits)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError) as failure:
            raise refusal("file.damaged") from failure
        self._infos = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        self._judge(limits)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._infos)

    def has(self, name: str) -> bool:
        return name in self._infos

    def size(self, name: str) -> int:
        """Unpacked bytes, as the directory declares them."""
        return self._infos[name].file_size

    def read(self, name: str, limit: int = 32 * 1024 * 1024) -> bytes:
        """A file whole. Raises `archive.too_large` beyond `limit` bytes and `file.damaged` when it is cut."""
        return self._read(name, limit, whole=True)

    def head(self, name: str, length: int) -> bytes:
        return self._read(name, length, whole=False)

    def _read(self, name: str, limit: int, *, whole: bool) -> bytes:
        try:
            with self._zip.open(self._infos[name]) as source:
                data = source.read(limit + 1 if whole else limit)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError) as failure:
            raise refusal("file.damaged", place=name) from failure
        if whole and len(data) > limit:
            raise refusal("archive.too_large", place=name)
        return data

    def refuse_nested(self) -> None:
        """An archive inside the package hides what it holds from every check: it is refused, documents are not."""
        for name in sorted(self._infos):
            start = self.head(name, 6)
            if start.startswith(_ARCHIVE_HEADS) or (
                start.startswith(_ZIP_HEAD) and not name.lower().endswith(_DOCUMENTS)
            ):
                raise refusal("archive.nested", place=name)

    def _judge(self, limits: Limits) -> None:
        infos = self._zip.infolist()
        seen: set[str] = set()
        for info in infos:
            _judge_entry(info)
            key = info.filename.casefold()
            if key in seen:
                raise refusal("archive.duplicate", place=info.filename)
            seen.add(key)
        packed = sum(info.compress_size for info in infos)
        unpacked = sum(info.file_size for info in infos)
        if unpacked > limits.max_unpacked_bytes:
            raise refusal("archive.too_large", bytes=unpacked, maxBytes=limits.max_unpacked_bytes)
        if unpacked > _BOMB_FROM and unpacked > packed * limits.max_ratio:
            raise refusal("archive.ratio", bytes=unpacked)
        _refuse_overlap(infos)


def _judge_entry(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    if info.flag_bits & _ENCRYPTED:
        raise refusal("file.encrypted", place=info.filename)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise refusal("archive.symlink", place=info.filename)
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or "\0" in name or (len(name) > 1 and name[1] == ":"):
        raise refusal("archive.path_escape", place=info.filename)


def _refuse_overlap(infos: list[zipfile.ZipInfo]) -> None:
    """Entries that share bytes are how a bomb of kilobytes declares petabytes."""
    end = 0
    for info in sorted(infos, key=lambda each: each.header_offset):
        if info.header_offset < end:
            raise refusal("archive.overlap", place=info.filename)
        end = info.header_offset + _LOCAL_HEADER + info.compress_size


def _count_first(file: BinaryIO, limits: Limits) -> None:
    """`zipfile` makes an object of each entry before anyone can count them: count them by the end record first."""
    size = file.seek(0, 2)
    start = max(0, size - _END.size - _LONGEST_COMMENT)
    file.seek(start)
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < _END.size:
        raise refusal("file.damaged")
    _, _, _, _, entries, length, offset, _ = _END.unpack_from(tail, found)
    place = found - _LOCATOR.size
    if place >= 0 and tail[place : place + 4] == b"PK\x06\x07":
        entries, length = _zip64_counts(file, _LOCATOR.unpack_from(tail, place)[2])
    elif offset == 0xFFFFFFFF:
        raise refusal("file.damaged")
    if entries > limits.max_entries or length > limits.max_directory_bytes:
        raise refusal("archive.too_many_entries", entries=entries, maxEntries=limits.max_entries)


def _zip64_counts(file: BinaryIO, offset: int) -> tuple[int, int]:
    file.seek(min(offset, 2**62))
    record = file.read(_END64.size)
    if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
        raise refusal("file.damaged")
    fields = _END64.unpack(record)
    return fields[7], fields[8]
