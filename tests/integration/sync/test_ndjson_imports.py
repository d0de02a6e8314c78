"""JSON lines, plain, gzip and zstd, go through the very pipeline a ZIP goes through."""

import gzip
import json

import pytest
from backports import zstd

from tests.integration.sync.gradebook_packages import gradebook_files
from tests.integration.sync.packages import make_package, school_files

BULK = {"type": "manifest", "record": {"mode": "bulk"}}


def lines_of(files, *, manifest=BULK):
    """The rows of a package as lines; empty cells are left out."""
    rows = [
        {"type": name, "record": {key: value for key, value in row.items() if value}}
        for name, rows in files.items()
        for row in rows
    ]
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in ([manifest] if manifest else []) + rows)


async def send(sync, content, headers, *, content_type="application/x-ndjson", **query):
    body = content.encode() if isinstance(content, str) else content
    return await sync.client.post(
        "/sync/v1/imports", content=body, params=query, headers={**headers, "Content-Type": content_type}
    )


async def imported(sync, content, headers, **query):
    answer = await send(sync, content, headers, mode="auto", **query)
    assert answer.status_code == 202, answer.text
    await sync.work()
    return await sync.read(answer.headers["location"], headers)


@pytest.fixture
async def files(sync):
    await sync.put_schools("A")
    return {**school_files("A"), **gradebook_files("A", results=20)}


async def hash_of(sync):
    return await sync.sql("SELECT content_hash FROM school_roster WHERE school_sourced_id = 'A'")


PACKINGS = {
    "plain": str.encode,
    "gzip": lambda text: gzip.compress(text.encode()),
    "zstd": lambda text: zstd.compress(text.encode()),
}


@pytest.mark.parametrize("packing", PACKINGS)
async def test_lines_and_zip_of_the_same_rows_make_the_same_roster(sync, files, packing):
    vendor = sync.as_vendor("A")
    done = await imported(sync, PACKINGS[packing](lines_of(files)), vendor)
    left = {"dropped.file", "dropped.column"}
    assert {each["code"] for each in await sync.problems(done["id"], vendor)} <= left
    assert done["state"] == "committed"
    by_lines = await hash_of(sync)
    again = await sync.imported(make_package(files), vendor, mode="auto")
    assert {
        each["file"]: each["changed"] + each["added"] + each["removed"] for each in again["files"]
    } == dict.fromkeys((each["file"] for each in again["files"]), 0)
    assert await hash_of(sync) == by_lines


async def test_types_may_come_mixed_and_in_any_order(sync, files):
    first, *rest = lines_of(files).splitlines(keepends=True)
    done = await imported(sync, first + "".join(reversed(rest)), sync.as_vendor("A"))
    assert done["state"] == "committed"
    assert await sync.sql("SELECT count(*) FROM enrollment WHERE status = 'active'") == [len(files["enrollments"])]


async def test_without_a_manifest_lines_are_a_delta_and_nothing_else_ends(sync, files):
    vendor = sync.as_vendor("A")
    await imported(sync, lines_of(files), vendor)
    one = {**files["classes"][0], "title": "Lớp đổi tên"}
    done = await imported(sync, json.dumps({"type": "classes", "record": one}), vendor)
    assert done["state"] == "committed"
    (counts,) = [each for each in done["files"] if each["file"].startswith("classes")]
    assert (counts["read"], counts["changed"], counts["removed"]) == (1, 1, 0)
    gone = files["enrollments"][0]["sourcedId"]
    ended = {"type": "enrollments", "action": "removed", "sourcedId": gone, "record": {}}
    assert (await imported(sync, json.dumps(ended), vendor))["state"] in {"committed", "held"}
    assert await sync.sql(f"SELECT action FROM import_change WHERE sourced_id = '{gone}' AND action = 'removed'") == [
        "removed"
    ]


async def test_the_change_feed_can_be_sent_back_as_it_is(sync, files):
    vendor = sync.as_vendor("A")
    await imported(sync, lines_of(files), vendor)
    await sync.settled()
    feed = await sync.read("/sync/v1/changes", vendor, limit="1000")
    kept = [each for each in feed["items"] if each["type"] != "demographics"]
    done = await imported(sync, "\n".join(json.dumps(each) for each in kept), vendor)
    assert await sync.problems(done["id"], vendor) == []
    assert sum(each["changed"] + each["added"] for each in done["files"]) == 0


async def test_a_broken_line_of_a_bulk_file_ends_no_record_of_whatever_type(sync, files):
    vendor = sync.as_vendor("A")
    await imported(sync, lines_of(files), vendor)
    lines = lines_of(files).splitlines()
    at = next(number for number, line in enumerate(lines) if json.loads(line)["type"] == "enrollments")
    lost, lines[at] = json.loads(lines[at])["record"]["sourcedId"], lines[at][:40]
    done = await imported(sync, "\n".join(lines), vendor)
    assert done["state"] == "committed"
    assert sum(each["removed"] for each in done["files"]) == 0
    assert done["fileModes"]["enrollments"] == "delta"
    assert await sync.sql(f"SELECT status FROM enrollment WHERE sourced_id = '{lost}'") == ["active"]
    told = {(each["code"], each["file"]) for each in await sync.problems(done["id"], vendor)}
    assert {("ndjson.unreadable", "records.ndjson"), ("dropped.absence", "enrollments.csv")} <= told
    # The whole file again, now without the record: it ends.
    del lines[at]
    again = await imported(sync, "\n".join(lines), vendor)
    assert sum(each["removed"] for each in again["files"]) >= 1
    assert await sync.sql(f"SELECT status FROM enrollment WHERE sourced_id = '{lost}'") == ["tobedeleted"]


