"""Reads and writes a framework as CSV: `code,parent,subject,grade,textVi,textEn`, UTF-8, `,` or `;`.

`grade` holds grades separated by blanks. An item's GUID follows from the framework and its code, so that the same file
read twice is the same framework.
"""

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from services.materials.domain.requirement_tree import Framework, Requirement, fault, refuse

COLUMNS = ("code", "parent", "subject", "grade", "textVi", "textEn")
_REQUIRED = frozenset({"code", "textVi"})
_OURS = UUID("5f0d9b1e-6f0c-5a53-9f37-0d7c1f4b7a11")


def read_csv(raw: bytes, *, title: str) -> Framework:
    """The framework called `title`. Raises `requirements.invalid`; the tree itself is checked by `paths_of`."""
    try:
        text = unicodedata.normalize("NFC", raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        refuse([fault("", "csv.not_utf8", "Tệp không phải văn bản UTF-8.", "The file is not text in UTF-8.")])
    first = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    framework = uuid5(_OURS, unicodedata.normalize("NFC", title))
    try:
        names = reader.fieldnames or ()
        missing = sorted(_REQUIRED.difference(names))
        if missing:
            absent = ", ".join(missing)
            refuse([fault("/lines/1", "column.missing", f"Thiếu cột {absent}.", f"Columns are missing: {absent}.")])
        items = [_item(row, framework, position, reader.line_num) for position, row in enumerate(reader)]
    except csv.Error:
        place = f"/lines/{reader.line_num}"
        refuse([fault(place, "csv.invalid", "Dòng CSV không đọc được.", "The line is not valid CSV.")])
    return Framework(framework, title, _package(framework, title, items), tuple(items))


def write_csv(items: Sequence[Requirement]) -> str:
    """With BOM, as spreadsheets in Vietnam need it. A cell a spreadsheet would run is kept: it is read back here."""
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    writer.writerow(COLUMNS)
    for item in items:
        writer.writerow([item.code, item.parent, item.subject, " ".join(item.grades), item.text_vi, item.text_en])
    return "\ufeff" + held.getvalue()


def _item(row: Mapping[str, Any], framework: UUID, position: int, line: int) -> Requirement:
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    guid = uuid5(framework, values["code"])
    grades = tuple(values["grade"].split())
    case: dict[str, Any] = {
        "identifier": str(guid),
        "uri": f"urn:uuid:{guid}",
        "humanCodingScheme": values["code"],
        "fullStatement": values["textVi"],
        "educationLevel": [grade.zfill(2) for grade in grades],
    }
    if values["subject"]:
        case["subject"] = [values["subject"]]
    return Requirement(
        code=values["code"],
        guid=guid,
        uri=case["uri"],
        parent=values["parent"] or None,
        subject=values["subject"] or None,
        grades=grades,
        text_vi=values["textVi"],
        text_en=values["textEn"] or None,
        position=position,
        place=f"/lines/{line}",
        case=case,
    )


def _package(framework: UUID, title: str, items: Sequence[Requirement]) -> dict[str, Any]:
    guids = {item.code: item.guid for item in items}
    return {
        "CFDocument": {"identifier": str(framework), "uri": f"urn:uuid:{framework}", "title": title},
        "CFAssociations": [
            {
                "identifier": str(uuid5(item.guid, "isChildOf")),
                "associationType": "isChildOf",
                "originNodeURI": _link(item.guid),
                "destinationNodeURI": _link(guids.get(item.parent or "", framework)),
            }
            for item in items
        ],
    }


def _link(guid: UUID) -> dict[str, str]:
    return {"identifier": str(guid), "uri": f"urn:uuid:{guid}"}
