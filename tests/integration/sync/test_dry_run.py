"""A dry run says everything an import would do and does none of it."""

import csv
import io

from tests.integration.sync.packages import changed, make_package, school_files, without


async def test_a_dry_run_shows_problems_and_difference_and_never_commits(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    tried = await sync.imported(make_package(school_files("A")), vendor, dryRun="true", mode="auto")
    assert (tried["state"], tried["dryRun"], tried["mode"]) == ("ready", True, "review")
    difference = await sync.read(f"/sync/v1/imports/{tried['id']}/diff", vendor, type="classes")
    assert {change["action"] for change in difference["items"]} == {"added"}

    answer = await sync.client.post(f"/sync/v1/imports/{tried['id']}/commit", headers=vendor)
    assert (answer.status_code, answer.json()["code"]) == (409, "import.dryRun")
    await sync.work()
    assert await sync.roster("classes", vendor) == []
    assert await sync.sql("SELECT count(*) FROM staged_person") == [0]


async def test_a_held_dry_run_is_neither_released_nor_discarded(sync):
    await sync.put_schools("A")
    vendor, head = sync.as_vendor("A"), sync.as_person("A", "head")
    files = school_files("A")
    await sync.imported(make_package(files), vendor, mode="auto")
    half = {**files, "users": files["users"][:3], "roles": files["roles"][:3], "enrollments": files["enrollments"][:3]}
    tried = await sync.imported(make_package(half), vendor, dryRun="true")
    assert tried["state"] == "held"
    for step in ("commit", "release", "discard"):
        answer = await sync.client.post(
            f"/sync/v1/imports/{tried['id']}/{step}", json={"reason": "xem thử"}, headers=head
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "import.dryRun"), step
    await sync.work()
    assert len(await sync.roster("users", vendor)) == len(files["users"])


async def test_the_difference_is_also_a_table_one_line_per_changed_field(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    await sync.imported(make_package(files), vendor, mode="auto")
    files["classes"] = changed(files["classes"], "A-lop1", title="=Lớp mới", location="P. 12")
    files["enrollments"] = without(files["enrollments"], "A-hs0-e")
    tried = await sync.imported(make_package(files), vendor, dryRun="true")
    path = f"/sync/v1/imports/{tried['id']}/diff"
    answer = await sync.client.get(path, headers=vendor | {"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    header, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert header == ["type", "school", "sourcedId", "action", "field", "before", "after"]
    assert sorted(rows) == [
        ["classes", "A", "A-lop1", "changed", "location", "", "P. 12"],
        # A cell that a spreadsheet would run as a formula is shown as text.
        ["classes", "A", "A-lop1", "changed", "title", "Lớp 6A1", "'=Lớp mới"],
        ["enrollments", "A", "A-hs0-e", "removed", "", "", ""],
    ]
    page = await sync.client.get(path, headers=vendor | {"Accept": "text/csv"}, params={"limit": "1"})
    assert page.headers["link"].endswith('; rel="next"')
