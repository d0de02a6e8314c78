"""The registry of issued codes: which kinds of people it knows, and what a line of an upload may say (PRODUCT rule 4).

Codes are opaque: they are compared, never computed. Only the code is read; a name in the file is left at the door.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.sync.domain.cells import CellError, read_id
from shared.errors import Text

PROVISIONAL = "provisional:"


class RegistryKind(StrEnum):
    LEARNERS = "learners"
    STAFF = "staff"


class RegistryMode(StrEnum):
    """`authoritative`: a code that was not loaded is held. `open`: every code is accepted."""

    AUTHORITATIVE = "authoritative"
    OPEN = "open"


LINE_TEXTS = {
    "registry.lineUnreadable": Text("Dòng không đọc được.", "The line cannot be read."),
    "registry.codeInvalid": Text(
        "sourcedId gồm 1 đến 255 ký tự trong A–Z a–z 0–9 . - _ / @ :.",
        "sourcedId holds 1 to 255 characters of A–Z a–z 0–9 . - _ / @ :.",
    ),
    "registry.codeProvisional": Text(
        "Mã tạm không phải là mã được cấp.",
        "A provisional code is not an issued code.",
    ),
}


@dataclass(slots=True)
class RegistryReader:
    """Reads codes from the lines of an upload; `faults` are (line, code) of the lines left out."""

    read: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)  # names of fields that are not kept

    def csv_codes(self, lines: Iterable[str]) -> Iterator[str]:
        """Codes of a CSV with a header that has the column `sourcedId`."""
        reader = csv.DictReader(lines)
        self.dropped |= {str(name) for name in reader.fieldnames or () if name != "sourcedId"}
        for row in reader:
            yield from self._code(reader.line_num, row.get("sourcedId"))

    def ndjson_codes(self, lines: Iterable[str]) -> Iterator[str]:
        """Codes of objects, one a line."""
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except ValueError:
                found = None
            if not isinstance(found, dict):
                self.read += 1
                self.faults.append((number, "registry.lineUnreadable"))
                continue
            self.dropped |= found.keys() - {"sourcedId"}
            yield from self._code(number, found.get("sourcedId"))

    def _code(self, line: int, value: Any) -> Iterator[str]:
        self.read += 1
        try:
            code = read_id(value.strip() if isinstance(value, str) else "")
        except CellError:
            self.faults.append((line, "registry.codeInvalid"))
            return
        if not code or code.startswith(PROVISIONAL):
            self.faults.append((line, "registry.codeProvisional" if code else "registry.codeInvalid"))
            return
        yield code
