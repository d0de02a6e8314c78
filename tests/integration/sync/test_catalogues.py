"""The code lists are data: versioned, in two languages, with their confidence, and the same as the library's."""

import json
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
NAMES = ["levels", "grades", "subjects", "learnerStates", "staffStates", "withdrawalReasons"]


async def test_every_catalogue_has_a_version_and_an_etag_that_answers_304(sync):
    vendor = sync.as_vendor()
    heads = (await sync.read("/sync/v1/catalogues", vendor))["items"]
    assert [each["name"] for each in heads] == NAMES
    for head in heads:
        path = f"/sync/v1/catalogues/{head['name']}"
        answer = await sync.client.get(path, headers=vendor)
        assert answer.json()["version"] >= 1
        again = await sync.client.get(path, headers=vendor | {"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        codes = [entry["code"] for entry in answer.json()["entries"]]
        assert len(codes) == len(set(codes))
        assert all(entry["vi"] and entry["en"] for entry in answer.json()["entries"])
    unknown = await sync.client.get("/sync/v1/catalogues/colours", headers=vendor)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "catalogue.unknown")


async def test_the_subjects_are_those_of_the_library_with_planned_periods_by_grade(sync):
    library = json.loads((REPOSITORY / "services/materials/domain/curriculum_2018.json").read_text(encoding="utf-8"))
    subjects = (await sync.read("/sync/v1/catalogues/subjects", sync.as_vendor()))["entries"]
    assert [each["code"] for each in subjects] == [each["code"] for each in library["subjects"]]
    by_code = {each["code"]: {plan["grade"]: plan for plan in each["planned"]} for each in subjects}
    assert by_code["mathematics"]["6"]["periods"] == 140
    assert by_code["mathematics"]["12"]["periods"] == 105
    assert by_code["history"]["10"]["periods"] == 52
    assert by_code["physics"]["10"] == {"grade": "10", "kind": "elective", "periods": 70, "verified": False}


async def test_states_of_learners_are_unverified_and_say_who_still_belongs_to_the_school(sync):
    states = (await sync.read("/sync/v1/catalogues/learnerStates", sync.as_vendor()))["entries"]
    assert {each["code"] for each in states if each["active"]} == {"01", "02", "03", "06", "07", "10"}
    assert not any(each["verified"] for each in states)
