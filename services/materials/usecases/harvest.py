"""What OAI-PMH asks: lists of what is public and of what was, single records, sets. Nobody needs to be known."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.materials.domain.catalogue import subjects
from services.materials.domain.oai import SET_KINDS, OaiError, Place, Selection, SetSpec
from services.materials.storage import public_shelf, shelf
from services.materials.storage.shelf_tables import ShelfItem
from shared.db.unit_of_work import UnitOfWork

PAGE_SIZE = 100
GRADES = ("6", "7", "8", "9", "10", "11", "12")


@dataclass(frozen=True, slots=True)
class Harvested:
    """A page of a list. `settled`: all changes before it are in the list or behind it."""

    items: Sequence[ShelfItem]
    following: Place | None
    settled: dt.datetime


def is_deleted(item: ShelfItem) -> bool:
    """Withdrawn, or of a version now that is not for everybody."""
    return item.withdrawn_at is not None or not item.public


def sets_of(item: ShelfItem) -> list[SetSpec]:
    """The sets an item is in; those above them follow from these."""
    found = dict.fromkeys([item.subject, *item.other_subjects])
    return [
        *(SetSpec("subject", subject) for subject in found),
        *(SetSpec("grade", grade) for grade in item.grades),
        SetSpec("school", item.school_sourced_id),
    ]


async def harvest(uow: UnitOfWork, selection: Selection, after: Place | None) -> Harvested:
    """The next page of a list. Raises `noRecordsMatch` for one that has nothing at all."""
    settled = await shelf.settled_before(uow.session)
    found = await public_shelf.listed(uow.session, selection, after, settled, PAGE_SIZE + 1)
    if not found and after is not None:
        # What was left has changed and gone out of the selection. No list may be empty: it ends with a repetition.
        found = await public_shelf.last(uow.session, selection, after)
    if not found:
        raise OaiError("noRecordsMatch", vi="Không có bản ghi nào phù hợp.", en="No record matches.")
    shown = found[:PAGE_SIZE]
    if len(found) <= PAGE_SIZE:
        return Harvested(shown, None, settled)
    sent = (after.cursor if after else 0) + len(shown)
    return Harvested(shown, Place(shown[-1].changed_at, shown[-1].material_id, sent), settled)


async def record(uow: UnitOfWork, material_id: UUID | None) -> tuple[ShelfItem, dt.datetime]:
    """One record or tombstone, and when that was so. Raises `idDoesNotExist`."""
    settled = await shelf.settled_before(uow.session)
    found = None if material_id is None else await public_shelf.known(uow.session, material_id)
    if found is None:
        raise OaiError("idDoesNotExist", vi="Không có bản ghi này.", en="There is no such record.")
    return found, settled


async def sets(uow: UnitOfWork) -> list[tuple[SetSpec, str]]:
    """Every set with its name: the nodes above, subjects, grades, the schools something comes from."""
    above = dict(zip(SET_KINDS, ("Môn học", "Khối lớp", "Trường"), strict=True))
    named = [(SetSpec(kind), name) for kind, name in above.items()]
    named += [(SetSpec("subject", code), f"Môn {subject.name.vi}") for code, subject in subjects().items()]
    named += [(SetSpec("grade", grade), f"Lớp {grade}") for grade in GRADES]
    schools = await public_shelf.schools(uow.session)
    return named + [(SetSpec("school", school), f"Trường {school}") for school in schools]


async def first_change(uow: UnitOfWork) -> tuple[dt.datetime, dt.datetime]:
    """No record has an earlier datestamp than the first of the two; the second is when that was so."""
    settled = await shelf.settled_before(uow.session)
    return min(await public_shelf.earliest(uow.session) or settled, settled), settled
