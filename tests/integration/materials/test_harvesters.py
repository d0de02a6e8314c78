"""Harvesters of other makers against a real process: Sickle and oaipmh-scythe."""

import importlib
from typing import Any

import asyncpg
import pytest

from tests.integration.materials.public import MANY, NAMES

# Sickle's own source; Python says so when it compiles it for the first time.
pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")

COUNT = 385
PUBLIC = 350  # less every eleventh
DELETED = 35  # of those, every tenth
AT = "2026-01-01T00:{:02}:{:02}Z".format


def foreign(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        pytest.skip(f"NOTICE: {name} is not installed; its harvest did not run")


@pytest.fixture
async def address(database, start_service) -> str:
    fresh = database("materials")
    connection = await asyncpg.connect(fresh.owner_url.replace("+asyncpg", ""))
    try:
        await connection.execute(MANY.replace(":count", str(COUNT)))
    finally:
        await connection.close()
    return f"{start_service('materials', fresh).url}/oai"


def expected(**chosen: int) -> set[str]:
    return {
        f"oai:lien-thong.example:00000000-0000-7000-8000-{n:012x}"
        for n in range(1, COUNT + 1)
        if n % 11 and all({"grade": 6 + n % 7, "school": n % 7, "second": n}[name] == chosen[name] for name in chosen)
    }


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_sickle_harvests_everything(address, method):
    client = foreign("sickle").Sickle(address, http_method=method)
    assert client.Identify().deletedRecord == "persistent"
    assert [each.metadataPrefix for each in client.ListMetadataFormats()] == ["oai_dc", "lom"]
    assert "grade:6" in [each.setSpec for each in client.ListSets()]
    for prefix in ("oai_dc", "lom"):
        records = list(client.ListRecords(metadataPrefix=prefix))
        assert len(records) == PUBLIC
        assert {each.header.identifier for each in records} == expected()
        assert sum(each.deleted for each in records) == DELETED
        assert len(list(client.ListRecords(metadataPrefix=prefix, ignore_deleted=True))) == PUBLIC - DELETED
    one = next(client.ListRecords(metadataPrefix="oai_dc"))
    assert one.metadata["title"] == ["Bài 1"]
    assert client.GetRecord(identifier=one.header.identifier, metadataPrefix="oai_dc").metadata == one.metadata


def test_sickle_harvests_a_part(address):
    client = foreign("sickle").Sickle(address)
    chosen = client.ListIdentifiers(metadataPrefix="oai_dc", set="grade:6")
    assert {each.identifier for each in chosen} == expected(grade=6)
    part = client.ListIdentifiers(**{"metadataPrefix": "oai_dc", "from": AT(0, 5), "until": AT(0, 5)})
    assert {each.identifier for each in part} == expected(second=5)
    whole = client.ListIdentifiers(**{"metadataPrefix": "oai_dc", "from": "2026-01-01", "until": AT(0, 0)[:10]})
    assert len(list(whole)) == PUBLIC
    with pytest.raises(foreign("sickle.oaiexceptions").NoRecordsMatch):
        client.ListRecords(**{"metadataPrefix": "oai_dc", "from": "2027-01-01"})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_scythe_harvests_everything(address, method):
    scythe = foreign("oaipmh_scythe")
    with scythe.Scythe(address, http_config=scythe.HTTPConfig(http_method=method)) as client:
        assert client.identify().protocolVersion == "2.0"
        assert [each.metadataPrefix for each in client.list_metadata_formats()] == ["oai_dc", "lom"]
        assert "subject:physics" in [each.setSpec for each in client.list_sets()]
        records = list(client.list_records(metadata_prefix="oai_dc"))
        assert {each.header.identifier for each in records} == expected()
        assert sum(each.deleted for each in records) == DELETED
        headers = list(client.list_identifiers(metadata_prefix="lom"))
        assert [each.identifier for each in headers] == [each.header.identifier for each in records]
        one = client.get_record(identifier=records[0].header.identifier, metadata_prefix="lom")
        assert one.xml.find(f".//{{{NAMES['lom']}}}title").findtext(f"{{{NAMES['lom']}}}string") == "Bài 1"


def test_scythe_harvests_a_part(address):
    with foreign("oaipmh_scythe").Scythe(address) as client:
        chosen = client.list_identifiers(metadata_prefix="oai_dc", set_="school:truong-3")
        assert {each.identifier for each in chosen} == expected(school=3)
        part = client.list_records(metadata_prefix="oai_dc", from_=AT(0, 3), until=AT(0, 3))
        assert {each.header.identifier for each in part} == expected(second=3)
