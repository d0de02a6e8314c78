"""Curriculum requirements (yêu cầu cần đạt) as a tree of codes: what a correct one is, and what an import changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args
from uuid import UUID

from services.materials.domain.catalogue import Grade, subjects
from shared.errors import FieldError, Text, invalid

GRADES: tuple[str, ...] = get_args(Grade)
MAX_ITEMS = 50_000
MAX_DEPTH = 32
MAX_FAULTS = 100


@dataclass(frozen=True, slots=True)
class Requirement:
    """One node. `place` is the JSON Pointer of where it was read; `case` its CFItem, kept as it was written."""

    code: str
    guid: UUID
    uri: str
    parent: str | None
    subject: str | None
    grades: tuple[str, ...]
    text_vi: str
    text_en: str | None
    position: int
    place: str = field(compare=False)
    case: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Framework:
    """A whole tree. `package` is the CFPackage without its items, for the way back to CASE."""

    id: UUID
    title: str
    package: Mapping[str, Any]
    items: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Codes an import adds, changes and ends, in the order of the tree."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    ended: tuple[str, ...]


def fault(pointer: str, code: str, vi: str, en: str) -> FieldError:
    return FieldError(pointer, code, Text(vi, en))


def refuse(faults: Sequence[FieldError]) -> None:
    """Raise `requirements.invalid` with the faults, if there are any; at most MAX_FAULTS are shown."""
    if faults:
        raise invalid(
            "requirements.invalid",
            vi=f"Khung yêu cầu cần đạt có {len(faults)} lỗi; chưa có gì được ghi.",
            en=f"The framework has {len(faults)} faults; nothing was written.",
            errors=faults[:MAX_FAULTS],
            faults=len(faults),
        )


def paths_of(items: Sequence[Requirement]) -> dict[str, tuple[str, ...]]:
    """Each code with the codes from the root down to itself. Raises `requirements.invalid` with every fault."""
    if len(items) > MAX_ITEMS:
        refuse([fault("", "tree.too_large", f"Quá {MAX_ITEMS} mục.", f"More than {MAX_ITEMS} items.")])
    faults = [*_repeated(items), *(found for item in items for found in _faults_of(item))]
    parents = {item.code: item.parent for item in items}
    paths: dict[str, tuple[str, ...]] = {}
    for item in items:
        if item.parent is not None and item.parent not in parents:
            faults.append(
                fault(
                    item.place,
                    "parent.unknown",
                    f"Không có mục cha '{item.parent}' của '{item.code}'.",
                    f"There is no parent '{item.parent}' of '{item.code}'.",
                )
            )
            continue
        path = _climb(item.code, parents)
        if path is None:
            faults.append(
                fault(
                    item.place,
                    "tree.cycle",
                    f"'{item.code}' nằm dưới chính nó, hoặc cây sâu quá {MAX_DEPTH} bậc.",
                    f"'{item.code}' lies below itself, or the tree is deeper than {MAX_DEPTH}.",
                )
            )
        else:
            paths[item.code] = path
    refuse(faults)
    return paths


def _climb(code: str, parents: Mapping[str, str | None]) -> tuple[str, ...] | None:
    path = [code]
    above = parents[code]
    while above is not None:
        if len(path) == MAX_DEPTH:
            return None
        path.append(above)
        above = parents.get(above)
    return tuple(reversed(path))


def _repeated(items: Sequence[Requirement]) -> list[FieldError]:
    first: dict[str, str] = {}
    return [
        fault(item.place, "code.repeated", f"Mã '{item.code}' bị lặp.", f"The code '{item.code}' is repeated.")
        for item in items
        if first.setdefault(item.code, item.place) != item.place
    ]


def _faults_of(item: Requirement) -> list[FieldError]:
    faults = []
    if not 1 <= len(item.code) <= 100:
        faults.append(
            fault(item.place, "code.missing", "Mã cần từ 1 đến 100 ký tự.", "A code has 1 to 100 characters.")
        )
    if not item.text_vi:
        faults.append(fault(item.place, "text.missing", "Thiếu nội dung yêu cầu.", "The statement is missing."))
    if item.subject is not None and item.subject not in subjects():
        faults.append(
            fault(
                item.place,
                "subject.unknown",
                f"Không có mã môn học '{item.subject}'.",
                f"There is no subject with the code '{item.subject}'.",
            )
        )
    faults += [
        fault(item.place, "grade.unknown", f"Không có khối '{grade}'.", f"There is no grade '{grade}'.")
        for grade in item.grades
        if grade not in GRADES
    ]
    return faults


def changes_between(held: Mapping[str, Requirement], items: Sequence[Requirement]) -> Changes:
    """What an import does to the items in force; one that had ended and comes back is added."""
    present = {item.code for item in items}
    return Changes(
        added=tuple(item.code for item in items if item.code not in held),
        changed=tuple(item.code for item in items if item.code in held and held[item.code] != item),
        ended=tuple(code for code in held if code not in present),
    )


def faults_of_codes(
    codes: Sequence[str],
    known: Mapping[str, Sequence[tuple[str | None, Sequence[str]]]],
    *,
    subjects: frozenset[str],
    grades: frozenset[str],
    under: str,
) -> list[FieldError]:
    """Codes a material names, against (subject, grades) of every item in force that has the code.

    An item without a subject, or without grades, fits every one.
    """
    faults = []
    for place, code in enumerate(codes):
        items = known.get(code, ())
        if not items:
            faults.append(
                fault(
                    f"{under}/requirements/{place}",
                    "requirement.unknown",
                    f"Không có yêu cầu cần đạt '{code}'. Xem /materials/v1/requirements.",
                    f"There is no requirement '{code}'. See /materials/v1/requirements.",
                )
            )
        elif not any(
            (subject is None or subject in subjects) and (not item_grades or not grades.isdisjoint(item_grades))
            for subject, item_grades in items
        ):
            faults.append(
                fault(
                    f"{under}/requirements/{place}",
                    "requirement.other_subject",
                    f"Yêu cầu '{code}' thuộc môn học hoặc khối lớp khác.",
                    f"The requirement '{code}' belongs to another subject or grade.",
                )
            )
    return faults
