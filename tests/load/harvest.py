"""What a page of OAI-PMH costs at record 190,000, against the first page: a harvest must not slow down."""

import asyncio
import time
from uuid import UUID

from sqlalchemy import text

from services.materials.bootstrap import build
from services.materials.domain.oai import PAGE, Selection
from services.materials.settings import MaterialsSettings
from services.materials.usecases.harvest import list_records
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitsOfWork
from tests.load.figures import Figure, against

TARGET = 1.2
_TRIES = 25
FILL = text(
    """
    INSERT INTO shelf_item (material_id, version_id, school_sourced_id, number, title, description, type, subject,
        other_subjects, grades, requirements, language, authors, licence, sources, rights_statement, files, history,
        public, shared_at, changed_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, gen_random_uuid(), 'truong-' || n % 600, 1, 'Bài ' || n,
        repeat('mô tả ', 40),
        'e_lecture', 'mathematics', '{}', '{6}', '{}', 'vi', '[{"name": "x", "subject": null}]', 'CC-BY-4.0', '{}', '',
        '[{"position": 1, "name": "a.pdf", "mediaType": "application/pdf", "size": 1, "sha256": "x"}]', '[]', true,
        at, at
    FROM generate_series(1, :items) AS n
    CROSS JOIN LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 second' AS at) AS moment
    """
)


async def figures(settings: MaterialsSettings, *, items: int, rounds: int) -> list[Figure]:
    """Fill the shelf of an empty database, then read both pages in turn."""
    runtime = build(settings, role="api")
    try:
        async with runtime.units.begin(EVERYTHING) as uow:
            await uow.session.execute(FILL, {"items": items})
        async with runtime.units.begin(EVERYTHING) as uow:
            await uow.session.execute(text("ANALYZE shelf_item"))
        deep = await _deep(runtime.units, items)
        far, near = [], []
        for _ in range(rounds):
            near.append(await _median(runtime.units, Selection("oai_dc")))
            far.append(await _median(runtime.units, deep))
        name = f"OAI-PMH: page at record {items - items // 20:,} against the first"
        return [against(name, "ms", far, near, TARGET)]
    finally:
        await runtime.close()


async def _deep(units: UnitsOfWork, items: int) -> Selection:
    number = items - items // 20
    async with units.begin(EVERYTHING) as uow:
        row = await uow.session.execute(
            text("SELECT changed_at FROM shelf_item WHERE material_id = :id"), {"id": UUID(int=number)}
        )
        return Selection("oai_dc", after=(row.scalar_one(), UUID(int=number)), sent=number)


async def _median(units: UnitsOfWork, selection: Selection) -> float:
    """Milliseconds of one page, the middle of several."""
    spent = []
    for _ in range(_TRIES):
        started = time.perf_counter()
        async with units.begin(EVERYTHING) as uow:
            found = await list_records(uow, selection)
        assert len(found.items) == PAGE
        spent.append((time.perf_counter() - started) * 1000)
    return sorted(spent)[len(spent) // 2]


def run(settings: MaterialsSettings, *, items: int, rounds: int) -> list[Figure]:
    return asyncio.run(figures(settings, items=items, rounds=rounds))
