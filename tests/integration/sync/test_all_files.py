"""All 21 files of OneRoster 1.2 and the 13 of 1.1: read, resolved, kept at their school, ended."""

import pytest

from tests.integration.sync.gradebook_packages import gradebook_files, package_of_1_1
from tests.integration.sync.packages import MODES_1_2, changed, make_package, school_files, together, without
from tests.integration.sync.stage import ROSTER_SCOPE

TABLES = {
    "demographics": "demographics",
    "categories": "category",
    "scoreScales": "score_scale",
    "lineItems": "line_item",
    "results": "result",
    "resources": "resource",
    "classResources": "class_resource",
    "courseResources": "course_resource",
    "userResources": "user_resource",
    "lineItemScoreScales": "line_item_score_scale",
    "resultScoreScales": "result_score_scale",
    "lineItemLearningObjectiveIds": "line_item_objective",
    "resultLearningObjectiveIds": "result_objective",
}


@pytest.fixture
async def vendor(sync):
    await sync.put_schools("A", "B")
    return sync.as_vendor("A", "B")


async def rows(sync, table, columns="sourced_id || ' ' || school_sourced_id || ' ' || status"):
    return await sync.sql(f"SELECT {columns} FROM {table} ORDER BY 1")


async def test_all_21_files_are_accepted_and_kept_at_their_school(sync, vendor):
    files = {**school_files("A"), **gradebook_files("A")}
    assert set(files) == set(MODES_1_2)
    done = await sync.imported(make_package(files), vendor, mode="auto")
    problems = await sync.problems(done["id"], vendor)
    assert [each for each in problems if each["severity"] == "error"] == []
    assert done["state"] == "committed"
    assert [each["code"] for each in problems if each["code"] == "dropped.file"] == ["dropped.file"]
    for name, table in TABLES.items():
        assert await rows(sync, table) == [f"{row['sourcedId']} A active" for row in files[name]], name
    counted = {each["file"]: (each["read"], each["accepted"], each["added"]) for each in done["files"]}
    assert {counted[f"{name}.csv"] for name in TABLES} == {(1, 1, 1), (2, 2, 2)}


async def test_the_same_package_again_changes_nothing(sync, vendor):
    package = make_package({**school_files("A"), **gradebook_files("A")})
    await sync.imported(package, vendor, mode="auto")
    again = await sync.imported(package, vendor, mode="auto")
    assert again["state"] == "committed"
    assert [(each["added"], each["changed"], each["removed"]) for each in again["files"]] == [(0, 0, 0)] * 20


async def test_a_mark_is_kept_as_the_exact_decimal_it_was(sync, vendor):
    files = {**school_files("A"), **gradebook_files("A")}
    files["results"] = changed(files["results"], "A-kq0", score="8.15")
    await sync.imported(make_package(files), vendor, mode="auto")
    assert await sync.sql("SELECT score::text FROM result WHERE sourced_id = 'A-kq0'") == ["8.15"]
    assert await sync.sql(
        "SELECT data_type FROM information_schema.columns WHERE table_name = 'result' AND column_name = 'score'"
    ) == ["numeric"]


@pytest.mark.parametrize(
    ("file", "row", "values", "code"),
    [
        ("results", "A-kq0", {"score": "8,5"}, "value.notNumber"),
        ("results", "A-kq0", {"scoreStatus": "done"}, "value.notInList"),
        ("results", "A-kq0", {"scoreDate": "1/10/2026"}, "value.notDate"),
        ("results", "A-kq0", {"lineItemSourcedId": "nothing"}, "reference.unknown"),
        ("results", "A-kq0", {"studentSourcedId": "nobody"}, "reference.unknown"),
        ("lineItems", "A-bt", {"categorySourcedId": "nothing"}, "reference.unknown"),
        ("lineItems", "A-bt", {"classSourcedId": "nothing"}, "reference.unknown"),
        ("lineItems", "A-bt", {"dueDate": "soon"}, "value.notDateTime"),
        ("categories", "A-dm", {"title": ""}, "value.required"),
        ("scoreScales", "A-td", {"scoreScaleValue": "5-10"}, "value.notUserIds"),
        ("demographics", "A-hs0", {"sex": "x"}, "value.notInList"),
        ("demographics", "A-hs0", {"sourcedId": "nobody"}, "reference.unknown"),
        ("classResources", "A-lr", {"resourceSourcedId": "nothing"}, "reference.unknown"),
        ("userResources", "A-ur", {"userSourcedId": "nobody"}, "reference.unknown"),
        ("lineItemScoreScales", "A-bt-td", {"scoreScaleSourcedId": "nothing"}, "reference.unknown"),
        ("resultLearningObjectiveIds", "A-kq0-mt", {"resultSourcedId": "nothing"}, "reference.unknown"),
    ],
)
async def test_a_bad_row_is_refused_with_its_reason(sync, vendor, file, row, values, code):
    files = {**school_files("A"), **gradebook_files("A")}
    files[file] = changed(files[file], row, **values)
    done = await sync.imported(make_package(files), vendor, mode="auto")
    errors = [each for each in await sync.problems(done["id"], vendor) if each["severity"] == "error"]
    assert (errors[0]["file"], errors[0]["code"]) == (f"{file}.csv", code)


async def test_of_demographics_only_birth_date_and_sex_are_kept_and_the_rest_is_reported(sync, vendor):
    files = {**school_files("A"), **gradebook_files("A")}
    files["demographics"] = changed(files["demographics"], "A-hs0", asian="true", cityOfBirth="Huế")
    done = await sync.imported(make_package(files), vendor, mode="auto")
    dropped = {each["field"] for each in await sync.problems(done["id"], vendor) if each["code"] == "dropped.column"}
    assert dropped == {"asian", "cityOfBirth", "comment"}
    columns = await sync.sql("SELECT column_name FROM information_schema.columns WHERE table_name = 'demographics'")
    assert {"birth_date", "sex"} <= set(columns)
    assert not {"asian", "city_of_birth"} & set(columns)


