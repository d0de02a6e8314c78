"""Materials on the city's shelf for tests of how they are found from outside."""

import datetime as dt
from typing import Any
from uuid import UUID

from lxml import etree
from sqlalchemy import text

from services.materials.domain.licences import is_public
from services.materials.storage import materials, shelf
from shared.db.scope import EVERYTHING
from tests.integration.materials.shelf import HEAD, LEAD, TEACHER, Library

NAMES = {
    "oai": "http://www.openarchives.org/OAI/2.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "lom": "http://ltsc.ieee.org/xsd/LOM",
    "atom": "http://www.w3.org/2005/Atom",
    "map": "http://www.sitemaps.org/schemas/sitemap/0.9",
}
# Ids in an order, one second between two changes; every tenth is a tombstone, every eleventh never was public.
MANY = """
INSERT INTO shelf_item (material_id, version_id, school_sourced_id, number, title, description, type, subject,
  other_subjects, grades, requirements, language, authors, licence, sources, rights_statement, files, history, public,
  public_since, shared_at, changed_at, withdrawn_at)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, gen_random_uuid(), 'truong-' || n % 7, 1,
  'Bài ' || n, 'Mô tả của bài ' || n, 'e_lecture', (ARRAY['mathematics', 'physics', 'literature'])[1 + n % 3], '{}',
  ARRAY[(6 + n % 7)::text], ARRAY['YC.' || n % 50], 'vi', '[{"name": "Nguyễn Thị Lan"}]', 'CC-BY-4.0', '{}', '',
  '[{"position": 1, "name": "bai.pdf", "mediaType": "application/pdf", "size": 1000, "sha256": "00"}]', '[]',
  n % 11 > 0, CASE WHEN n % 11 > 0 THEN s.at END, s.at, s.at, CASE WHEN n % 10 = 0 THEN s.at END
FROM generate_series(1, :count) AS n,
  LATERAL (SELECT timestamptz '2026-01-01 00:00:00Z' + n * interval '1 s' AS at) AS s
"""


async def fill(library: Library, count: int) -> None:
    """Rows put there by SQL, as many as it takes."""
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await uow.session.execute(text(MANY), {"count": count})


async def publish(library: Library, **metadata: Any) -> dict[str, Any]:
    """A material that its school uses, made through the API."""
    material = await library.create(**metadata)
    for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)):
        answer = await library.act(material, action, who)
        assert answer.status_code == 200, answer.text
    return material


async def put_on_shelf(library: Library, material: dict[str, Any]) -> None:
    """The newest version of it, whoever decided so."""
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await put_in(uow, material)


async def put_in(uow: Any, material: dict[str, Any], *, public: bool | None = None) -> None:
    statement = text("SELECT id FROM material_version WHERE material_id = :id ORDER BY number DESC LIMIT 1")
    version = (await uow.session.execute(statement, {"id": material["id"]})).scalar_one()
    record = await materials.of_version(uow.session, version)
    assert record is not None
    seen = is_public(record.version.licence) if public is None else public
    await shelf.put(uow.session, record, [], public=seen, at=await uow.now())


async def share(library: Library, **metadata: Any) -> dict[str, Any]:
    """A material on the city's shelf."""
    material = await publish(library, **metadata)
    await put_on_shelf(library, material)
    return material


async def withdraw(library: Library, material: dict[str, Any]) -> None:
    async with library.runtime.units.begin(EVERYTHING) as uow:
        assert await shelf.withdraw(uow.session, UUID(material["id"]), at=dt.datetime.now(dt.UTC))


def found(document: Any, path: str) -> list[Any]:
    result: list[Any] = document.xpath(path, namespaces=NAMES)
    return result


async def oai(library: Library, **arguments: str) -> Any:
    """The answer to a GET, parsed; `from_` stands for `from`."""
    written = {name.rstrip("_"): value for name, value in arguments.items()}
    answer = await library.client.get("/oai", params=written, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    return etree.fromstring(answer.content)


async def oai_error(library: Library, **arguments: str) -> str:
    """The code of the one error that is answered."""
    (code,) = found(await oai(library, **arguments), "/oai:OAI-PMH/oai:error/@code")
    return str(code)


def ids(document: Any) -> list[str]:
    return [each.rpartition(":")[2] for each in found(document, "//oai:header/oai:identifier/text()")]
