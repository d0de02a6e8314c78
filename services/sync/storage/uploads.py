"""Uploaded packages on disk: received as a stream, judged, read row by row, and deleted when they are validated.

A package may hold passwords and telephone numbers, which are never stored: the file lives under `<data>/uploads` only
until its rows are staged without them. The receipt keeps its hash and size.
"""

import csv
import datetime as dt
import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from services.sync.domain.archive import ArchiveLimits, archive_problems
from services.sync.domain.package import FilePlan, Findings, PackagePlan, match_entries, plan_package
from services.sync.domain.problems import Problem, shortened
from services.sync.storage.objects_file import inspect_objects, is_objects, most_unpacked, unpack
from shared.ids import new_id

_END_OF_DIRECTORY = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 65_535
_MANIFEST_BYTES = 1024 * 1024
_HEADER_BYTES = 64 * 1024
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError)
_PIECE = 1024 * 1024
_ORPHAN_SECONDS = 3600
_SUFFIX = ".package"


@dataclass(frozen=True, slots=True)
class Received:
    """An upload on disk that has no receipt yet. `sha256` is hex, `size` in bytes."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the door found. `plan` is None when `errors` refuse the package; `rows` counts the kept files' lines."""

    plan: PackagePlan | None
    problems: tuple[Problem, ...]
    errors: tuple[Problem, ...]
    rows: int = 0


class Uploads:
    """The folder of uploads of one service; API and worker see the same one."""

    def __init__(self, data_dir: Path, limits: ArchiveLimits) -> None:
        self._folder = data_dir / "uploads"
        self.limits = limits

    async def receive(self, stream: AsyncIterable[bytes]) -> Received:
        """Write a body to disk piece by piece, hashing on the way. The caller deletes or keeps the file."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{new_id()}.part"
        digest, size = hashlib.sha256(), 0
        try:
            with path.open("wb") as file:  # pieces of the network's size; the page cache takes them
                async for piece in stream:
                    file.write(piece)
                    digest.update(piece)
                    size += len(piece)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Received(path, digest.hexdigest(), size)

    def unpack(self, packed: Path) -> Path:
        """The plain file of a compressed one, to be deleted by the caller; no larger than one sent plain may be.

        Blocking. Raises one of `objects_file.DAMAGE`, or TooLargeError: then nothing is left of it.
        """
        path = self._folder / f"{new_id()}.part"
        most = most_unpacked(packed, self.limits.packed_bytes, self.limits.ratio)
        try:
            with path.open("wb") as file:
                unpack(packed, file, most)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def keep(self, received: Received, import_id: UUID) -> None:
        """Give the file its import's name. A crash before the commit leaves an orphan for `sweep`."""
        received.path.rename(self.path_of(import_id))

    def path_of(self, import_id: UUID) -> Path:
        return self._folder / f"{import_id}{_SUFFIX}"

    def delete(self, import_id: UUID) -> None:
        self.path_of(import_id).unlink(missing_ok=True)

    def waiting(self) -> list[UUID]:
        """The imports whose file is here."""
        return [UUID(path.stem) for path in self._folder.glob(f"*{_SUFFIX}")]

    def sweep(self, waiting: set[UUID], done: set[UUID], now: dt.datetime) -> int:
        """Delete the files of `done` imports at once, and after an hour what belongs to none; answers how many."""
        kept = {self.path_of(import_id) for import_id in waiting}
        gone = {self.path_of(import_id) for import_id in done}
        deleted = 0
        for path in [*self._folder.glob(f"*{_SUFFIX}"), *self._folder.glob("*.part")]:
            old = now.timestamp() - path.stat().st_mtime > _ORPHAN_SECONDS
            if path in gone or (old and path not in kept):
                path.unlink(missing_ok=True)
                deleted += 1
        return deleted


def inspect(path: Path, *, lenient: bool, limits: ArchiveLimits) -> Inspection:
    """Judge a package without storing anything: archive, manifest, file names, headers, checksums. Blocking."""
    findings = Findings(lenient)
    if is_objects(path):
        plan, rows = inspect_objects(path, findings, limits)
        return _refused(findings) if plan is None else Inspection(plan, tuple(findings.problems), (), rows)
    findings.problems += _directory_problems(path, limits)
    if findings.errors:
        return _refused(findings)
    try:
        with zipfile.ZipFile(path) as package:
            findings.problems += archive_problems(package.infolist(), limits)
            if findings.errors:
                return _refused(findings)
            return _inspect_files(package, findings)
    except (*_DAMAGE, OSError, NotImplementedError, ValueError, RuntimeError):
        findings.add("zip.notZip", "")
        return _refused(findings)


def _directory_problems(path: Path, limits: ArchiveLimits) -> list[Problem]:
    """Look at the end record first: opening a directory of millions of entries would already be the attack."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        if size == 0:
            return [Problem("zip.empty", "")]
        file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT))
        tail = file.read()
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) - at < _END_SIZE:
        return [Problem("zip.notZip", "")]
    (entries,) = struct.unpack_from("<H", tail, at + 10)
    if entries > limits.entries:
        return [Problem("zip.tooManyEntries", "", value=str(entries), expected=str(limits.entries))]
    return []


def _refused(findings: Findings) -> Inspection:
    return Inspection(None, tuple(findings.problems), tuple(findings.errors))


def _inspect_files(package: zipfile.ZipFile, findings: Findings) -> Inspection:
    entries = match_entries(package.namelist(), findings)
    if "manifest" not in entries:
        return _refused(findings)
    manifest = _first_bytes(package, entries["manifest"], _MANIFEST_BYTES).decode("utf-8-sig", "replace")
    headers: dict[str, str | None] = {}
    for name, entry in entries.items():
        try:
            headers[name] = _header(package, entry)
        except _DAMAGE:
            findings.add("zip.damaged", entry, value=shortened(entry))
    if findings.errors and len(headers) < len(entries):
        return _refused(findings)
    plan = plan_package(entries, headers, manifest, findings)
    rows = sum(_checked_lines(package, file, findings) for file in plan.files)
    if findings.errors:
        return _refused(findings)
    return Inspection(plan, tuple(findings.problems), (), rows)


def _first_bytes(package: zipfile.ZipFile, entry: str, count: int) -> bytes:
    with package.open(entry) as file:
        return file.read(count)


def _header(package: zipfile.ZipFile, entry: str) -> str | None:
    """The first line, None when it is not UTF-8. A byte-order mark is no part of it."""
    line = _first_bytes(package, entry, _HEADER_BYTES).split(b"\n", 1)[0].rstrip(b"\r")
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _checked_lines(package: zipfile.ZipFile, plan: FilePlan, findings: Findings) -> int:
    """Unpack once to the end, which verifies the checksum; answers the number of lines below the header."""
    lines, last = 0, b"\n"
    try:
        with package.open(plan.entry) as file:
            while piece := file.read(_PIECE):
                lines += piece.count(b"\n")
                last = piece[-1:]
    except _DAMAGE:
        findings.add("zip.damaged", plan.spec.file_name, value=shortened(plan.entry))
        return 0
    return max(0, lines - 1 + (last != b"\n"))


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(path) as package:
        yield package


def rows_of(package: zipfile.ZipFile, plan: FilePlan) -> Iterator[tuple[int, list[str] | None]]:
    """Line number and cells of each row below the header; None for a line the CSV rules give up on. Flat memory."""
    with package.open(plan.entry) as raw:
        lines = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="")
        reader = csv.reader(lines)
        next(reader, None)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield reader.line_num, None
                continue
            if row:
                yield reader.line_num, row
