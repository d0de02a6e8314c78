import datetime as dt

import pytest
from lxml import etree
from sqlalchemy import text

from services.materials.domain.oai import Selection
from services.materials.storage import shelf
from services.materials.usecases import harvest
from shared.db.scope import EVERYTHING, NOTHING
from tests.integration.materials.public import (
    NAMES,
    fill,
    found,
    ids,
    oai,
    oai_error,
    publish,
    put_in,
    put_on_shelf,
    share,
    withdraw,
)
from tests.integration.materials.shelf import SCHOOL_A

LIST = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
ID = "0192f0c1-7d3a-7c55-8d1e-2f4b6a8c0e12"
IDENTIFIER = f"oai:lien-thong.example:{ID}"
FAULTS: tuple[tuple[dict[str, str], str], ...] = (
    ({}, "badVerb"),
    ({"verb": "listrecords"}, "badVerb"),
    ({"verb": "Identify", "set": "grade:6"}, "badArgument"),
    ({"verb": "ListRecords"}, "badArgument"),
    (LIST | {"from_": "2026-13-01"}, "badArgument"),
    (LIST | {"from_": "2026-01-01T00:00:00"}, "badArgument"),
    (LIST | {"from_": "2026-01-01T00:00:00.5Z"}, "badArgument"),
    (LIST | {"from_": "2026-01-01", "until": "2026-02-01T00:00:00Z"}, "badArgument"),
    (LIST | {"from_": "2026-02-01", "until": "2026-01-01"}, "badArgument"),
    (LIST | {"set": "một bộ"}, "badArgument"),
    (LIST | {"set": "grade:"}, "badArgument"),
    (LIST | {"resumptionToken": "x"}, "badArgument"),
    (LIST | {"x": "1"}, "badArgument"),
    ({"verb": "ListRecords", "metadataPrefix": "marc21"}, "cannotDisseminateFormat"),
    ({"verb": "GetRecord", "metadataPrefix": "oai_dc"}, "badArgument"),
    ({"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": IDENTIFIER}, "idDoesNotExist"),
    ({"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "Bài 1"}, "idDoesNotExist"),
    ({"verb": "ListMetadataFormats", "identifier": IDENTIFIER}, "idDoesNotExist"),
    (LIST | {"until": "2001-01-01"}, "noRecordsMatch"),
    (LIST | {"from_": "9999-12-31", "until": "9999-12-31"}, "noRecordsMatch"),
    (LIST | {"set": "grade:13"}, "noRecordsMatch"),
    (LIST | {"set": "colour:red"}, "noRecordsMatch"),
    ({"verb": "ListSets", "resumptionToken": "x"}, "badResumptionToken"),
    ({"verb": "ListRecords", "resumptionToken": "x"}, "badResumptionToken"),
    ({"verb": "ListRecords", "resumptionToken": "W10"}, "badResumptionToken"),
    ({"verb": "ListRecords", "resumptionToken": ""}, "badResumptionToken"),
)


async def pages(library, **arguments):
    """All pages of a list, by its resumption tokens."""
    document = await oai(library, **arguments)
    while True:
        yield document
        token = found(document, "//oai:resumptionToken/text()")
        if not token:
            return
        document = await oai(library, verb=arguments["verb"], resumptionToken=token[0])


async def test_the_repository_says_what_it_is(library):
    await share(library)
    document = await oai(library, verb="Identify")
    told = {etree.QName(each).localname: each.text for each in found(document, "//oai:Identify/*")}
    assert (told["protocolVersion"], told["deletedRecord"]) == ("2.0", "persistent")
    assert told["granularity"] == "YYYY-MM-DDThh:mm:ssZ"
    assert told["baseURL"] == library.settings.public_url + "/oai"
    assert told["adminEmail"] == "postmaster@lien-thong.example"
    (stamp,) = found(await oai(library, **LIST), "//oai:datestamp/text()")
    assert told["earliestDatestamp"] == stamp
    assert found(document, "//*[local-name()='repositoryIdentifier']/text()") == ["lien-thong.example"]
    assert found(document, "/oai:OAI-PMH/oai:request/@verb") == ["Identify"]


async def test_a_record_in_dublin_core_and_in_lom(library):
    material = await share(
        library,
        title="Phân số & <hỗn số>",
        description="Bài giảng\x07 có âm thanh",
        otherSubjects=["informatics"],
        authors=[{"name": "Nguyễn Thị Lan; Tổ Toán"}],
        sources=["https://example.edu/sach", "SGK Toán 6"],
        duration="PT45M",
    )
    identifier = f"oai:lien-thong.example:{material['id']}"
    core = await oai(library, verb="GetRecord", identifier=identifier, metadataPrefix="oai_dc")
    assert found(core, "//oai_dc:dc/dc:title/text()") == ["Phân số & <hỗn số>"]
    assert found(core, "//dc:creator/text()") == ["Nguyễn Thị Lan; Tổ Toán"]
    assert found(core, "//dc:subject/text()") == ["Toán", "Tin học", "Lớp 6"]
    assert found(core, "//dc:rights/text()") == ["https://creativecommons.org/licenses/by/4.0/"]
    assert found(core, "//dc:identifier/text()") == [f"{library.settings.public_url}/library/{material['id']}"]
    specs = ["subject:mathematics", "subject:informatics", "grade:6", f"school:{SCHOOL_A}"]
    assert found(core, "//oai:header/oai:setSpec/text()") == specs
    lom = await oai(library, verb="GetRecord", identifier=identifier, metadataPrefix="lom")
    assert found(lom, "//lom:general/lom:title/lom:string/text()") == ["Phân số & <hỗn số>"]
    assert found(lom, "//lom:typicalLearningTime/lom:duration/text()") == ["PT45M"]
    assert found(lom, "//lom:learningResourceType/lom:value/text()") == ["lecture", "E-lecture"]
    assert "FN:Nguyễn Thị Lan\\; Tổ Toán" in found(lom, "//lom:entity/text()")[0]
    purposes = found(lom, "//lom:classification/lom:purpose/lom:value/text()")
    assert purposes == ["discipline", "educational level"]


async def test_the_order_of_elements_is_the_one_of_the_schema(library):
    await share(library)
    document = await oai(library, **LIST)
    assert [etree.QName(each).localname for each in document] == ["responseDate", "request", "ListRecords"]
    (record,) = found(document, "//oai:record")
    assert [etree.QName(each).localname for each in record] == ["header", "metadata"]
    assert [etree.QName(each).localname for each in record[0]][:3] == ["identifier", "datestamp", "setSpec"]
    assert NAMES["oai"] + " http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd" in document.attrib.values()


async def test_every_verb_answers_to_post_as_to_get(library):
    material = await share(library)
    identifier = f"oai:lien-thong.example:{material['id']}"
    for arguments in (
        {"verb": "Identify"},
        {"verb": "ListMetadataFormats"},
        {"verb": "ListMetadataFormats", "identifier": identifier},
        {"verb": "ListSets"},
        {"verb": "ListIdentifiers", "metadataPrefix": "lom"},
        {"verb": "ListRecords", "metadataPrefix": "lom"},
        {"verb": "GetRecord", "metadataPrefix": "lom", "identifier": identifier},
    ):
        got = etree.fromstring((await library.client.get("/oai", params=arguments)).content)
        posted = etree.fromstring((await library.client.post("/oai", data=arguments)).content)
        for each in (got, posted):
            (stamp,) = found(each, "/oai:OAI-PMH/oai:responseDate")
            stamp.text = ""
            assert not found(each, "//oai:error"), arguments
        assert etree.tostring(got) == etree.tostring(posted)


async def test_each_fault_has_its_code(library):
    await share(library)
    for arguments, code in FAULTS:
        assert await oai_error(library, **arguments) == code, arguments


async def test_a_repeated_argument_is_bad_and_nothing_is_echoed(library):
    for query, code in (
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=ListRecords&metadataPrefix=lom&metadataPrefix=lom", "badArgument"),
        ("verb=ListRecords&metadataPrefix=%FF", "badArgument"),
    ):
        document = etree.fromstring((await library.client.get(f"/oai?{query}")).content)
        assert found(document, "//oai:error/@code") == [code]
        (request,) = found(document, "/oai:OAI-PMH/oai:request")
        assert dict(request.attrib) == {}
    told = await oai(library, **LIST)
    assert found(told, "/oai:OAI-PMH/oai:request/@metadataPrefix") == ["oai_dc"]


async def test_only_what_is_public_is_there(library):
    await share(library, licence="LicenseRef-school-internal")
    await publish(library)
    assert await oai_error(library, **LIST) == "noRecordsMatch"


async def test_what_goes_leaves_a_tombstone_for_good(library):
    withdrawn, restricted = await share(library), await share(library)
    await withdraw(library, withdrawn)
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await put_in(uow, restricted, public=False)
    for _ in range(2):
        document = await oai(library, **LIST)
        assert ids(document) == [withdrawn["id"], restricted["id"]]
        assert found(document, "//oai:header/@status") == ["deleted", "deleted"]
        assert not found(document, "//oai:metadata")
    identifier = f"oai:lien-thong.example:{restricted['id']}"
    one = await oai(library, verb="GetRecord", identifier=identifier, metadataPrefix="lom")
    assert found(one, "//oai:header/@status") == ["deleted"]
    await put_on_shelf(library, restricted)
    back = await oai(library, **LIST)
    assert found(back, "//oai:record[oai:metadata]/oai:header/oai:identifier/text()") == [identifier]


async def test_dates_are_inclusive_at_both_ends_and_may_be_days(library):
    await fill(library, 9)
    at = "2026-01-01T00:00:0{}Z".format
    for arguments, count in (
        ({"from_": at(3), "until": at(5)}, 3),
        ({"from_": at(9)}, 1),
        ({"until": at(1)}, 1),
        ({"from_": "2026-01-01", "until": "2026-01-01"}, 9),
        ({"from_": "2026-01-01"}, 9),
        ({"until": "9999-12-31"}, 9),
    ):
        assert len(ids(await oai(library, **LIST, **arguments))) == count, arguments
    assert await oai_error(library, **LIST, until="2025-12-31") == "noRecordsMatch"


async def test_sets_are_by_subject_grade_and_school_and_the_ones_above_hold_all(library):
    await fill(library, 60)
    listed = await oai(library, verb="ListSets")
    names = dict(zip(found(listed, "//oai:setSpec/text()"), found(listed, "//oai:setName/text()"), strict=True))
    assert (names["subject"], names["subject:mathematics"], names["grade:6"]) == ("Môn học", "Môn Toán", "Lớp 6")
    everything = ids(await oai(library, **LIST))
    for kind in ("subject", "grade", "school"):
        assert ids(await oai(library, **LIST, set=kind)) == everything
    for spec in ("subject:physics", "grade:7", "school:truong-3"):
        document = await oai(library, **LIST, set=spec)
        chosen = [each for each in found(document, "//oai:header") if spec in found(each, "oai:setSpec/text()")]
        assert 0 < len(chosen) == len(ids(document)) < len(everything)


async def test_a_code_of_a_school_that_no_set_can_be_called_is_written_in_another_way(library):
    await share(library)
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await uow.session.execute(text("UPDATE shelf_item SET school_sourced_id = 'THCS:Lê Lợi!'"))
    spec = "school:THCS!3AL!C3!AA!20L!E1!BB!A3i!21"
    document = await oai(library, **LIST, set=spec)
    assert spec in found(document, "//oai:setSpec/text()")
    assert spec in found(await oai(library, verb="ListSets"), "//oai:setSpec/text()")


@pytest.mark.parametrize("verb", ["ListRecords", "ListIdentifiers"])
async def test_a_list_goes_on_until_all_were_sent_once(library, verb):
    await fill(library, 385)  # of which 350 are or were public
    seen, cursors, tokens = [], [], []
    async for document in pages(library, verb=verb, metadataPrefix="oai_dc"):
        seen += ids(document)
        cursors += found(document, "//oai:resumptionToken/@cursor")
        tokens += [each.text for each in found(document, "//oai:resumptionToken")]
    assert len(seen) == len(set(seen)) == 350
    assert cursors == ["0", "100", "200", "300"]
    assert tokens[-1] is None


async def test_a_token_is_good_for_its_own_verb_and_the_same_each_time(library):
    await fill(library, 150)
    (token,) = found(await oai(library, **LIST), "//oai:resumptionToken/text()")
    assert await oai_error(library, verb="ListIdentifiers", resumptionToken=token) == "badResumptionToken"
    first, again = [ids(await oai(library, verb="ListRecords", resumptionToken=token)) for _ in range(2)]
    assert first == again


async def test_what_changes_during_a_harvest_comes_again_and_nothing_is_lost(library):
    await fill(library, 385)
    material = await share(library)
    seen, number = [], 0
    async for document in pages(library, **LIST, from_="2026-01-01T00:00:00Z"):
        seen += ids(document)
        number += 1
        if number == 2:
            async with library.runtime.units.begin(EVERYTHING) as uow:
                await uow.session.execute(
                    text("UPDATE shelf_item SET changed_at = clock_timestamp() WHERE title IN ('Bài 1', 'Bài 380')")
                )
    last = {"00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-00000000017c"}
    assert len(set(seen)) == 351
    assert last <= set(seen[-3:])
    assert material["id"] in seen
    assert len(seen) == 352  # the first one came twice


async def test_a_list_whose_rest_has_gone_ends_without_an_error(library):
    await fill(library, 120)
    until = "2026-01-01T00:02:00Z"
    first = await oai(library, **LIST, until=until)
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await uow.session.execute(
            text("UPDATE shelf_item SET changed_at = clock_timestamp() WHERE changed_at > :at"),
            {"at": dt.datetime(2026, 1, 1, 0, 1, 40, tzinfo=dt.UTC)},
        )
    (token,) = found(first, "//oai:resumptionToken/text()")
    rest = await oai(library, verb="ListRecords", resumptionToken=token)
    assert not found(rest, "//oai:error")
    assert len(ids(rest)) == 1
    assert not found(rest, "//oai:resumptionToken/text()")


async def test_a_share_that_commits_late_is_not_passed_by(library):
    """It is not shown before it has committed; whoever came meanwhile is told a date that does not lie behind it."""
    early, late = await publish(library), await publish(library)
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await put_in(uow, late)
        await put_on_shelf(library, early)
        async with library.runtime.units.begin(NOTHING) as reader:
            told = await shelf.settled_before(reader.session)
        assert await oai_error(library, **LIST) == "noRecordsMatch"
    document = await oai(library, **LIST)
    assert ids(document) == [late["id"], early["id"]]
    async with library.runtime.units.begin(NOTHING) as reader:
        after = Selection("oai_dc", since=told)
        page = await harvest.harvest(reader, after, None)
    assert [str(item.material_id) for item in page.items] == ids(document)


async def test_a_request_that_is_too_large_is_told_in_xml(library):
    large = await library.client.post("/oai", content=b"verb=" + b"x" * 20_000)
    assert large.status_code == 413
    assert found(etree.fromstring(large.content), "//oai:error/@code") == ["badArgument"]
