"""Whether a ZIP is safe to open: judged from its directory alone, before a byte is unpacked."""

from collections.abc import Sequence
from dataclasses import dataclass
from stat import S_ISLNK
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from services.sync.domain.problems import Problem, shortened

_ARCHIVES = (".zip", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".zst")
_ENCRYPTED = 0x1
# Small files compress by any factor without harm: the ratio counts from here on.
_RATIO_FROM_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """A OneRoster package has 22 files at most; the rest is room for what vendors add by mistake.

    `packed_bytes`: what the door lets in of any file.
    """

    entries: int = 64
    packed_bytes: int = 256 * 1024**2
    unpacked_bytes: int = 4 * 1024**3
    ratio: int = 100


def archive_problems(entries: Sequence[ZipInfo], limits: ArchiveLimits) -> list[Problem]:
    """Everything that makes the ZIP unfit, as problems of the package; empty when it may be opened."""
    if not entries:
        return [Problem("zip.empty", "")]
    if len(entries) > limits.entries:
        return [Problem("zip.tooManyEntries", "", value=str(len(entries)), expected=str(limits.entries))]
    problems = [problem for entry in entries for problem in _entry_problems(entry, limits)]
    total = sum(entry.file_size for entry in entries)
    if total > limits.unpacked_bytes:
        problems.append(Problem("zip.tooLarge", "", value=str(total), expected=str(limits.unpacked_bytes)))
    names = [entry.filename for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [Problem("zip.duplicateName", shortened(name), value=shortened(name)) for name in twice]
    return problems


def _entry_problems(entry: ZipInfo, limits: ArchiveLimits) -> list[Problem]:
    name = shortened(entry.filename)
    codes = []
    if "/" in entry.filename or "\\" in entry.orig_filename or ":" in entry.filename or ".." in entry.filename:
        codes.append("zip.path")
    if S_ISLNK(entry.external_attr >> 16):
        codes.append("zip.symlink")
    if entry.flag_bits & _ENCRYPTED:
        codes.append("zip.encrypted")
    if entry.filename.lower().endswith(_ARCHIVES):
        codes.append("zip.nested")
    if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        codes.append("zip.method")
    problems = [Problem(code, name, value=name) for code in codes]
    ratio = entry.file_size // max(entry.compress_size, 1)
    if entry.file_size > _RATIO_FROM_BYTES and ratio > limits.ratio:
        problems.append(Problem("zip.ratio", name, value=str(ratio), expected=str(limits.ratio)))
    return problems
