"""An upload of lines, plain or compressed by gzip or zstd: JSON is judged once to its end, then read line by line."""

import gzip
import io
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from backports import zstd

from services.sync.domain.archive import ArchiveLimits
from services.sync.domain.files import files_of
from services.sync.domain.ndjson import LONGEST_LINE, MANIFEST, NAME, kind_of, plan_lines, read_manifest_line
from services.sync.domain.objects import SPECS
from services.sync.domain.package import Findings, PackagePlan

_GZIP, _ZSTD, _BOM = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"
_BUFFER = 1024 * 1024
# What a frame may ask a reader to keep at hand, 8 MiB: zstd's own bound for readers that trust nobody.
_ZSTD_OPTIONS: Mapping[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
DAMAGE = (zlib.error, EOFError, gzip.BadGzipFile, zstd.ZstdError)


class TooLargeError(ValueError):
    """More bytes than the limit came out of a compressed file."""


def is_objects(path: Path) -> bool:
    """Whether the file is JSON lines, by its first bytes; anything else is taken for a ZIP."""
    with path.open("rb") as file:
        head = file.read(4)
    return head.startswith((_GZIP, _ZSTD, _BOM)) or head[:1] in {b"{", b"[", b"\n", b"\r", b"\t", b" "}


def is_compressed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4).startswith((_GZIP, _ZSTD))


def unpack(path: Path, target: IO[bytes], most_bytes: int) -> None:
    """Write the plain bytes of a file to `target`. Flat memory, blocking. Raises one of `DAMAGE`, or TooLargeError."""
    left = most_bytes
    with _unpacked(path) as file:
        while piece := file.read(_BUFFER):
            left -= len(piece)
            if left < 0:
                raise TooLargeError
            target.write(piece)


def most_unpacked(path: Path, most_bytes: int, ratio: int) -> int:
    """A ratio bounds what a small upload may grow to, as in a ZIP; a floor lets small files compress by any factor."""
    return min(most_bytes, max(path.stat().st_size * ratio, _BUFFER))


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head.startswith(_GZIP):
            with gzip.GzipFile(fileobj=file) as raw:
                yield io.BufferedReader(cast("io.RawIOBase", raw), _BUFFER)
        elif head.startswith(_ZSTD):
            with zstd.ZstdFile(file, options=_ZSTD_OPTIONS) as raw:
                yield io.BufferedReader(cast("io.RawIOBase", raw), _BUFFER)
        else:
            yield file


def lines_of(path: Path, most_bytes: int) -> Generator[tuple[int, bytes | None], None, None]:
    """Number and bytes of each line that is not blank; None for one that is too long. Flat memory.

    Raises one of `DAMAGE`, or TooLargeError.
    """
    with _unpacked(path) as file:
        left, number = most_bytes, 0
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            is_long = len(line) > LONGEST_LINE and not line.endswith(b"\n")
            left -= len(line) + (_skip_line(file) if is_long else 0)
            if left < 0:
                raise TooLargeError
            if is_long:
                yield number, None
            elif not line.isspace():
                yield number, line.removeprefix(_BOM) if number == 1 else line


def _skip_line(file: IO[bytes]) -> int:
    skipped = 0
    while line := file.readline(LONGEST_LINE):
        skipped += len(line)
        if line.endswith(b"\n"):
            break
    return skipped


def inspect_objects(path: Path, findings: Findings, limits: ArchiveLimits) -> tuple[PackagePlan | None, int]:
    """The plan and the number of records; None with errors in `findings`. Reads the file to its end. Blocking."""
    modes, kinds, rows = {}, set[str](), 0
    most = most_unpacked(path, limits.unpacked_bytes, limits.ratio)
    try:
        for number, line in lines_of(path, most):
            kind = "" if line is None else kind_of(line)
            if kind == MANIFEST and number == 1 and line is not None:
                modes = read_manifest_line(line, findings)
            else:
                kinds.add(kind)
                rows += 1
        for kind in sorted(kinds & files_of("1.2").keys() - SPECS.keys()):
            findings.add("dropped.file", f"{kind}.csv")
    except DAMAGE:
        findings.add("ndjson.damaged", NAME)
    except TooLargeError:
        findings.add("zip.tooLarge", NAME, value=str(most), expected=str(most))
    if not findings.errors and not (kinds & SPECS.keys() or modes):
        findings.add("ndjson.nothing", NAME)
    return (None if findings.errors else plan_lines(modes, kinds)), rows
