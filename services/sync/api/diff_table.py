"""The difference as a table for spreadsheets: one line per changed field, one per record that comes or goes."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import RowMapping

HEADER = ("type", "school", "sourcedId", "action", "field", "before", "after")
# A cell that begins so would be run as a formula by a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def diff_table(changes: Iterable[RowMapping]) -> str:
    """CSV in UTF-8 with a byte-order mark, which spreadsheets need to read Vietnamese."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    writer.writerow(HEADER)
    for change in changes:
        writer.writerows(_lines(change))
    return buffer.getvalue()


def _lines(change: RowMapping) -> Iterator[list[str]]:
    record = [cell(change[name]) for name in ("type", "school_sourced_id", "sourced_id", "action")]
    fields: dict[str, Any] = change["fields"] or {}
    for name, pair in fields.items():
        yield [*record, name, cell(pair["before"]), cell(pair["after"])]
    if not fields:
        yield [*record, "", "", ""]


def cell(value: Any) -> str:
    if value is None:
        return ""
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
