"""The page `docs/imports.md`, made from the data that the service itself follows.

`python -m services.sync.domain.imports_page > docs/imports.md` writes it; a test compares.
"""

import sys
from collections.abc import Iterable

from services.sync.domain.brake import CHANGED_AT_MOST, REMOVED_AT_MOST
from services.sync.domain.brake_texts import HOLD_TEXTS
from services.sync.domain.codes_package import PACKAGE_CODES
from services.sync.domain.codes_repairs import DROPPED_CODES, REPAIR_CODES
from services.sync.domain.codes_rows import ROW_CODES
from services.sync.domain.files import KEPT_FILES, files_of, kept_names
from services.sync.domain.problems import ProblemCode
from shared.errors import Text

_INTRODUCTION = """\
# Imports: what is accepted, what is repaired, what every code means

Made from the code (`services/sync/domain/imports_page.py`); do not edit by hand.

`POST /sync/v1/imports` takes a OneRoster CSV package, version 1.1 or 1.2 (document 1.2.1), bulk or delta, as a ZIP
with the files at its root. Send it as `application/zip`, or as a form with one file. UTF-8, with or without a
byte-order mark.
The answer is a receipt (`202`, `Location`); the worker goes on from there:

    received -> validating -> ready -> committing -> committed
                           -> held  -> committing            (the school released it)
                                    -> discarded             (the school discarded it)
                           -> rejected                       (nothing in it could be accepted)

| parameter | meaning |
|---|---|
| `mode=review` (default) | nothing counts before `POST /sync/v1/imports/{id}/commit` |
| `mode=auto` | commits by itself when nothing is held |
| `dryRun=true` | judged and compared like any other; nothing of it can be committed (`409 import.dryRun`) |
| `lenient=false` (default) | the standard is followed to the letter; a row that does not is refused, good rows go on |
| `lenient=true` | the repairs listed below are made, and each is reported |

Send an `Idempotency-Key`: a repeated request then finds the first one's answer instead of making a second import.

What is wrong with the package itself (archive, manifest, file names, headers) is answered at once with `422` and every
fault in `errors`; nothing is stored. What is wrong with rows is at `/sync/v1/imports/{id}/problems`, every finding with
file, line, column, code, message and hint, and counted by cause at `/problems/summary`. The difference the import makes
is at `/diff`: what is added, changed (field by field) and removed, filtered by `type`, `action`, `school` and `class`;
counted per class at `/diff/classes`. Both are JSON, and a table with `Accept: text/csv`. A learner who moves is counted
in the class left and in the class joined. People are shown in the classes they are enrolled in now.

## Bulk, delta, and whose records end

**Bulk**: `status` and `dateLastModified` are empty, and what a school's files leave out ends. It is never deleted: its
status becomes `tobedeleted`. The package speaks for the schools that `orgs.csv` names (without `orgs.csv`: for the
schools it has classes of); rows of other schools are written, and nothing of those schools ends. A refused row still
names its record: refused is not absent. **Delta**: both cells are filled, `active` writes the record, `tobedeleted`
ends it.
With a class or a person that ends, their enrollments and roles end.

Org codes are never created by an import: a code that is not in the registry, or not granted to you, is `org.unknown`.
Imports of one client are worked through in the order they came.

## What is kept

"""
_NOTES = """
Reading is strict about values and indifferent to blanks around the items of a list. A OneRoster 1.1 user's `role` and
`orgSourcedIds` become roles; `administrator` is kept as `siteAdministrator`, an enrollment's `aide` as `ext:aide`.
A row with `tobedeleted` is checked for its sourcedId only.

The uploaded file, which may hold passwords and telephone numbers, lies in the data folder until its rows are staged and
judged, and is deleted then; the receipt keeps its hash and size. Columns that are never kept are not staged, so they
are in no table.
"""


def imports_page() -> str:
    """The whole page as Markdown."""
    parts = [_INTRODUCTION, *_kept(), _NOTES, *_brake(), *_section_of_codes()]
    return "".join(parts).rstrip() + "\n"


def _kept() -> Iterable[str]:
    yield "| file | columns kept | left at the door |\n|---|---|---|\n"
    for spec in KEPT_FILES["1.2"]:
        kept = ", ".join(
            f"**{column.name}**" if column.required else column.name
            for column in spec.columns
            if column.name not in spec.dropped
        )
        yield f"| `{spec.file_name}` | {kept} | {', '.join(sorted(spec.dropped)) or '–'} |\n"
    others = ", ".join(f"`{name}.csv`" for name in sorted(files_of("1.2").keys() - kept_names("1.2")))
    yield "\nBold columns are required. Extension columns (`metadata.…`) are left at the door.\n"
    yield f"Not kept at all: {others}.\n"
    yield "From `orgs.csv` nothing is written: the registry belongs to the department; the file says which schools\n"
    yield "are meant.\n"


def _brake() -> Iterable[str]:
    removed, changed = f"{float(REMOVED_AT_MOST):.0%}", f"{float(CHANGED_AT_MOST):.0%}"
    yield "\n## The brake\n\n"
    yield (
        f"An import that would end more than {removed} of a school's records of a type, or change more than\n"
        f"{changed}, is `held`. A person with the role `head` or `data_officer` of that school decides, each held\n"
        "school of a package separately: `POST /sync/v1/imports/{id}/release` (or `/commit`) or `/discard`, with\n"
        '`{"reason": "…"}`. Every decision is kept and shown at `/decisions`. What was released of a package is\n'
        "committed, what was discarded is left alone. When another import was committed in between, the difference is\n"
        "computed again before it counts.\n\n"
    )
    for code, text in HOLD_TEXTS.items():
        yield f"- `{code}`: {_plain(text)}\n"


def _plain(text: Text) -> str:
    return f"{text.en} *{text.vi}*"


def _section_of_codes() -> Iterable[str]:
    yield from _codes("The repairs of lenient=true", REPAIR_CODES)
    yield from _codes("What is left at the door in both modes", DROPPED_CODES)
    yield from _codes("Codes of rows", ROW_CODES)
    yield from _codes("Codes of the package", PACKAGE_CODES)


def _codes(title: str, codes: Iterable[ProblemCode]) -> Iterable[str]:
    yield f"\n## {title}\n"
    for entry in codes:
        yield f"\n### `{entry.code}`\n\n{_plain(entry.text)}\n\n"
        yield f"What to do ({entry.who.value}): {_plain(entry.hint)}\n"


if __name__ == "__main__":
    sys.stdout.write(imports_page())
