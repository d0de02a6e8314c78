"""The header line of a kept file: which cell holds which column, and every way the line may be wrong."""

import difflib
from collections.abc import Sequence
from typing import Protocol

from services.sync.domain.columns import FileSpec
from services.sync.domain.problems import shortened

_LIKE_ENOUGH = 0.85


class Sink(Protocol):
    """Where faults go; `domain.package.Findings`."""

    lenient: bool

    def add(self, code: str, file: str, **more: str | int | None) -> None: ...

    def either(self, strict: str, repair: str, file: str, **more: str | int | None) -> None: ...


def read_header(spec: FileSpec, header: Sequence[str], findings: Sink) -> dict[str, int]:
    """Position of each known column by name. Metadata columns (`metadata.…`) are allowed by the standard."""
    file = spec.file_name
    cells = [cell.strip() for cell in header]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) < len(header):
        count = str(len(header) - len(cells))
        findings.either("header.emptyCells", "repair.headerEmptyCells", file, value=count)
    positions: dict[str, int] = {}
    missing = [name for name in spec.header if name not in cells]
    for index, cell in enumerate(cells):
        name = _name_of(spec, cell, missing, findings)
        if name is None:
            continue
        if name in positions:
            findings.add("header.twice", file, field=shortened(cell))
            continue
        positions[name] = index
    _report_missing(spec, positions, findings)
    known = [name for name in positions if name in spec.header]
    if known != [name for name in spec.header if name in positions]:
        findings.either("header.order", "repair.headerOrder", file, expected=", ".join(spec.header))
    return positions


def _name_of(spec: FileSpec, cell: str, missing: list[str], findings: Sink) -> str | None:
    if cell in spec.header or cell in spec.floating or cell.startswith("metadata."):
        return cell
    close = difflib.get_close_matches(cell.lower(), [name.lower() for name in missing], n=1, cutoff=_LIKE_ENOUGH)
    if close:
        meant = next(name for name in missing if name.lower() == close[0])
        missing.remove(meant)
        findings.either("header.misspelt", "repair.headerMisspelt", spec.file_name, field=meant, value=shortened(cell))
        return meant
    findings.either("header.unknown", "repair.columnUnknown", spec.file_name, value=shortened(cell))
    return None


def _report_missing(spec: FileSpec, positions: dict[str, int], findings: Sink) -> None:
    needed = {"sourcedId", *(column.name for column in spec.columns if column.required)}
    for index, name in enumerate(spec.header):
        if name in positions:
            continue
        more = {"field": name, "expected": str(index + 1)}
        if name in needed:
            findings.add("header.missing", spec.file_name, **more)
        else:
            findings.either("header.missing", "repair.columnMissing", spec.file_name, **more)
