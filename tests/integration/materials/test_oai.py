"""The shelf harvested by other people's harvesters, from a real server."""

import asyncio
from typing import Any

import httpx
import pytest
from lxml import etree
from oaipmh_scythe import Scythe
from sickle import Sickle
from sqlalchemy import text

from services.materials.bootstrap import build
from services.materials.settings import MaterialsSettings
from shared.db.scope import EVERYTHING
from tests.integration.gateway.serving import served
from tests.integration.materials.shelf import build_app, settle_city

# Five pages: two public schools, a private item, tombstones.
ITEMS = 450
FILL = text(
    """
    INSERT INTO shelf_item (material_id, version_id, school_sourced_id, number, title, description, type, subject,
        other_subjects, grades, requirements, language, authors, licence, sources, rights_statement, files, history,
        public, shared_at, changed_at, withdrawn_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, gen_random_uuid(),
        CASE WHEN n % 3 = 0 THEN 'truong-b' ELSE 'truong-a' END, 1,
        'Bài ' || n || ' <&>', 'Mô tả', 'e_lecture', CASE WHEN n % 2 = 0 THEN 'mathematics' ELSE 'literature' END,
        '{}', ARRAY[(6 + n % 4)::text], '{}', 'vi', '[{"name": "Nguyễn Thị Lan", "subject": "co-lan"}]', 'CC-BY-4.0',
        '{}', '', '[{"position": 1, "name": "a.pdf", "mediaType": "application/pdf", "size": 1, "sha256": "x"}]', '[]',
        n % 50 <> 49, timestamptz '2026-01-01 00:00:00Z' + n * interval '1 hour',
        timestamptz '2026-01-01 00:00:00Z' + n * interval '1 hour',
        CASE WHEN n % 45 = 7 THEN timestamptz '2026-06-01 00:00:00Z' END
    FROM generate_series(1, :items) AS n
    """
)
NS = {"o": "http://www.openarchives.org/OAI/2.0/"}
PUBLIC = [n for n in range(1, ITEMS + 1) if n % 50 != 49]
GONE = [n for n in PUBLIC if n % 45 == 7]


@pytest.fixture(scope="module")
def server(module_database, tmp_path_factory):
    fresh = module_database("materials")
    settings = MaterialsSettings(
        database_url=fresh.app_url, nats_url="nats://unused.invalid", data_dir=tmp_path_factory.mktemp("data")
    )

    async def fill() -> None:
        runtime = build(settings, role="api")
        await settle_city(runtime.units)
        async with runtime.units.begin(EVERYTHING) as uow:
            await uow.session.execute(FILL, {"items": ITEMS})
        await runtime.close()

    asyncio.run(fill())
    with served(build_app(settings, build(settings, role="api"))) as address:
        yield f"{address}/oai"


def identifier(number: int) -> str:
    return f"oai:127.0.0.1:00000000-0000-0000-0000-{number:012x}"


def ask(server: str, **query: str) -> Any:
    answer = httpx.get(server, params=query, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    return etree.fromstring(answer.content)


def error_of(root: Any) -> str | None:
    found = root.find("o:error", NS)
    return None if found is None else found.get("code")


def test_sickle_harvests_everything(server):
    records = list(Sickle(server).ListRecords(metadataPrefix="oai_dc"))
    assert [record.header.identifier for record in records] == [identifier(number) for number in PUBLIC]
    assert [record.header.deleted for record in records] == [number in GONE for number in PUBLIC]
    first = records[0].metadata
    assert (first["title"], first["creator"], first["language"]) == (["Bài 1 <&>"], ["Nguyễn Thị Lan"], ["vi"])
    assert "co-lan" not in records[0].raw


def test_oaipmh_scythe_harvests_everything_too(server):
    living = len(PUBLIC) - len(GONE)
    with Scythe(server) as opened:
        scythe: Any = opened
        assert len(list(scythe.list_records(metadata_prefix="lom"))) == len(PUBLIC)
        assert len(list(scythe.list_identifiers(metadata_prefix="oai_dc", ignore_deleted=True))) == living
        assert scythe.identify().deletedRecord == "persistent"
        assert {item.metadataPrefix for item in scythe.list_metadata_formats()} == {"oai_dc", "lom"}
        assert "subject:mathematics" in {item.setSpec for item in scythe.list_sets()}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"set": "subject:mathematics"}, [n for n in PUBLIC if n % 2 == 0]),
        ({"set": "grade:6"}, [n for n in PUBLIC if n % 4 == 0]),
        ({"set": "school:truong-b"}, [n for n in PUBLIC if n % 3 == 0]),
        ({"from": "2026-01-02", "until": "2026-01-02"}, [n for n in PUBLIC if 24 <= n < 48]),
        ({"from": "2026-01-01T01:00:00Z", "until": "2026-01-01T03:00:00Z"}, [1, 2, 3]),
    ],
)
def test_sets_and_dates_select(server, query, expected):
    found = [header.identifier for header in Sickle(server).ListIdentifiers(metadataPrefix="oai_dc", **query)]
    assert found == [identifier(number) for number in expected]


def test_a_record_and_its_tombstone(server):
    sickle = Sickle(server)
    assert sickle.GetRecord(identifier=identifier(1), metadataPrefix="oai_dc").metadata["title"] == ["Bài 1 <&>"]
    gone = sickle.GetRecord(identifier=identifier(7), metadataPrefix="oai_dc")
    assert gone.header.deleted is True
    lom = ask(server, verb="GetRecord", identifier=identifier(1), metadataPrefix="lom")
    title = lom.find(".//{http://ltsc.ieee.org/xsd/LOM}title/{http://ltsc.ieee.org/xsd/LOM}string")
    assert (title.text, title.get("{http://www.w3.org/XML/1998/namespace}lang")) == ("Bài 1 <&>", "vi")


def test_what_is_not_public_does_not_exist(server):
    root = ask(server, verb="GetRecord", identifier=identifier(49), metadataPrefix="oai_dc")
    assert error_of(root) == "idDoesNotExist"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "badVerb"),
        ({"verb": "ListRecords"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "marc"}, "cannotDisseminateFormat"),
        ({"verb": "ListRecords", "resumptionToken": "x"}, "badResumptionToken"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2030-01-01"}, "noRecordsMatch"),
        ({"verb": "GetRecord", "identifier": "x", "metadataPrefix": "oai_dc"}, "idDoesNotExist"),
        ({"verb": "ListMetadataFormats", "identifier": "x"}, "idDoesNotExist"),
    ],
)
def test_errors_are_those_of_the_protocol(server, query, code):
    root = ask(server, **query)
    assert error_of(root) == code
    echoed = dict(root.find("o:request", NS).attrib)
    assert echoed == ({} if code in {"badVerb", "badArgument"} else query)


def test_post_says_the_same_as_get(server):
    query = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "until": "2026-01-01T05:00:00Z"}
    posted: Any = etree.fromstring(httpx.post(server, data=query, timeout=60).content)
    headers = [element.text for element in posted.iterfind(".//o:identifier", NS)]
    assert headers == [identifier(number) for number in (1, 2, 3, 4, 5)]


def test_the_last_page_ends_with_an_empty_token(server):
    query, pages = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"}, 0
    while True:
        root = ask(server, **query)
        token = root.find(".//o:resumptionToken", NS)
        pages += 1
        if not token.text:
            break
        query = {"verb": "ListIdentifiers", "resumptionToken": token.text}
    assert (pages, token.get("cursor")) == (5, "400")
