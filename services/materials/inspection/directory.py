"""The directory of a ZIP archive, measured and counted before `zipfile` makes an object of each entry.

What is counted is what `zipfile` will read: the bytes right before the end record. The numbers the record itself gives
are only compared with it. An archive with two truths is damaged, so that no reader after us sees another one.
"""

import struct
from typing import BinaryIO

from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import Limits

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 0xFFFF
_ENTRY = 46
_LENGTHS = struct.Struct("<3H")  # of name, extra field and comment, 28 bytes into an entry


def count_first(file: BinaryIO, limits: Limits) -> None:
    """Raises `file.damaged` or `archive.too_many_entries`."""
    entries, length, end = _end_record(file)
    if length > limits.max_directory_bytes:
        raise refusal("archive.too_many_entries", entries=entries, maxEntries=limits.max_entries)
    if length > end:
        raise refusal("file.damaged")
    file.seek(end - length)
    if _count(file.read(length), limits.max_entries) != entries:
        raise refusal("file.damaged")


def _count(directory: bytes, most: int) -> int:
    place = found = 0
    while place < len(directory):
        if directory[place : place + 4] != b"PK\x01\x02" or place + _ENTRY > len(directory):
            raise refusal("file.damaged")
        found += 1
        if found > most:
            raise refusal("archive.too_many_entries", entries=found, maxEntries=most)
        name, extra, comment = _LENGTHS.unpack_from(directory, place + 28)
        if not name:
            raise refusal("archive.nameless")
        place += _ENTRY + name + extra + comment
    if place != len(directory):
        raise refusal("file.damaged")
    return found


def _end_record(file: BinaryIO) -> tuple[int, int, int]:
    """Entries and bytes of the directory as the end record has them, and the place where the directory ends."""
    size = file.seek(0, 2)
    start = max(0, size - _END.size - _LONGEST_COMMENT)
    file.seek(start)
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < _END.size:
        raise refusal("file.damaged")
    _, _, _, _, entries, length, offset, comment = _END.unpack_from(tail, found)
    if found + _END.size + comment != len(tail):
        raise refusal("file.damaged")
    locator = start + found - _LOCATOR.size
    file.seek(max(0, locator))
    pointer = file.read(_LOCATOR.size)
    if locator >= 0 and pointer[:4] == b"PK\x06\x07":
        return _end_record_64(file, pointer, locator)
    if offset == 0xFFFFFFFF:
        raise refusal("file.damaged")
    return entries, length, start + found


def _end_record_64(file: BinaryIO, pointer: bytes, locator: int) -> tuple[int, int, int]:
    """The record must stand right before its locator: `zipfile` reads it there, others where the locator points."""
    place = locator - _END64.size
    if place < 0 or _LOCATOR.unpack(pointer)[2] != place:
        raise refusal("file.damaged")
    file.seek(place)
    signature, _, _, _, _, _, _, entries, length, _ = _END64.unpack(file.read(_END64.size))
    if signature != b"PK\x06\x06":
        raise refusal("file.damaged")
    return entries, length, place