async def test_a_line_nested_too_deep_is_told_as_unreadable(sync, files):
    deep = '{"type": "classes", "record": {"sourcedId": "x", "metadata": ' + "[" * 100_000 + "]" * 100_000 + "}}"
    done = await imported(sync, deep + "\n" + lines_of(files, manifest=None), sync.as_vendor("A"))
    assert done["state"] == "committed"
    problems = await sync.problems(done["id"], sync.as_vendor("A"), severity="error")
    assert [(each["line"], each["code"]) for each in problems] == [(1, "ndjson.unreadable")]


async def test_a_broken_line_is_told_with_its_number_and_the_others_go_on(sync, files):
    vendor = sync.as_vendor("A")
    lines = lines_of(files).splitlines()
    lines.insert(1, '{"type": "classes", "record": ')
    lines.insert(2, '{"type": "lop", "record": {}}')
    lines.insert(3, "[]")
    lines.insert(4, json.dumps({"type": "classes", "record": {"sourcedId": "x", "mauSac": "đỏ", "grades": {"a": 1}}}))
    lines.insert(5, json.dumps({"type": "classes", "record": {"sourcedId": "y" * (1024 * 1024)}}))
    done = await imported(sync, "\n".join(lines), vendor)
    assert done["state"] == "committed"
    problems = await sync.problems(done["id"], vendor, severity="error")
    told = {(each["line"], each["code"], each["field"]) for each in problems}
    assert told == {
        (2, "ndjson.unreadable", None),
        (3, "ndjson.typeUnknown", "type"),
        (4, "ndjson.unreadable", None),
        (5, "field.unknown", "mauSac"),
        (5, "field.misshapen", "grades"),
        (6, "ndjson.lineTooLong", None),
    }


async def test_values_of_json_are_read_as_what_they_are(sync, files):
    """A list item may hold a comma, a boolean is one, a number is exact, a reference is an object."""
    vendor = sync.as_vendor("A")
    await imported(sync, lines_of(files), vendor)
    mine = files["classes"][0]
    record = {
        "sourcedId": mine["sourcedId"],
        "title": mine["title"],
        "classType": mine["classType"],
        "course": {"sourcedId": mine["courseSourcedId"], "type": "course"},
        "school": {"sourcedId": "A", "type": "org"},
        "terms": [{"sourcedId": each} for each in mine["termSourcedIds"].split(",")],
        "subjects": ["Lịch sử, Địa lí", "Toán"],
    }
    done = await imported(sync, json.dumps({"type": "classes", "record": record}), vendor)
    assert (done["state"], await sync.problems(done["id"], vendor)) == ("committed", [])
    shown = await sync.read(f"/sync/v1/classes/{mine['sourcedId']}", vendor)
    assert shown["subjects"] == ["Lịch sử, Địa lí", "Toán"]


NINE = b'{"type":"classes","record":{}}\n' * 9
UNFIT = {
    "gzip cut short": (lambda: gzip.compress(NINE)[:-9], "ndjson.damaged"),
    "zstd cut short": (lambda: zstd.compress(NINE)[:-3], "ndjson.damaged"),
    "bomb": (lambda: gzip.compress(b" " * 300_000_000), "zip.tooLarge"),
    "no types": (lambda: b'{"hello": "world"}\n', "ndjson.nothing"),
    "no mode": (lambda: b'{"type":"manifest","record":{"mode":"absent"}}\n', "manifest.mode"),
    "no file": (lambda: b'{"type":"manifest","record":{"file.khong":"bulk"}}\n', "manifest.propertyUnknown"),
}


@pytest.mark.parametrize("name", UNFIT)
async def test_an_unfit_file_is_refused_at_the_door_and_leaves_nothing(sync, files, name):
    make, code = UNFIT[name]
    answer = await send(sync, make(), sync.as_vendor("A"))
    assert answer.status_code == 422, answer.text
    assert [each["code"] for each in answer.json()["errors"]] == [code]
    assert await sync.sql("SELECT count(*) FROM import") == [0]


async def test_a_dry_run_and_an_undo_work_for_lines_as_for_a_zip(sync, files):
    vendor, head = sync.as_vendor("A"), sync.as_person("A", "head")
    dry = await imported(sync, lines_of(files), vendor, dryRun="true")
    assert dry["state"] == "ready"
    assert await sync.sql("SELECT count(*) FROM class") == [0]
    await imported(sync, lines_of(files), vendor)
    before = await hash_of(sync)
    renamed = {**files["classes"][0], "title": "khác"}
    done = await imported(sync, json.dumps({"type": "classes", "record": renamed}), vendor)
    assert await hash_of(sync) != before
    answer = await sync.client.post(
        f"/sync/v1/imports/{done['id']}/revert", json={"reason": "nhầm"}, headers={**head, "Idempotency-Key": "u1"}
    )
    assert answer.status_code == 202, answer.text
    await sync.work()
    assert await hash_of(sync) == before
