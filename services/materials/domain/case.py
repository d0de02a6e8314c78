"""Reads and writes a CFPackage of 1EdTech CASE 1.0 and 1.1: what it does not know of an item is kept as it was."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.materials.domain.catalogue import subjects
from services.materials.domain.requirement_tree import Framework, Requirement, fault, refuse
from shared.errors import FieldError

# PostgreSQL keeps no NUL in JSON.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def read_case(raw: bytes) -> Framework:
    """The framework of a CFPackage. Raises `requirements.invalid`; the tree itself is checked by `paths_of`."""
    package = _object_of(raw)
    faults: list[FieldError] = []
    document = package.get("CFDocument")
    document = document if isinstance(document, dict) else {}
    root = _uuid(document.get("identifier"))
    if root is None or not _text(document.get("title")):
        faults.append(
            fault("/CFDocument", "document.invalid", "Thiếu identifier hoặc title.", "identifier or title is missing.")
        )
    items = _objects(package, "CFItems", faults)
    codes = {str(item.get("identifier")).lower(): _text(item.get("humanCodingScheme")) for item in items}
    parents = _parents(_objects(package, "CFAssociations", faults), codes, str(root), faults)
    read = [_item(item, place, parents, faults) for place, item in enumerate(items)]
    refuse(faults)
    assert root is not None
    rest = {name: value for name, value in package.items() if name != "CFItems"}
    return Framework(root, _text(document["title"]), rest, tuple(read))


def write_case(package: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The CFPackage again: equal to the one that was read."""
    return {**package, "CFItems": list(items)}


def _object_of(raw: bytes) -> dict[str, Any]:
    try:
        text = raw.decode("utf-8-sig")
        package: Any = None if _NUL.search(text) else json.loads(text, parse_constant=_no_number)
        # Halves of surrogate pairs are JSON, but no text a database could keep.
        json.dumps(package, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        package = None
    if not isinstance(package, dict):
        refuse([fault("", "json.invalid", "Không phải đối tượng JSON UTF-8.", "Not a JSON object in UTF-8.")])
    result: dict[str, Any] = package
    return result


def _no_number(name: str) -> None:
    raise ValueError(name)


def _objects(package: Mapping[str, Any], name: str, faults: list[FieldError]) -> list[dict[str, Any]]:
    given = package.get(name, [])
    if isinstance(given, list) and all(isinstance(entry, dict) for entry in given):
        return given
    faults.append(fault(f"/{name}", "field.invalid", "Cần danh sách đối tượng.", "A list of objects is needed."))
    return []


def _parents(
    associations: Sequence[Mapping[str, Any]], codes: Mapping[str, str], root: str, faults: list[FieldError]
) -> dict[str, str | None]:
    """Code of the parent by the item's identifier; None right below the document."""
    parents: dict[str, str | None] = {}
    for place, association in enumerate(associations):
        if association.get("associationType") != "isChildOf":
            continue
        child, parent = _node(association, "originNodeURI"), _node(association, "destinationNodeURI")
        known = child in codes and (parent == root or parent in codes)
        if not known or child in parents:
            faults.append(
                fault(
                    f"/CFAssociations/{place}",
                    "association.invalid" if not known else "association.repeated",
                    "isChildOf trỏ tới mục không có, hoặc mục đã có cha.",
                    "isChildOf names an item that is not there, or one that already has a parent.",
                )
            )
            continue
        parents[child] = None if parent == root else codes[parent]
    return parents


def _node(association: Mapping[str, Any], name: str) -> str:
    node = association.get(name)
    return str(node.get("identifier")).lower() if isinstance(node, dict) else ""


def _item(
    item: Mapping[str, Any], place: int, parents: Mapping[str, str | None], faults: list[FieldError]
) -> Requirement:
    guid = _uuid(item.get("identifier"))
    where = f"/CFItems/{place}"
    if guid is None:
        faults.append(fault(where, "identifier.invalid", "identifier phải là UUID.", "identifier must be a UUID."))
    named = [_subject(name) for name in _strings(item.get("subject"))]
    return Requirement(
        code=_text(item.get("humanCodingScheme")),
        guid=guid or UUID(int=0),
        uri=_text(item.get("uri")),
        parent=parents.get(str(item.get("identifier")).lower()),
        subject=next((subject for subject in named if subject is not None), None),
        grades=tuple(grade.lstrip("0") for grade in _strings(item.get("educationLevel"))),
        text_vi=_text(item.get("fullStatement")),
        text_en=None,
        position=place,
        place=where,
        case=item,
    )


def _subject(name: str) -> str | None:
    """Our code of a subject written as the code or by name; a framework of another country names others."""
    for code, subject in subjects().items():
        if name.casefold() in {code, subject.name.vi.casefold(), subject.name.en.casefold()}:
            return code
    return None


def _strings(given: Any) -> list[str]:
    return [_text(value) for value in given] if isinstance(given, list) else []


def _text(given: Any) -> str:
    return unicodedata.normalize("NFC", given).strip() if isinstance(given, str) else ""


def _uuid(given: Any) -> UUID | None:
    try:
        return UUID(given) if isinstance(given, str) else None
    except ValueError:
        return None
