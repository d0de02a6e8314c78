"""Find materials: the index says which, the database says what the caller may see of them."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from services.materials.domain.search_words import wish_of
from services.materials.storage import materials, shelf
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.search.port import Found, Search, SearchIndex, Visible
from services.materials.storage.shelf_tables import ShelfItem
from services.materials.usecases.grants import reader_of
from services.materials.usecases.queries import SCOPE
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork

Hit = MaterialRecord | ShelfItem
Answer = TypeVar("Answer")
# Threads of its own, as many as an index lets search at once: those that read files must not wait behind searches.
_SEARCHERS = ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2), thread_name_prefix="search")


@dataclass(frozen=True, slots=True)
class Results:
    """Hits in order, each with its key in the index; `meant` is another spelling when nothing was found."""

    hits: Sequence[tuple[str, Hit]]
    found: Found
    meant: str | None


async def search_library(
    uow: UnitOfWork, who: Principal, index: SearchIndex, text: str, wanted: Search, *, place: str | None
) -> Results:
    """What the caller may find of what they asked for."""
    who.require_scope(SCOPE)
    wish = wish_of(text)
    visible = await _visible(uow, who, place)
    question = replace(wanted, wish=wish, visible=visible)
    found = await _apart(index.search, question)
    hits = await _hits(uow, who, found.keys)
    meant = index.did_you_mean(wish) if found.total == 0 else None
    return Results(hits, found, meant)


async def suggest_titles(uow: UnitOfWork, who: Principal, index: SearchIndex, text: str, limit: int) -> list[str]:
    """Titles that begin to say what is being typed."""
    who.require_scope(SCOPE)
    wish = wish_of(text)
    if wish.empty:
        return []
    return await _apart(index.suggest, wish, await _visible(uow, who, None), limit)


async def _apart(ask: Callable[..., Answer], *question: Any) -> Answer:
    return await asyncio.get_running_loop().run_in_executor(_SEARCHERS, ask, *question)


async def _visible(uow: UnitOfWork, who: Principal, place: str | None) -> Visible:
    reader = await reader_of(uow, who)
    if place == "shared":
        return Visible(frozenset())
    if reader.schools is None:
        return Visible(None, shared=False)
    return Visible(reader.schools, shared=place is None)


async def _hits(uow: UnitOfWork, who: Principal, keys: Sequence[str]) -> list[tuple[str, Hit]]:
    """The rows behind the keys, in their order; what has gone meanwhile, or may not be seen, is left out."""
    wanted = [key.partition("/") for key in keys]
    at_school = [UUID(material_id) for material_id, _, place in wanted if place == "school"]
    shared = [UUID(material_id) for material_id, _, place in wanted if place == "shared"]
    rows: Mapping[str, Hit] = {
        **{
            f"{record.material.id}/school": record
            for record in await materials.in_use(uow.session, at_school, await reader_of(uow, who))
        },
        **{f"{item.material_id}/shared": item for item in await shelf.items(uow.session, shared)},
    }
    return [(key, rows[key]) for key in keys if key in rows]
