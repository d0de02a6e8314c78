"""A ZIP archive of a stranger: counted, measured and judged before anything of it is unpacked."""

import stat
import struct
import zipfile
import zlib
from typing import BinaryIO

from services.materials.inspection.directory import count_first
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import Limits

_ENCRYPTED = 0x1
_BOMB_FROM = 100 * 1024 * 1024
_LOCAL_HEADER = 30
_ZIP_HEAD = b"PK\x03\x04"
_ARCHIVE_HEADS = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00")
# Documents that happen to be ZIP archives; readers of them do not unpack further ones.
_DOCUMENTS = (".docx", ".pptx", ".xlsx", ".odt", ".odp", ".ods", ".epub", ".ggb")
# What every reader of ZIP knows; the others need much memory, and crash in ways of their own.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# ValueError: a name that says it is UTF-8 and is not.
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, NotImplementedError, OSError, RuntimeError, ValueError),
)


class Archive:
    """Files by name. Every read has a bound of its own, whatever the directory says about sizes."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        count_first(file, limits)
        try:
            self._zip = zipfile.ZipFile(file)
        except _UNREADABLE as failure:
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
        except _UNREADABLE as failure:
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
    if info.compress_type not in _METHODS:
        raise refusal("archive.method", place=info.filename, method=info.compress_type)
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
