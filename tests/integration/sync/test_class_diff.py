"""What an import does is shown per class, before and after it counts, to the vendor and to the school."""

import csv
import datetime as dt
import io

from services.sync.usecases.hold_import import expire_undecided
from shared.db.scope import EVERYTHING
from tests.integration.sync.gradebook_packages import gradebook_files
from tests.integration.sync.packages import changed, make_package, school_files, together, without


async def classes_of(sync, done, headers, **query):
    return (await sync.read(f"/sync/v1/imports/{done['id']}/diff/classes", headers, **query))["items"]


async def diff_of(sync, done, headers, **query):
    page = await sync.read(f"/sync/v1/imports/{done['id']}/diff", headers, limit="500", **query)
    return {(each["type"], each["sourcedId"], each["action"]) for each in page["items"]}


def altered(files):
    """One learner moves from 6A1 to 6A2, one leaves 6A2, one of 6A1 is renamed, 6A1 gets a new title."""
    return {
        **files,
        "classes": changed(files["classes"], "A-lop1", title="Lớp 6 chuyên"),
        "users": changed(without(files["users"], "A-hs1"), "A-hs2", familyName="Trần"),
        "roles": without(files["roles"], "A-hs1-r"),
        "enrollments": changed(without(files["enrollments"], "A-hs1-e"), "A-hs0-e", classSourcedId="A-lop2"),
    }


FIRST = {
    "school": "A",
    "class": "A-lop1",
    "title": "Lớp 6 chuyên",
    "learners": {"added": 0, "changed": 1, "removed": 1},
    "counts": {
        "classes": {"added": 0, "changed": 1, "removed": 0},
        "enrollments": {"added": 0, "changed": 1, "removed": 0},
        "users": {"added": 0, "changed": 1, "removed": 0},
    },
}
SECOND = {
    "school": "A",
    "class": "A-lop2",
    "title": "Lớp 6A2",
    "learners": {"added": 1, "changed": 0, "removed": 1},
    "counts": {
        "enrollments": {"added": 0, "changed": 1, "removed": 1},
        "users": {"added": 0, "changed": 0, "removed": 1},
        "roles": {"added": 0, "changed": 0, "removed": 1},
    },
}


async def test_each_class_shows_who_comes_who_goes_and_what_changes_before_and_after_the_commit(sync):
    await sync.put_schools("A")
    vendor, head = sync.as_vendor("A"), sync.as_person("A", "head")
    files = school_files("A", learners=20)
    await sync.imported(make_package(files), vendor, mode="auto")
    done = await sync.imported(make_package(altered(files)), vendor)
    assert done["state"] == "ready"
    for headers in (vendor, head):
        assert await classes_of(sync, done, headers) == [FIRST, SECOND]
    (await sync.client.post(f"/sync/v1/imports/{done['id']}/commit", headers=vendor)).raise_for_status()
    await sync.work()
    assert (await sync.read(f"/sync/v1/imports/{done['id']}", vendor))["state"] == "committed"
    assert await classes_of(sync, done, vendor) == [FIRST, SECOND]


async def test_the_difference_of_one_class_holds_what_concerns_it_and_nothing_else(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=20)
    await sync.imported(make_package(files), vendor, mode="auto")
    done = await sync.imported(make_package(altered(files)), vendor)
    moved = ("enrollments", "A-hs0-e", "changed")
    first = {("classes", "A-lop1", "changed"), ("users", "A-hs2", "changed"), moved}
    gone = {("users", "A-hs1", "removed"), ("roles", "A-hs1-r", "removed"), ("enrollments", "A-hs1-e", "removed")}
    assert await diff_of(sync, done, vendor, **{"class": "A-lop1"}) == first
    assert await diff_of(sync, done, vendor, **{"class": "A-lop2"}) == {moved, *gone}
    assert await diff_of(sync, done, vendor, **{"class": "A-lop2"}, type="enrollments", action="changed") == {moved}
    assert await diff_of(sync, done, vendor, **{"class": "A-lop2"}, school="B") == set()
    assert await diff_of(sync, done, vendor, **{"class": "nowhere"}) == set()
    assert await diff_of(sync, done, vendor, **{"class": "A-lop1"}, type="courses") == set()


