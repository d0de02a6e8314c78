import hashlib

from tests.integration.sync.packages import changed, make_package, school_files, together, without


def counts_of(imported, file):
    (found,) = [each for each in imported["files"] if each["file"] == f"{file}.csv"]
    return found


def codes(problems):
    return sorted({problem["code"] for problem in problems})


async def test_a_clean_package_in_mode_auto_is_committed_and_its_receipt_tells_what_came(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    package = make_package(school_files("A"))
    answer = await sync.upload(package, vendor, mode="auto")
    assert answer.status_code == 202
    receipt = answer.json()
    assert receipt["state"] == "received"
    assert receipt["sha256"] == hashlib.sha256(package).hexdigest()
    assert receipt["size"] == len(package)
    assert receipt["receivedAt"].endswith("Z")
    assert answer.headers["location"] == f"/sync/v1/imports/{receipt['id']}"

    await sync.work()
    done = await sync.read(answer.headers["location"], vendor)
    assert done["state"] == "committed"
    assert done["progress"] == {"rowsDone": 38, "rowsTotal": 38}
    assert counts_of(done, "users") == {
        "file": "users.csv",
        "read": 11,
        "accepted": 11,
        "refused": 0,
        "dropped": 0,
        "repaired": 0,
        "added": 11,
        "changed": 0,
        "removed": 0,
    }
    assert [each["file"] for each in done["files"]] == [
        "orgs.csv",
        "academicSessions.csv",
        "courses.csv",
        "classes.csv",
        "users.csv",
        "roles.csv",
        "enrollments.csv",
    ]
    assert await sync.problems(done["id"], vendor) == []


async def test_receipt_numbers_follow_the_order_of_arrival(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    receipts = [(await sync.upload(make_package(school_files("A")), vendor)).json()["receipt"] for _ in range(3)]
    assert receipts == sorted(set(receipts))


async def test_the_same_package_again_changes_nothing(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    await sync.imported(make_package(school_files("A")), vendor, mode="auto")
    before = await sync.roster("users", vendor)
    again = await sync.imported(make_package(school_files("A")), vendor, mode="auto")
    assert again["state"] == "committed"
    assert all(each["added"] == each["changed"] == each["removed"] == 0 for each in again["files"])
    assert await sync.roster("users", vendor) == before


async def test_without_mode_auto_nothing_counts_before_the_commit(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    ready = await sync.imported(make_package(school_files("A")), vendor)
    assert ready["state"] == "ready"
    assert await sync.roster("users", vendor) == []
    path = f"/sync/v1/imports/{ready['id']}/commit"
    assert (await sync.client.post(path, headers=vendor)).status_code == 202
    await sync.work()
    assert (await sync.read(f"/sync/v1/imports/{ready['id']}", vendor))["state"] == "committed"
    assert len(await sync.roster("users", vendor)) == 11
    again = await sync.client.post(path, headers=vendor)
    assert (again.status_code, again.json()["code"]) == (409, "import.wrongState")


async def test_a_dirty_row_is_refused_with_every_fault_and_the_good_rows_go_on(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    files["users"] = changed(files["users"], "A-hs0", enabledUser="maybe", givenName="", primaryOrgSourcedId="NOPE")
    done = await sync.imported(make_package(files), vendor, mode="auto")
    assert done["state"] == "committed"
    found = await sync.problems(done["id"], vendor, file="users.csv")
    assert {(each["line"], each["field"], each["code"]) for each in found} == {
        (2, "enabledUser", "value.notBoolean"),
        (2, "givenName", "value.required"),
        (2, "primaryOrgSourcedId", "org.unknown"),
    }
    assert all(each["message"] and each["hint"] for each in found)
    assert {each["who"] for each in found} == {"vendor", "department"}
    # What hangs on the refused person is refused with the reason, and named.
    others = await sync.problems(done["id"], vendor, code="reference.unknown")
    assert {(each["file"], each["value"]) for each in others} == {
        ("roles.csv", "A-hs0"),
        ("enrollments.csv", "A-hs0"),
    }
    assert counts_of(done, "users")["refused"] == 1
    assert len(await sync.roster("users", vendor)) == 10


async def test_messages_come_in_vietnamese_and_in_english_and_codes_never_change(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    files["users"] = changed(files["users"], "A-hs0", givenName="")
    done = await sync.imported(make_package(files), vendor)
    vietnamese = await sync.problems(done["id"], vendor, file="users.csv")
    english = await sync.problems(done["id"], vendor | {"Accept-Language": "en"}, file="users.csv")
    assert vietnamese[0]["message"] == "Thiếu giá trị bắt buộc của givenName."
    assert english[0]["message"] == "givenName must not be empty."
    assert vietnamese[0]["code"] == english[0]["code"]


async def test_personal_values_never_appear_in_a_problem(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    files["users"] = changed(files["users"], "A-hs0", givenName="Bí\x01mật", email="an@example.vn\x02", grades="6,,7")
    done = await sync.imported(make_package(files), vendor)
    found = {each["field"]: each for each in await sync.problems(done["id"], vendor, file="users.csv")}
    assert found["givenName"]["value"] is None
    assert found["email"]["value"] is None
    assert found["grades"]["value"] == "6,,7"


async def test_a_package_with_no_acceptable_row_is_rejected_and_writes_nothing(sync):
    await sync.put_schools("A", "B")
    vendor = sync.as_vendor("A")
    done = await sync.imported(make_package(school_files("B")), vendor, mode="auto")
    assert done["state"] == "rejected"
    assert "org.unknown" in codes(await sync.problems(done["id"], vendor))
    assert await sync.sql("SELECT count(*) FROM person") == [0]
    # Refused people wait for a retry; nothing else of the package stays.
    assert await sync.sql("SELECT DISTINCT outcome FROM staged_person") == ["refused"]
    assert await sync.sql("SELECT count(*) FROM staged_class") == [0]


async def test_what_a_bulk_package_leaves_out_ends_and_is_not_deleted(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    await sync.imported(make_package(files), vendor, mode="auto")
    smaller = {name: without(rows, "A-hs0", "A-hs0-r", "A-hs0-e") for name, rows in files.items()}
    done = await sync.imported(make_package(smaller), vendor, mode="auto")
    assert done["state"] == "committed"
    assert counts_of(done, "users")["removed"] == 1
    assert "A-hs0" not in {each["sourcedId"] for each in await sync.roster("users", vendor)}
    ended = await sync.roster("users", vendor, filter="status='tobedeleted'")
    assert [each["sourcedId"] for each in ended] == ["A-hs0"]


async def test_who_comes_back_is_active_again(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    await sync.imported(make_package(files), vendor, mode="auto")
    smaller = {name: without(rows, "A-hs0", "A-hs0-r", "A-hs0-e") for name, rows in files.items()}
    await sync.imported(make_package(smaller), vendor, mode="auto")
    done = await sync.imported(make_package(files), vendor, mode="auto")
    assert counts_of(done, "users")["added"] == 1
    assert len(await sync.roster("students", vendor)) == 30


async def test_a_refused_row_does_not_count_as_absent(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    await sync.imported(make_package(files), vendor, mode="auto")
    files["users"] = changed(files["users"], "A-hs0", enabledUser="maybe")
    files["enrollments"] = changed(files["enrollments"], "A-hs1-e", role="pupil")
    done = await sync.imported(make_package(files), vendor, mode="auto")
    assert done["state"] == "committed"
    assert all(each["removed"] == 0 for each in done["files"])
    assert len(await sync.roster("students", vendor)) == 30
    assert len(await sync.roster("enrollments", vendor)) == 31


async def test_what_hangs_on_a_class_that_ends_ends_with_it(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    files["classes"] += [{**files["classes"][0], "sourcedId": f"A-x{number}"} for number in range(20)]
    files["enrollments"].append({**files["enrollments"][0], "sourcedId": "A-extra", "classSourcedId": "A-x0"})
    await sync.imported(make_package(files), vendor, mode="auto")
    delta = {
        "classes": [{"sourcedId": "A-x0", "status": "tobedeleted", "dateLastModified": "2026-11-01T00:00:00.000Z"}]
    }
    done = await sync.imported(make_package(delta, "delta"), vendor, mode="auto")
    assert counts_of(done, "enrollments")["removed"] == 1
    assert "A-extra" not in {each["sourcedId"] for each in await sync.roster("enrollments", vendor)}


async def test_a_delta_changes_and_ends_only_what_it_names(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    await sync.imported(make_package(files), vendor, mode="auto")
    stamp = {"status": "active", "dateLastModified": "2026-11-01T00:00:00.000Z"}
    renamed = {**files["users"][1], **stamp, "givenName": "Bình"}
    gone = {"sourcedId": "A-hs2", "status": "tobedeleted", "dateLastModified": "2026-11-01T00:00:00.000Z"}
    done = await sync.imported(make_package({"users": [renamed, gone]}, "delta"), vendor, mode="auto")
    assert done["state"] == "committed"
    assert (counts_of(done, "users")["changed"], counts_of(done, "users")["removed"]) == (1, 1)
    people = {each["sourcedId"]: each for each in await sync.roster("students", vendor)}
    assert people["A-hs1"]["givenName"] == "Bình"
    assert len(people) == 29
    # The ended learner's role and enrollment ended too.
    assert len(await sync.roster("enrollments", vendor)) == 30


async def test_a_delta_row_without_status_or_time_is_refused(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    await sync.imported(make_package(school_files("A")), vendor, mode="auto")
    done = await sync.imported(make_package({"users": school_files("A")["users"][:1]}, "delta"), vendor)
    assert done["state"] == "rejected"
    found = await sync.problems(done["id"], vendor)
    assert {(each["field"], each["code"]) for each in found} == {
        ("status", "value.required"),
        ("dateLastModified", "value.required"),
    }


async def test_the_difference_shows_added_changed_field_by_field_and_removed(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    await sync.imported(make_package(files), vendor, mode="auto")
    files = {name: without(rows, "A-hs0", "A-hs0-r", "A-hs0-e") for name, rows in files.items()}
    files["users"] = changed(files["users"], "A-hs1", givenName="Bình", email="b@example.vn")
    files["courses"].append({"sourcedId": "A-van", "title": "Ngữ văn", "orgSourcedId": "A"})
    ready = await sync.imported(make_package(files), vendor)
    path = f"/sync/v1/imports/{ready['id']}/diff"
    first = await sync.read(path, vendor, limit="2")
    rest = await sync.read(path, vendor, limit="2", cursor=first["next"])
    last = await sync.read(path, vendor, limit="2", cursor=rest["next"])
    items = first["items"] + rest["items"] + last["items"]
    assert last["next"] is None
    assert [(each["type"], each["sourcedId"], each["action"]) for each in items] == [
        ("courses", "A-van", "added"),
        ("enrollments", "A-hs0-e", "removed"),
        ("roles", "A-hs0-r", "removed"),
        ("users", "A-hs0", "removed"),
        ("users", "A-hs1", "changed"),
    ]
    assert items[-1]["fields"] == {
        "givenName": {"before": "An", "after": "Bình"},
        "email": {"before": None, "after": "b@example.vn"},
    }
    only = await sync.read(path, vendor, type="users", action="removed")
    assert [each["sourcedId"] for each in only["items"]] == ["A-hs0"]
    assert all(each["school"] == "A" for each in items)


async def test_what_schools_of_one_package_share_is_kept_by_each_and_shown_once(sync):
    await sync.put_schools("A", "B")
    both = sync.as_vendor("A", "B")
    done = await sync.imported(make_package(together(school_files("A"), school_files("B"))), both, mode="auto")
    assert done["state"] == "committed"
    assert [each["sourcedId"] for each in done["schools"]] == ["A", "B"]
    assert await sync.sql("SELECT count(*) FROM academic_session") == [2]
    assert len(await sync.roster("academicSessions", both)) == 1
    assert len(await sync.roster("academicSessions", sync.as_vendor("B"))) == 1


async def test_a_teacher_at_two_schools_is_one_user_with_the_roles_in_scope(sync):
    await sync.put_schools("A", "B")
    both = sync.as_vendor("A", "B")
    files = together(school_files("A"), school_files("B"))
    files["roles"].append(
        {**files["roles"][-1], "sourcedId": "extra", "userSourcedId": "A-gv", "roleType": "secondary"}
    )
    await sync.imported(make_package(files), both, mode="auto")

    async def schools_of(headers):
        (teacher,) = [each for each in await sync.roster("teachers", headers) if each["sourcedId"] == "A-gv"]
        return [role["org"]["sourcedId"] for role in teacher["roles"]]

    assert await schools_of(both) == ["A", "B"]
    assert await schools_of(sync.as_vendor("A")) == ["A"]
    assert await schools_of(sync.as_vendor("B")) == ["B"]


async def test_a_school_the_package_does_not_name_in_orgs_loses_nothing(sync):
    await sync.put_schools("A", "B")
    both = sync.as_vendor("A", "B")
    await sync.imported(make_package(together(school_files("A"), school_files("B"))), both, mode="auto")
    files = school_files("A")
    files["roles"].append({**files["roles"][-1], "sourcedId": "extra", "orgSourcedId": "B", "roleType": "secondary"})
    done = await sync.imported(make_package(files), both, mode="auto")
    assert done["state"] == "committed"
    assert [(each["sourcedId"], each["complete"]) for each in done["schools"]] == [("A", True), ("B", False)]
    assert len(await sync.roster("students", sync.as_vendor("B"))) == 10


async def test_a_sourced_id_of_another_school_is_refused(sync):
    await sync.put_schools("A", "B")
    await sync.imported(make_package(school_files("A")), sync.as_vendor("A"), mode="auto")
    files = school_files("B")
    files["classes"].append({**files["classes"][0], "sourcedId": "A-lop1"})
    vendor = sync.as_vendor("B", sub="other")
    done = await sync.imported(make_package(files), vendor, mode="auto")
    (problem,) = await sync.problems(done["id"], vendor)
    assert (problem["file"], problem["code"], problem["value"]) == ("classes.csv", "sourcedId.taken", "A-lop1")


async def test_an_enrollment_at_another_school_than_its_class_is_refused(sync):
    await sync.put_schools("A", "B")
    both = sync.as_vendor("A", "B")
    files = together(school_files("A"), school_files("B"))
    files["enrollments"] = changed(files["enrollments"], "A-hs0-e", schoolSourcedId="B")
    done = await sync.imported(make_package(files), both, mode="auto")
    (problem,) = await sync.problems(done["id"], both)
    assert (problem["line"], problem["code"]) == (2, "enrollment.otherSchool")


async def test_the_second_row_of_a_sourced_id_is_refused_and_names_the_first(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    files["users"].append({**files["users"][0], "givenName": "Khác"})
    done = await sync.imported(make_package(files), vendor, mode="auto")
    (problem,) = await sync.problems(done["id"], vendor)
    assert (problem["line"], problem["code"], problem["message"]) == (
        13,
        "sourcedId.duplicate",
        "sourcedId này đã có ở dòng 2.",
    )
    assert {each["givenName"] for each in await sync.roster("users", vendor)} == {"An"}


async def test_in_strict_mode_a_class_without_course_or_term_is_refused_with_its_enrollments(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    files["classes"] = changed(files["classes"], "A-lop1", courseSourcedId="nowhere")
    files["classes"] = changed(files["classes"], "A-lop2", termSourcedIds="HK1,HK9")
    done = await sync.imported(make_package(files), vendor, mode="auto")
    found = await sync.problems(done["id"], vendor, file="classes.csv")
    assert {(each["field"], each["code"], each["value"]) for each in found} == {
        ("courseSourcedId", "reference.unknown", "nowhere"),
        ("termSourcedIds", "reference.unknown", "HK9"),
    }
    assert len(await sync.problems(done["id"], vendor, file="enrollments.csv")) == 11


async def test_the_summary_counts_by_cause_commonest_first(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    files["classes"] = without(files["classes"], "A-lop1")
    files["users"] = changed(files["users"], "A-hs1", givenName="")
    done = await sync.imported(make_package(files), vendor)
    summary = (await sync.read(f"/sync/v1/imports/{done['id']}/problems/summary", vendor))["items"]
    assert next((each["code"], each["file"], each["count"]) for each in summary) == (
        "reference.unknown",
        "enrollments.csv",
        6,
    )
    assert [each["count"] for each in summary] == sorted((each["count"] for each in summary), reverse=True)


async def test_the_raw_package_is_deleted_once_its_rows_are_staged(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    answer = await sync.upload(make_package(school_files("A")), vendor)
    files = [path.name for path in (sync.settings.data_dir / "uploads").iterdir()]
    assert files == [f"{answer.json()['id']}.package"]
    await sync.work()
    assert list((sync.settings.data_dir / "uploads").iterdir()) == []


async def test_imports_are_listed_newest_first_by_page(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    made = [(await sync.upload(make_package(school_files("A")), vendor)).json()["id"] for _ in range(3)]
    first = await sync.read("/sync/v1/imports", vendor, limit="2")
    second = await sync.read("/sync/v1/imports", vendor, limit="2", cursor=first["next"])
    assert [each["id"] for each in first["items"] + second["items"]] == made[::-1]
    assert second["next"] is None
