"""The names inside a ZIP archive, read with bounded memory and without unpacking anything.

Python's `zipfile` builds an object for each entry before anyone can count them; an upload must not decide how many.
"""

import struct
from typing import BinaryIO

from shared.errors import AppError, invalid

MAX_ENTRIES = 10_000
MAX_DIRECTORY_BYTES = 2 * 1024 * 1024
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LONGEST_COMMENT = 0xFFFF
_ENCRYPTED = 1


def names_in_zip(file: BinaryIO) -> frozenset[str]:
    """Names from the central directory. Raises `file.archive_damaged`, `…_too_large` or `…_encrypted` (invalid).

    ZIP64 counts as too large: nothing the library takes needs it.
    """
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < _END.size:
        raise _damaged()
    _, _, _, _, entries, length, offset, _ = _END.unpack_from(tail, found)
    if entries > MAX_ENTRIES or length > MAX_DIRECTORY_BYTES or offset == 0xFFFFFFFF:
        raise invalid(
            "file.archive_too_large",
            vi=f"Tệp nén có quá nhiều thành phần (tối đa {MAX_ENTRIES}).",
            en=f"The archive has too many entries (at most {MAX_ENTRIES}).",
        )
    file.seek(offset)
    directory = file.read(length)
    if len(directory) != length:
        raise _damaged()
    return frozenset(_names(directory, entries))


def _names(directory: bytes, entries: int) -> list[str]:
    names: list[str] = []
    place = 0
    for _ in range(entries):
        if len(directory) - place < _ENTRY.size:
            raise _damaged()
        fields = _ENTRY.unpack_from(directory, place)
        if fields[0] != b"PK\x01\x02":
            raise _damaged()
        if fields[3] & _ENCRYPTED:
            raise invalid(
                "file.archive_encrypted",
                vi="Tệp nén được đặt mật khẩu nên không kiểm tra được. Hãy bỏ mật khẩu.",
                en="The archive is encrypted and cannot be checked. Remove the password.",
            )
        name_length, extra_length, comment_length = fields[10:13]
        start = place + _ENTRY.size
        names.append(directory[start : start + name_length].decode("utf-8", "replace"))
        place = start + name_length + extra_length + comment_length
    return names


def _damaged() -> AppError:
    return invalid(
        "file.archive_damaged",
        vi="Tệp nén bị hỏng hoặc chưa tải lên đủ.",
        en="The archive is damaged or incomplete.",
    )