async def test_marks_and_resources_show_in_the_class_of_their_line_item(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = {**school_files("A"), **gradebook_files("A")}
    done = await sync.imported(make_package(files), vendor)
    for _ in ("before the commit", "after it"):
        first, second = await classes_of(sync, done, vendor)
        added = {name: each["added"] for name, each in first["counts"].items()}
        assert {"classes": 1, "enrollments": 6, "users": 6, "lineItems": 1, "results": 2}.items() <= added.items()
        assert (added["resultScoreScales"], added["lineItemLearningObjectiveIds"], added["demographics"]) == (1, 1, 1)
        assert first["learners"]["added"] == 5
        assert second["counts"].keys() == {"classes", "enrollments", "users", "roles"}
        await sync.client.post(f"/sync/v1/imports/{done['id']}/commit", headers=vendor)
        await sync.work()


async def test_a_later_import_does_not_alter_what_an_earlier_one_did_to_a_class(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=20)
    first = await sync.imported(make_package(files), vendor, mode="auto")
    before = {each["class"]: each["counts"]["enrollments"] for each in await classes_of(sync, first, vendor)}
    await sync.imported(make_package(altered(files)), vendor, mode="auto")
    after = {each["class"]: each["counts"]["enrollments"] for each in await classes_of(sync, first, vendor)}
    assert (
        after
        == before
        == {
            "A-lop1": {"added": 11, "changed": 0, "removed": 0},
            "A-lop2": {"added": 10, "changed": 0, "removed": 0},
        }
    )


async def test_a_dry_run_shows_the_classes_of_what_it_would_add(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    tried = await sync.imported(make_package(school_files("A")), vendor, dryRun="true")
    shown = await classes_of(sync, tried, vendor)
    assert [(each["title"], each["learners"]["added"]) for each in shown] == [("Lớp 6A1", 5), ("Lớp 6A2", 5)]
    assert len(await diff_of(sync, tried, vendor, **{"class": "A-lop2"}, type="enrollments")) == 5


async def test_what_a_dry_run_keeps_for_its_classes_goes_when_it_expires_and_a_refused_one_keeps_nothing(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    await sync.imported(make_package(school_files("A")), vendor, dryRun="true")
    kept = "SELECT count(*) FROM staged_enrollment"
    assert await sync.sql(kept) == [11]
    async with sync.runtime.units.begin(EVERYTHING) as uow:
        assert await expire_undecided(uow, dt.datetime(2999, 1, 1, tzinfo=dt.UTC)) == 1
    assert await sync.sql(kept) == [0]
    alone = {"enrollments": [{**school_files("A")["enrollments"][0], "schoolSourcedId": "NOPE"}]}
    refused = await sync.imported(make_package(alone), vendor, dryRun="true")
    assert refused["state"] == "rejected"
    assert await sync.sql(kept) == [0]


async def test_classes_come_by_page_through_all_schools_and_as_a_table(sync):
    await sync.put_schools("A", "B")
    vendor = sync.as_vendor("A", "B")
    files = together(school_files("A"), school_files("B"))
    files["classes"] = changed(files["classes"], "B-lop2", title="=Lớp")
    done = await sync.imported(make_package(files), vendor)
    path, seen = f"/sync/v1/imports/{done['id']}/diff/classes", []
    cursor: dict[str, str] = {}
    while True:
        page = await sync.read(path, vendor, limit="1", **cursor)
        seen += [(each["school"], each["class"]) for each in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [(school, f"{school}-lop{number}") for school in "AB" for number in (1, 2)]
    table = await sync.client.get(
        path, headers=vendor | {"Accept": "text/csv"}, params={"school": "B", "class": "B-lop2"}
    )
    assert table.headers["content-type"].startswith("text/csv")
    header, *rows = csv.reader(io.StringIO(table.text.removeprefix("\ufeff")))
    assert header == ["school", "class", "title", "type", "added", "changed", "removed"]
    # A cell that a spreadsheet would run as a formula is shown as text.
    assert rows == [
        ["B", "B-lop2", "'=Lớp", name, count, "0", "0"]
        for name, count in (("learners", "5"), ("classes", "1"), ("enrollments", "5"), ("users", "5"), ("roles", "5"))
    ]
    page = await sync.client.get(path, headers=vendor | {"Accept": "text/csv"}, params={"limit": "1"})
    assert page.headers["link"].endswith('; rel="next"')


async def test_a_school_sees_its_own_classes_only_and_a_stranger_none(sync):
    await sync.put_schools("A", "B")
    both = sync.as_vendor("A", "B")
    done = await sync.imported(make_package(together(school_files("A"), school_files("B"))), both)
    head = sync.as_person("B", "head")
    assert {each["class"] for each in await classes_of(sync, done, head)} == {"B-lop1", "B-lop2"}
    assert await classes_of(sync, done, head, school="A") == []
    assert await diff_of(sync, done, head, **{"class": "A-lop1"}) == set()
    stranger = sync.as_vendor("A", sub="other")
    for query in ("diff/classes", "diff?class=A-lop1"):
        answer = await sync.client.get(f"/sync/v1/imports/{done['id']}/{query}", headers=stranger)
        assert (answer.status_code, answer.json()["code"]) == (404, "import.unknown")