async def test_a_comment_about_a_learner_is_in_no_table(sync, vendor):
    await sync.imported(make_package({**school_files("A"), **gradebook_files("A")}), vendor, mode="auto")
    for table in ("result", "staged_result", "import_change"):
        assert await sync.sql(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%Hay nói chuyện%'") == [0]


async def test_a_delta_ends_a_line_item_and_its_results_and_links_end_with_it(sync, vendor):
    await sync.imported(make_package({**school_files("A"), **gradebook_files("A")}), vendor, mode="auto")
    ended = {"status": "tobedeleted", "dateLastModified": "2026-11-01T00:00:00Z"}
    done = await sync.imported(make_package({"lineItems": [{"sourcedId": "A-bt", **ended}]}, "delta"), vendor)
    assert done["state"] == "held"
    assert {each["type"] for each in done["holdReasons"]} == {
        "lineItems",
        "results",
        "lineItemScoreScales",
        "resultScoreScales",
        "lineItemLearningObjectiveIds",
        "resultLearningObjectiveIds",
    }


async def test_a_result_left_out_of_a_bulk_file_ends_and_is_not_deleted(sync, vendor):
    files = {**school_files("A"), **gradebook_files("A", results=20)}
    await sync.imported(make_package(files), vendor, mode="auto")
    files["results"] = without(files["results"], "A-kq19")
    done = await sync.imported(make_package(files), vendor, mode="auto")
    assert done["state"] == "committed"
    assert await sync.sql("SELECT status FROM result WHERE sourced_id = 'A-kq19'") == ["tobedeleted"]


async def test_a_package_without_gradebook_files_leaves_the_marks_alone(sync, vendor):
    await sync.imported(make_package({**school_files("A"), **gradebook_files("A")}), vendor, mode="auto")
    done = await sync.imported(make_package(school_files("A")), vendor, mode="auto")
    assert done["state"] == "committed"
    assert await sync.sql("SELECT DISTINCT status FROM result") == ["active"]


async def test_a_category_two_schools_share_is_kept_at_both(sync, vendor):
    shared = [{"sourcedId": "DM", "title": "Thường xuyên"}]
    schools = []
    for school in ("A", "B"):
        files = school_files(school) | gradebook_files(school)
        files["categories"] = list(shared)
        files["lineItems"] = [{**row, "categorySourcedId": "DM"} for row in files["lineItems"]]
        schools.append(files)
    done = await sync.imported(make_package(together(*schools)), vendor, mode="auto")
    assert done["state"] == "committed"
    assert await rows(sync, "category", "school_sourced_id") == ["A", "B"]


async def test_marks_alone_find_their_school_by_their_line_item(sync, vendor):
    await sync.imported(make_package({**school_files("A"), **gradebook_files("A")}), vendor, mode="auto")
    row = {**gradebook_files("A")["results"][0], "score": "9", "status": "active"}
    row["dateLastModified"] = "2026-11-01T00:00:00Z"
    done = await sync.imported(make_package({"results": [row]}, "delta"), vendor, mode="auto")
    assert done["files"][0]["changed"] == 1
    assert await sync.sql("SELECT score::text FROM result WHERE sourced_id = 'A-kq0'") == ["9"]


async def test_marks_of_another_school_cannot_be_reached(sync, vendor):
    await sync.imported(make_package({**school_files("A"), **gradebook_files("A")}), vendor, mode="auto")
    row = {**gradebook_files("A")["results"][0], "status": "active", "dateLastModified": "2026-11-01T00:00:00Z"}
    stranger = sync.as_vendor("B", sub="stranger")
    done = await sync.imported(make_package({"results": [row]}, "delta"), stranger, mode="auto")
    assert done["state"] == "rejected"


async def test_line_items_of_1_1_find_their_school_by_their_class(sync, vendor):
    done = await sync.imported(package_of_1_1("A"), vendor, mode="auto")
    assert [each for each in await sync.problems(done["id"], vendor) if each["severity"] == "error"] == []
    assert done["state"] == "committed"
    assert await rows(sync, "line_item") == ["A-bt A active"]
    assert await rows(sync, "result") == ["A-kq0 A active"]
    assert await rows(sync, "class_resource") == ["A-lr A active"]


async def test_demographics_are_shown_under_their_own_scope_only(sync, vendor):
    await sync.imported(make_package({**school_files("A"), **gradebook_files("A")}), vendor, mode="auto")
    path = "/ims/oneroster/rostering/v1p2/demographics"
    assert (await sync.client.get(path, headers=vendor)).status_code == 403
    reader = sync.as_vendor("A", scope=ROSTER_SCOPE.replace("roster.", "roster-demographics."))
    (shown,) = (await sync.read(path, reader))["demographics"]
    assert (shown["sourcedId"], shown["birthDate"], shown["sex"]) == ("A-hs0", "2015-02-03", "female")
    assert set(shown) == {"sourcedId", "status", "dateLastModified", "birthDate", "sex"}
    assert (await sync.client.get(f"{path}/A-hs0", headers=reader)).status_code == 200
    stranger = sync.as_vendor("B", scope=ROSTER_SCOPE.replace("roster.", "roster-demographics."))
    assert (await sync.client.get(f"{path}/A-hs0", headers=stranger)).status_code == 404
