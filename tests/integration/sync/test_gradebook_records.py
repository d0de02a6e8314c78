"""Marks and resources in the change feed, in our own reads and in a school's content hash."""

import json

import pytest

from services.sync.domain.gradebook_records import GRADEBOOK_TYPES
from tests.integration.sync.gradebook_packages import assessment_lines, gradebook_files
from tests.integration.sync.packages import changed, make_package, school_files

KINDS = [record.file for record in GRADEBOOK_TYPES if record.file != "demographics"]


@pytest.fixture
async def filled(sync):
    await sync.put_schools("A")
    files = {**school_files("A"), **gradebook_files("A", results=20)}
    done = await sync.imported(make_package(files), sync.as_vendor("A"), mode="auto")
    assert done["state"] == "committed"
    done = await sync.imported(assessment_lines("A"), sync.as_vendor("A"), mode="auto")
    assert done["state"] == "committed"
    await sync.settled()
    return files


def sent(files, kind):
    """Ids of what the fixture sent of a type, as rows or as lines."""
    lines = map(json.loads, assessment_lines("A").splitlines())
    records = (line["record"] for line in lines if line["type"] == kind)
    return sorted(each["sourcedId"] for each in (*files.get(kind, ()), *records))


async def marked_anew(sync, files):
    new = {**files, "results": changed(files["results"], "A-kq0", score="9.5")}
    done = await sync.imported(make_package(new), sync.as_vendor("A"), mode="auto")
    assert done["state"] == "committed"
    await sync.settled()


async def test_every_gradebook_type_is_in_the_feed_and_can_be_asked_for(sync, filled):
    vendor = sync.as_vendor("A")
    page = await sync.read("/sync/v1/changes", vendor, types=",".join(KINDS), limit="1000")
    for kind in KINDS:
        told = {each["sourcedId"] for each in page["items"] if each["type"] == kind}
        assert sorted(told) == sent(filled, kind), kind


async def test_a_birth_date_is_not_in_the_feed(sync, filled):
    page = await sync.read("/sync/v1/changes", sync.as_vendor("A"), limit="1000")
    assert {each["type"] for each in page["items"]} >= set(KINDS)
    assert "demographics" not in {each["type"] for each in page["items"]}


async def test_every_gradebook_type_is_read_in_our_own_words(sync, filled):
    vendor = sync.as_vendor("A")
    for kind in KINDS:
        page = await sync.read(f"/sync/v1/{kind}", vendor, limit="100")
        assert [each["sourcedId"] for each in page["items"]] == sent(filled, kind), kind


async def test_a_mark_is_read_as_it_was_known_at_an_instant(sync, filled):
    vendor = sync.as_vendor("A")
    before = await sync.read("/sync/v1/results/A-kq0", vendor)
    await marked_anew(sync, filled)
    now = await sync.read("/sync/v1/results/A-kq0", vendor)
    then = await sync.read("/sync/v1/results/A-kq0", vendor, asOf=before["recordedFrom"])
    assert (float(then["score"]), float(now["score"])) == (8.5, 9.5)


async def test_a_mark_is_part_of_the_schools_content_hash(sync, filled):
    (before,) = await sync.sql("SELECT content_hash FROM school_roster")
    await marked_anew(sync, filled)
    (after,) = await sync.sql("SELECT content_hash FROM school_roster")
    assert after != before
