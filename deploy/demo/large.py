"""Packages of many schools, written to disk school by school: memory is that of one school, whatever the number."""

import csv
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from deploy.demo.package import HEADERS, Row, SchoolPlan, make_package

# Once per package, whoever comes first.
_SHARED = frozenset({"academicSessions"})


def write_large(
    path: Path,
    schools: Sequence[SchoolPlan],
    *,
    seed: int = 2026,
    school_year: int = 2027,
    alter: Callable[[str, int, Row], None] | None = None,
) -> dict[str, int]:
    """A bulk ZIP for `schools` at `path`; answers the rows by file, the header not counted.

    `alter(file, number, row)` may change each row, numbered from 0 within its file, before it is written.
    """
    counts = dict.fromkeys(HEADERS, 0)
    with ExitStack() as opened, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        spooled = {
            name: opened.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="", dir=path.parent))
            for name in HEADERS
        }
        writers = {name: csv.DictWriter(file, HEADERS[name].split(","), restval="") for name, file in spooled.items()}
        for writer in writers.values():
            writer.writeheader()
        for number, school in enumerate(schools):
            package = make_package([school], seed=seed, school_year=school_year)
            for name, rows in package.rows.items():
                if name in _SHARED and number:
                    continue
                for row in rows:
                    if alter is not None:
                        alter(name, counts[name], row)
                    writers[name].writerow(row)
                    counts[name] += 1
        archive.writestr(_entry("manifest"), "".join(dict(make_package([]).files())["manifest"]))
        for name, file in spooled.items():
            file.seek(0)
            with archive.open(_entry(name), "w", force_zip64=True) as entry:
                while piece := file.read(1 << 20):
                    entry.write(piece.encode())
    return counts


def _entry(name: str) -> zipfile.ZipInfo:
    # A fixed date: the same schools give the same bytes.
    entry = zipfile.ZipInfo(f"{name}.csv", date_time=(2026, 9, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
