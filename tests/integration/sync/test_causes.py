"""A thousand refused rows are shown as what has to be cured, and what waited can be tried again."""

import itertools
import random
from collections import Counter
from typing import Any

import pytest

from services.sync.domain.causes import CODES_BY_VALUE
from services.sync.storage.causes import fold_causes
from shared.db.scope import EVERYTHING
from shared.ids import new_id
from tests.integration.sync.packages import changed, make_package, school_files, without


async def causes_of(sync, import_id, headers, **query):
    return (await sync.read(f"/sync/v1/imports/{import_id}/causes", headers, limit="500", **query))["items"]


async def retry(sync, import_id, headers, **body):
    return await sync.client.post(f"/sync/v1/imports/{import_id}/retry", headers=headers, json=body)


def flood(people):
    """A school whose package has five faults, each of which costs two thousand rows."""
    files = school_files("A", learners=people)
    template, member = files["classes"][0], files["enrollments"][0]

    def enrolled(count, klass, name, **more):
        return [
            {**member, "sourcedId": f"{name}{n}", "classSourcedId": klass, "userSourcedId": f"A-hs{n % people}", **more}
            for n in range(count)
        ]

    files["classes"] = [*files["classes"], {**template, "sourcedId": "bad", "classType": "evening"}]
    files["enrollments"] = [
        *files["enrollments"],
        *enrolled(2000, "6A3", "missing"),  # a class nobody sent
        *enrolled(1999, "bad", "refused"),  # a class that was refused itself
        *enrolled(2000, "A-lop1", "foreign", schoolSourcedId="NOPE"),  # a school nobody knows
        *enrolled(2000, "A-lop1", "dates", beginDate="1/9/2026"),  # an export that cannot write dates
    ]
    # A person whose only role cannot be read.
    files["roles"] = [
        *files["roles"],
        {**files["roles"][0], "sourcedId": "rx0", "userSourcedId": "x0", "roleType": ""},
    ]
    files["users"] = [*files["users"], {**files["users"][0], "sourcedId": "x0"}]
    files["enrollments"] += [
        {**member, "sourcedId": f"lost{n}", "userSourcedId": "x0", "classSourcedId": "A-lop1"} for n in range(1998)
    ]
    return files


