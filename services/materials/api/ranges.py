"""Byte ranges of a download (RFC 9110 section 14): one range is answered, several are answered with the whole file."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    start: int
    length: int

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


class UnsatisfiableRangeError(Exception):
    """The range lies outside the file (416)."""


def wanted_range(header: str | None, size: int) -> ByteRange | None:
    """The range asked for, or None for the whole file: no header, another unit, several ranges, or not well-formed."""
    match = _ONE.fullmatch(header.strip()) if header else None
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        if not last:
            return None
        length = min(int(last), size)
        if length == 0:
            raise UnsatisfiableRangeError
        return ByteRange(size - length, length)
    start, end = int(first), int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise UnsatisfiableRangeError
    return ByteRange(start, min(end, size - 1) - start + 1)
