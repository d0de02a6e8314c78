"""Reading a package's manifest, file names and headers: pure, over what the ZIP's directory and first lines say.

Strict refuses with every fault at once; lenient repairs what the documented list allows and reports each repair.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.sync.domain.catalogue import is_error
from services.sync.domain.columns import COMMON_COLUMNS, FileSpec
from services.sync.domain.files import Mode, OneRosterVersion, files_of, kept_names
from services.sync.domain.headers import read_header
from services.sync.domain.problems import Problem, shortened

MANIFEST = "manifest.csv"
MODES: tuple[Mode, ...] = ("absent", "bulk", "delta")
_SOURCE_PROPERTIES = frozenset({"source.systemName", "source.systemCode"})
_VERSIONS: tuple[OneRosterVersion, ...] = ("1.1", "1.2")


@dataclass(frozen=True, slots=True)
class FilePlan:
    """How to read one kept file: the entry of the ZIP and, per column name, the position of its cell."""

    spec: FileSpec
    entry: str
    mode: Mode
    width: int
    positions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PackagePlan:
    version: OneRosterVersion
    modes: Mapping[str, Mode]
    files: tuple[FilePlan, ...]


@dataclass(slots=True)
class Findings:
    """Problems collected on the way; `errors` decide whether the package is refused."""

    lenient: bool
    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, file: str, **more: str | int | None) -> None:
        self.problems.append(Problem(code, file, **more))  # type: ignore[arg-type]  # field names of Problem

    def either(self, strict: str, repair: str, file: str, **more: str | int | None) -> None:
        """An error in strict mode, a reported repair in lenient mode."""
        self.add(repair if self.lenient else strict, file, **more)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if is_error(problem)]


def read_manifest(text: str, present: frozenset[str], findings: Findings) -> tuple[OneRosterVersion, dict[str, Mode]]:
    """The version and the mode of every data file. `present` are the data files found in the ZIP."""
    rows = _rows_of(text, findings)
    version = _version_of(rows, findings)
    names = files_of(version)
    modes: dict[str, Mode] = {}
    for name in names:
        key = f"file.{name}"
        mode = _mode_of(key, rows.pop(key, None), name in present, findings)
        modes[name] = mode
    for key in rows.keys() - _SOURCE_PROPERTIES:
        findings.either("manifest.propertyUnknown", "repair.manifestProperty", MANIFEST, field=shortened(key))
    if not findings.errors and not any(modes[name] != "absent" for name in kept_names(version)):
        findings.add("manifest.nothing", MANIFEST)
    return version, modes


def _rows_of(text: str, findings: Findings) -> dict[str, str]:
    try:
        lines = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    except csv.Error:
        findings.add("manifest.unreadable", MANIFEST)
        return {}
    if not lines or [cell.strip() for cell in lines[0]][:2] != ["propertyName", "value"]:
        findings.add("manifest.header", MANIFEST)
    rows: dict[str, str] = {}
    for row in lines[1:]:
        name, value = row[0].strip(), row[1].strip() if len(row) > 1 else ""
        if name in rows:
            findings.add("manifest.propertyTwice", MANIFEST, field=shortened(name))
        rows[name] = value
    return rows


def _version_of(rows: dict[str, str], findings: Findings) -> OneRosterVersion:
    manifest_version = rows.pop("manifest.version", "")
    if manifest_version != "1.0":
        findings.add(
            "manifest.version", MANIFEST, field="manifest.version", value=shortened(manifest_version), expected="1.0"
        )
    given = rows.pop("oneroster.version", "")
    for version in _VERSIONS:
        if given == version:
            return version
    findings.add(
        "manifest.version", MANIFEST, field="oneroster.version", value=shortened(given), expected=" / ".join(_VERSIONS)
    )
    return "1.2"


def _mode_of(key: str, given: str | None, is_present: bool, findings: Findings) -> Mode:  # noqa: FBT001  # one fact
    for mode in MODES:
        if given == mode:
            return mode
    guess: Mode = "bulk" if is_present else "absent"
    expected = "absent, bulk, delta"
    if given:
        findings.add("manifest.mode", MANIFEST, field=key, value=shortened(given), expected=expected)
    elif findings.lenient:
        findings.add("repair.manifestMode", MANIFEST, field=key, expected=guess)
    elif given is None:
        findings.add("manifest.propertyMissing", MANIFEST, field=key)
    else:
        findings.add("manifest.mode", MANIFEST, field=key, value="", expected=expected)
    return guess


def match_entries(entries: Sequence[str], findings: Findings) -> dict[str, str]:
    """ZIP entry names by data file name (without `.csv`), the manifest included as `manifest`."""
    known = {name.lower(): name for name in [*files_of("1.2"), *files_of("1.1"), "manifest"]}
    found: dict[str, str] = {}
    for entry in entries:
        stem = entry[: -len(".csv")] if entry.lower().endswith(".csv") else None
        name = known.get(stem.lower()) if stem is not None else None
        if name is None:
            findings.either("file.unknown", "repair.fileUnknown", shortened(entry))
            continue
        if name in found:
            findings.add("zip.duplicateName", shortened(entry), value=shortened(entry))
            continue
        if entry != f"{name}.csv":
            findings.either(
                "file.nameCase", "repair.fileNameCase", shortened(entry), value=shortened(entry), expected=f"{name}.csv"
            )
        found[name] = entry
    if "manifest" not in found:
        findings.add("manifest.missing", MANIFEST)
    return found


def plan_package(
    entries: Mapping[str, str], headers: Mapping[str, str | None], manifest: str, findings: Findings
) -> PackagePlan:
    """Everything the first lines say.

    `entries` from `match_entries`; `headers` the first line of each data file, None when it is not UTF-8. Look at
    `findings.errors` before using the plan.
    """
    present = frozenset(entries) - {"manifest"}
    version, modes = read_manifest(manifest, present, findings)
    known = files_of(version)
    for name in present - known.keys():
        findings.either("file.unknown", "repair.fileUnknown", entries[name])
    plans = []
    for name, spec in known.items():
        mode = modes[name]
        if mode == "absent":
            if name in present:
                findings.either("file.undeclared", "repair.fileUndeclared", spec.file_name)
        elif name not in present:
            findings.add("file.missing", spec.file_name)
        elif name in kept_names(version):
            plans.append(_plan_file(spec, entries[name], mode, headers[name], findings))
        else:
            _check_unkept(spec, headers[name], findings)
    return PackagePlan(version, modes, tuple(plan for plan in plans if plan is not None))


def _plan_file(spec: FileSpec, entry: str, mode: Mode, line: str | None, findings: Findings) -> FilePlan | None:
    if line is None:
        findings.add("file.notUtf8", spec.file_name)
        return None
    header = next(iter(csv.reader([line])), [])
    if not any(cell.strip() for cell in header):
        findings.add("file.empty", spec.file_name)
        return None
    positions = read_header(spec, header, findings)
    return FilePlan(spec, entry, mode, len(header), positions)


def _check_unkept(spec: FileSpec, line: str | None, findings: Findings) -> None:
    findings.add("dropped.file", spec.file_name)
    if findings.lenient:
        return
    header = next(iter(csv.reader([line or ""])), [])
    for index, name in enumerate(COMMON_COLUMNS):
        if index >= len(header) or header[index] != name:
            findings.add("header.missing", spec.file_name, field=name, expected=str(index + 1))