async def test_ten_thousand_errors_of_five_causes_are_exactly_five_groups(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    done = await sync.imported(make_package(flood(10)), vendor)
    found = await causes_of(sync, done["id"], vendor)
    assert [each["rows"] for each in found] == [2000] * 5
    by_code = {each["code"]: each for each in found}
    assert by_code.keys() == {
        "reference.unknown",
        "value.notInList",
        "org.unknown",
        "value.notDate",
        "value.required",
    }
    assert by_code["reference.unknown"]["missing"] == {"file": "classes.csv", "sourcedId": "6A3"}
    assert by_code["reference.unknown"]["message"] == "Lớp “6A3” chưa có: 2000 dòng bị ảnh hưởng."
    # A role that could not be read leaves the person without one, and the person's enrollments without the person.
    assert {each["file"]: each["rows"] for each in by_code["value.required"]["files"]} == {
        "roles.csv": 1,
        "users.csv": 1,
        "enrollments.csv": 1998,
    }
    assert by_code["value.required"]["file"] == "roles.csv"
    assert by_code["value.notInList"]["sample"] == {"file": "classes.csv", "line": 4, "sourcedId": "bad"}
    assert by_code["org.unknown"]["who"] == "department"
    english = await causes_of(sync, done["id"], vendor | {"Accept-Language": "en"})
    assert {each["message"] for each in english} >= {"Class “6A3” is not there: 2000 rows affected."}


async def test_causes_come_by_page_dearest_first(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=6)
    member = files["enrollments"][0]
    files["enrollments"] = files["enrollments"] + [
        {**member, "sourcedId": f"{klass}-{n}", "classSourcedId": klass}
        for klass, count in (("few", 1), ("more", 2), ("most", 3), ("again", 2))
        for n in range(count)
    ]
    done = await sync.imported(make_package(files), vendor)
    path, seen = f"/sync/v1/imports/{done['id']}/causes", []
    cursor: dict[str, str] = {}
    while True:
        page = await sync.read(path, vendor, limit="1", **cursor)
        seen += [each["missing"]["sourcedId"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == ["most", "more", "again", "few"]


async def test_a_head_sees_the_causes_of_the_own_school_only_and_no_other_schools_row(sync):
    await sync.put_schools("A", "B")
    both = sync.as_vendor("A", "B")
    files = school_files("A", learners=4)
    other = school_files("B", learners=4)
    for name in ("orgs", "courses", "classes", "users", "roles", "enrollments"):
        files[name] = [*files[name], *other[name]]
    for school, rows in (("A", 1), ("B", 3)):
        files["enrollments"] += [
            {
                **other["enrollments"][0],
                "sourcedId": f"{school}{n}",
                "schoolSourcedId": school,
                "classSourcedId": "gone",
            }
            for n in range(rows)
        ]
    done = await sync.imported(make_package(files), both)
    (whole,) = await causes_of(sync, done["id"], both)
    assert whole["rows"] == 4
    (part,) = await causes_of(sync, done["id"], sync.as_person("B", "head"))
    assert (part["rows"], part["sample"]) == (3, None)
    for answer in (
        await sync.client.get(f"/sync/v1/imports/{done['id']}/causes", headers=sync.as_vendor("A", sub="other")),
        await retry(sync, done["id"], sync.as_person("B", "head")),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "import.unknown")


@pytest.fixture
async def waiting(sync):
    """A committed school whose package forgot one class: its five enrollments wait."""
    await sync.put_schools("A")
    files = school_files("A")
    short = {**files, "classes": without(files["classes"], "A-lop2")}
    done = await sync.imported(make_package(short), sync.as_vendor("A"), mode="auto")
    assert done["state"] == "committed"
    return done, files


async def test_a_retry_commits_what_a_record_unblocks_as_a_new_import_that_names_the_first(sync, waiting):
    first, files = waiting
    vendor = sync.as_vendor("A")
    assert len(await sync.roster("enrollments", vendor)) == 6
    missing = [{**row, "status": "active", "dateLastModified": "2026-11-01T00:00:00Z"} for row in files["classes"][1:]]
    await sync.imported(make_package({"classes": missing}, mode="delta"), vendor, mode="auto")
    answer = await retry(sync, first["id"], vendor)
    assert answer.status_code == 202, answer.text
    await sync.work()
    again = await sync.read(answer.headers["location"], vendor)
    assert (again["state"], again["retryOf"]) == ("committed", first["id"])
    assert again["receipt"] > first["receipt"]
    assert [(each["file"], each["read"], each["added"]) for each in again["files"]] == [("enrollments.csv", 5, 5)]
    assert len(await sync.roster("enrollments", vendor)) == 11
    # What was tried does not wait any more.
    nothing = await retry(sync, first["id"], vendor)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "import.nothingWaits")


async def test_what_is_still_missing_is_refused_again_and_waits_on(sync, waiting):
    first, files = waiting
    vendor = sync.as_vendor("A")
    second = (await retry(sync, first["id"], vendor)).json()
    await sync.work()
    again = await sync.read(f"/sync/v1/imports/{second['id']}", vendor)
    assert again["state"] == "rejected"
    (cause,) = await causes_of(sync, second["id"], vendor)
    assert (cause["missing"]["sourcedId"], cause["rows"]) == ("A-lop2", 5)
    missing = [{**row, "status": "active", "dateLastModified": "2026-11-01T00:00:00Z"} for row in files["classes"][1:]]
    await sync.imported(make_package({"classes": missing}, mode="delta"), vendor, mode="auto")
    third = (await retry(sync, second["id"], vendor, cause=cause["id"])).json()
    await sync.work()
    assert (await sync.read(f"/sync/v1/imports/{third['id']}", vendor))["state"] == "committed"
    assert len(await sync.roster("enrollments", vendor)) == 11


async def test_a_retry_of_one_cause_leaves_the_rows_of_the_others_waiting(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    await sync.imported(make_package({**files, "classes": []}), vendor, mode="auto")
    whole = [{**row, "status": "active", "dateLastModified": "2026-11-01T00:00:00Z"} for row in files["classes"]]
    first = (await sync.read("/sync/v1/imports", vendor))["items"][0]
    found = {each["missing"]["sourcedId"]: each for each in await causes_of(sync, first["id"], vendor)}
    assert {key: each["rows"] for key, each in found.items()} == {"A-lop1": 6, "A-lop2": 5}
    await sync.imported(make_package({"classes": whole}, mode="delta"), vendor, mode="auto")
    await retry(sync, first["id"], vendor, cause=found["A-lop2"]["id"])
    await sync.work()
    assert len(await sync.roster("enrollments", vendor)) == 5
    await retry(sync, first["id"], vendor)
    await sync.work()
    assert len(await sync.roster("enrollments", vendor)) == 11


async def test_a_row_that_a_newer_package_spoke_about_is_not_tried_again(sync, waiting):
    first, files = waiting
    vendor = sync.as_vendor("A")
    moved = changed(files["enrollments"], "A-hs1-e", role="proctor")
    await sync.imported(make_package({**files, "enrollments": moved}), vendor, mode="auto")
    answer = await retry(sync, first["id"], vendor)
    assert (answer.status_code, answer.json()["code"]) == (409, "import.nothingWaits")


async def test_nothing_of_an_unfinished_import_is_tried_again(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    ready = await sync.imported(make_package(school_files("A")), vendor)
    answer = await retry(sync, ready["id"], vendor)
    assert (answer.status_code, answer.json()["code"]) == (409, "import.wrongState")


async def test_only_rows_that_wait_stay_staged_and_a_school_that_took_back_its_grant_is_not_written(sync, waiting):
    first, _ = waiting
    assert await sync.sql("SELECT count(*) FROM staged_enrollment") == [5]
    assert await sync.sql("SELECT count(*) FROM staged_person") == [0]
    answer = await retry(sync, first["id"], sync.as_vendor())
    assert answer.status_code in {404, 409}
    assert await sync.sql("SELECT count(*) FROM staged_enrollment") == [5]


def fold(findings):
    """What folding means, said plainly: follow the wanted record upwards until nobody refused it."""
    own: dict[tuple[str, str], dict[str, Any]] = {}
    for finding in findings:
        if finding["record"] and finding["code"] != "sourcedId.duplicate":
            own.setdefault((finding["file"], finding["record"]), finding)

    def root(finding):
        while (finding["target_file"], finding["target"]) in own:
            finding = own[finding["target_file"], finding["target"]]
        return finding

    def key(finding):
        if finding["target"] is not None:
            return (finding["target_file"], finding["target"])
        value = finding["value"] if finding["code"] in CODES_BY_VALUE else None
        return (finding["code"], finding["file"], finding["field"], value)

    groups: dict[Any, list[int]] = {}
    for finding in findings:
        groups.setdefault(key(root(finding)), []).append(finding["n"])
    return {frozenset(group) for group in groups.values()}


def random_findings(rng):
    """Rows of three files, each needing at most a record of the file before: refused, missing, or there."""
    found, numbers = [], itertools.count(1)
    for level, file in enumerate(("academicSessions.csv", "classes.csv", "enrollments.csv")):
        for _ in range(rng.randrange(1, 12)):
            wants = level > 0 and rng.random() < 0.6
            code = "reference.unknown" if wants else rng.choice(["org.unknown", "value.notDate", "sourcedId.duplicate"])
            found.append(
                {
                    "n": next(numbers),
                    "file": file,
                    "record": rng.choice(["a", "b", "c", "d", "", None]),
                    "code": code,
                    "field": rng.choice(["x", "y"]),
                    "value": rng.choice(["1", "2"]),
                    "target_file": ("academicSessions.csv", "classes.csv")[level - 1] if wants else None,
                    "target": rng.choice(["a", "b", "c", "d", "e"]) if wants else None,
                }
            )
    return found


async def test_folding_in_the_database_equals_following_every_row_to_its_root(sync):
    rng = random.Random(20261123)  # examples, not secrets
    for _ in range(150):
        findings = random_findings(rng)
        import_id = new_id()
        async with sync.runtime.units.begin(EVERYTHING) as uow:
            driver = await uow.driver()
            await driver.execute(
                "INSERT INTO import (id, received_at, client_id, subject, orgs, state, lenient, auto_commit, "
                "oneroster_version, modes, sha256, size_bytes) "
                "VALUES ($1, now(), 'c', 's', '{}', 'ready', false, false, '1.2', '{}', '', 0)",
                import_id,
            )
            columns = [
                "line",
                "file",
                "record_sourced_id",
                "code",
                "field",
                "value",
                "target_file",
                "target_sourced_id",
            ]
            names = ["n", "file", "record", "code", "field", "value", "target_file", "target"]
            await driver.copy_records_to_table(
                "import_problem",
                columns=["import_id", "severity", "count", *columns],
                records=[(import_id, "error", 1, *(each[name] for name in names)) for each in findings],
            )
            await fold_causes(uow.session, import_id)
            rows = await driver.fetch("SELECT line, cause FROM import_problem WHERE import_id = $1", import_id)
        groups: dict[int, set[int]] = {}
        for row in rows:
            groups.setdefault(row["cause"], set()).add(row["line"])
        assert {frozenset(group) for group in groups.values()} == fold(findings)
        assert Counter(row["line"] for row in rows) == Counter(each["n"] for each in findings)
