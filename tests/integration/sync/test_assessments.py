"""The assessment profile of the OneRoster gradebook: what is put is kept, read back, followed and ended."""

import json

import pytest

from tests.integration.sync.gradebook_packages import gradebook_files
from tests.integration.sync.packages import make_package, school_files

PREFIX = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
GRADEBOOK = "/ims/oneroster/gradebook/v1p2"
SCOPES = "assessment.readonly", "assessment.createput", "assessment.delete"
ITEM = {
    "title": "Khảo sát tiếng Anh",
    "description": "Vòng 1",
    "resultValueMin": 0,
    "resultValueMax": 100,
    "learningObjectiveSet": [{"source": "case", "learningObjectiveIds": ["yc-2", "yc-1"]}],
}


def result(item="ks-1", student="A-hs1", **more):
    return {
        "assessmentLineItem": {"sourcedId": item},
        "student": {"sourcedId": student},
        "scoreStatus": "fully graded",
        "scoreDate": "2026-11-20T08:30:00Z",
        "score": 83.5,
        "scorePercentile": 91.2,
        "comment": "chăm ngoan",
        "late": "true",
        "learningObjectiveSet": [
            {"source": "case", "learningObjectiveResults": [{"learningObjectiveId": "yc-1", "score": 4}]}
        ],
    } | more


@pytest.fixture
async def lms(sync):
    """Headers of a vendor of schools A and B that may write assessments; both have their package."""
    await sync.put_schools("A", "B")
    for school in "AB":
        files = {**school_files(school), **gradebook_files(school, results=3)}
        done = await sync.imported(make_package(files), sync.as_vendor(school), mode="auto")
        assert done["state"] == "committed", done
    scopes = " ".join(PREFIX + each for each in SCOPES) + " sync.read sync.import"
    return sync.as_vendor("A", "B", scope=scopes)


async def put(sync, headers, collection, sourced_id, body):
    noun = {"assessmentLineItems": "assessmentLineItem", "assessmentResults": "assessmentResult"}[collection]
    return await sync.client.put(f"{GRADEBOOK}/{collection}/{sourced_id}", json={noun: body}, headers=headers)


async def ids(sync, headers, collection, **query):
    return [each["sourcedId"] for each in (await sync.read(f"{GRADEBOOK}/{collection}", headers, **query))[collection]]


async def test_an_assessment_and_its_results_are_read_back_as_they_were_put(sync, lms):
    assert (await put(sync, lms, "assessmentLineItems", "ks-1", ITEM)).status_code == 201
    part = ITEM | {"title": "Nghe", "parentAssessmentLineItem": {"sourcedId": "ks-1"}}
    assert (await put(sync, lms, "assessmentLineItems", "ks-1-nghe", part)).status_code == 201
    answer = await put(sync, lms, "assessmentResults", "kq-1", result())
    assert answer.status_code == 201, answer.text
    # It names no class: it stands at both schools of the caller, and is one in the list.
    assert await ids(sync, lms, "assessmentLineItems") == ["ks-1", "ks-1-nghe"]
    item = (await sync.read(f"{GRADEBOOK}/assessmentLineItems/ks-1", lms))["assessmentLineItem"]
    for member in ("title", "description", "resultValueMin", "resultValueMax"):
        assert item[member] == ITEM[member], member
    (objectives,) = item["learningObjectiveSet"]
    assert (objectives["source"], sorted(objectives["learningObjectiveIds"])) == ("case", ["yc-1", "yc-2"])
    shown = (await sync.read(f"{GRADEBOOK}/assessmentLineItems/ks-1-nghe", lms))["assessmentLineItem"]
    assert shown["parentAssessmentLineItem"]["sourcedId"] == "ks-1"
    shown = (await sync.read(f"{GRADEBOOK}/assessmentResults/kq-1", lms))["assessmentResult"]
    assert (shown["score"], shown["scorePercentile"], shown["scoreDate"], shown["late"]) == (
        83.5,
        91.2,
        "2026-11-20",
        "true",
    )
    assert shown["student"]["sourcedId"] == "A-hs1"
    assert shown["assessmentLineItem"]["sourcedId"] == "ks-1"
    assert shown["learningObjectiveSet"] == [
        {"source": "case", "learningObjectiveResults": [{"learningObjectiveId": "yc-1", "score": 4}]}
    ]
    assert "comment" not in shown
    assert await sync.sql("SELECT school_sourced_id FROM assessment_result") == ["A"]
    # What GET answers can be put back, and changes nothing.
    assert (await put(sync, lms, "assessmentResults", "kq-1", shown)).status_code == 201
    assert await sync.sql("SELECT version FROM assessment_result") == [1]


async def test_the_lists_filter_sort_and_choose_fields_as_all_do(sync, lms):
    await put(sync, lms, "assessmentLineItems", "ks-1", ITEM)
    for number, score in enumerate((5, 7, 9)):
        await put(sync, lms, "assessmentResults", f"kq-{number}", result(student=f"A-hs{number}", score=score))
    assert await ids(sync, lms, "assessmentResults", filter="score>'6'", sort="score", orderBy="desc") == [
        "kq-2",
        "kq-1",
    ]
    page = await sync.read(f"{GRADEBOOK}/assessmentResults", lms, fields="score", limit="1", offset="1")
    assert page["assessmentResults"] == [{"score": 7}]


async def test_a_deleted_assessment_ends_with_its_results_and_is_still_known_as_ended(sync, lms):
    await put(sync, lms, "assessmentLineItems", "ks-1", ITEM)
    await put(sync, lms, "assessmentResults", "kq-1", result())
    answer = await sync.client.delete(f"{GRADEBOOK}/assessmentLineItems/ks-1", headers=lms)
    assert answer.status_code == 204, answer.text
    for collection in ("assessmentLineItems", "assessmentResults"):
        assert await ids(sync, lms, collection) == []
        assert len(await ids(sync, lms, collection, filter="status='tobedeleted'")) == 1
    assert (await sync.client.delete(f"{GRADEBOOK}/assessmentResults/kq-9", headers=lms)).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"assessmentLineItem": {"sourcedId": "ks-9"}}, "/assessmentLineItemSourcedId"),
        ({"student": {"sourcedId": "nobody"}}, "/studentSourcedId"),
        ({"scoreScale": {"sourcedId": "no-scale"}}, "/scoreScaleSourcedId"),
        ({"scoreDate": "hôm nay"}, "/scoreDate"),
        ({"scorePercentile": "cao"}, "/scorePercentile"),
    ],
)
async def test_what_is_wrong_with_a_result_is_told_by_its_member(sync, lms, change, pointer):
    await put(sync, lms, "assessmentLineItems", "ks-1", ITEM)
    answer = await put(sync, sync.as_vendor("A", scope=_scopes()), "assessmentResults", "kq-1", result() | change)
    assert answer.status_code == 422, answer.text
    assert pointer in answer.json()["imsx_description"], answer.text
    assert await sync.sql("SELECT count(*) FROM assessment_result") == [0]


def _scopes(*names):
    return " ".join(PREFIX + each for each in names or SCOPES)


async def test_a_parent_that_nobody_knows_is_refused(sync, lms):
    part = ITEM | {"parentAssessmentLineItem": {"sourcedId": "ks-9"}}
    answer = await put(sync, lms, "assessmentLineItems", "ks-1", part)
    assert answer.status_code == 422, answer.text
    assert "/parentSourcedId" in answer.json()["imsx_description"], answer.text


async def test_a_vendor_of_another_school_sees_nothing_and_each_operation_needs_its_scope(sync, lms):
    own = sync.as_vendor("A", scope=_scopes())
    await put(sync, own, "assessmentLineItems", "ks-1", ITEM)
    await put(sync, own, "assessmentResults", "kq-1", result())
    stranger = sync.as_vendor("B", scope=_scopes())
    assert await ids(sync, stranger, "assessmentLineItems") == await ids(sync, stranger, "assessmentResults") == []
    assert (await sync.client.get(f"{GRADEBOOK}/assessmentResults/kq-1", headers=stranger)).status_code == 404
    reader = sync.as_vendor("A", scope=_scopes("assessment.readonly", "gradebook.createput", "gradebook.delete"))
    assert (await put(sync, reader, "assessmentResults", "kq-2", result())).status_code == 403
    answer = await sync.client.delete(f"{GRADEBOOK}/assessmentResults/kq-1", headers=reader)
    assert answer.status_code == 403


async def test_an_assessment_of_a_class_stands_at_its_school_and_ends_with_the_class(sync, lms):
    body = ITEM | {"class": {"sourcedId": "A-lop1"}}
    answer = await put(sync, lms, "assessmentLineItems", "ks-1", body)
    assert answer.status_code == 201, answer.text
    assert await sync.sql("SELECT school_sourced_id FROM assessment_item") == ["A"]
    deleter = sync.as_vendor("A", scope="sync.import sync.read")
    assert (await sync.client.delete("/sync/v1/classes/A-lop1", headers=deleter)).status_code == 204
    assert await sync.sql("SELECT status FROM assessment_item") == ["tobedeleted"]


LINES = [
    {"type": "assessmentLineItems", "record": {"sourcedId": "ks-1", "title": "KS", "schoolSourcedId": "A"}},
    {"type": "assessmentLineItems", "record": {"sourcedId": "ks-2", "title": "KS", "classSourcedId": "B-lop1"}},
    {"type": "assessmentLineItems", "record": {"sourcedId": "ks-3", "title": "of no school"}},
    {
        "type": "assessmentLineItems",
        "record": {"sourcedId": "ks-4", "title": "KS", "schoolSourcedId": "A"}
        | {"parentAssessmentLineItemSourcedId": "ks-5"},
    },
    {
        "type": "assessmentLineItems",
        "record": {"sourcedId": "ks-5", "title": "KS", "schoolSourcedId": "A"}
        | {"parentAssessmentLineItemSourcedId": "ks-9"},
    },
    *(
        {
            "type": "assessmentResults",
            "record": {
                "sourcedId": f"kq-{student}",
                "assessmentLineItemSourcedId": item,
                "studentSourcedId": student,
                "scoreStatus": "fully graded",
                "scoreDate": "2026-11-20",
                "score": 5,
            },
        }
        for item, student in (("ks-1", "A-hs1"), ("ks-2", "B-hs1"), ("ks-1", "B-hs2"), ("ks-3", "A-hs2"))
    ),
    {
        "type": "assessmentLineItems",
        "record": {"sourcedId": "ks-6", "title": "a parent of another school", "schoolSourcedId": "B"}
        | {"parentAssessmentLineItemSourcedId": "ks-1"},
    },
]


async def test_the_feed_carries_them_the_past_is_kept_and_lines_of_json_bring_them(sync, lms):
    answer = await sync.client.post(
        "/sync/v1/imports?mode=auto",
        content="\n".join(map(json.dumps, LINES)),
        headers={**lms, "Content-Type": "application/x-ndjson"},
    )
    await sync.work()
    done = await sync.read(answer.headers["location"], lms)
    assert done["state"] == "committed", done
    told = {(each["line"], each["code"]) for each in await sync.problems(done["id"], lms, severity="error")}
    assert told == {
        (3, "school.undetermined"),
        (4, "reference.unknown"),
        (5, "reference.unknown"),
        (8, "reference.unknown"),
        (9, "reference.unknown"),
        (10, "reference.unknown"),
    }
    assert await sync.sql("SELECT school_sourced_id || sourced_id FROM assessment_result ORDER BY 1") == [
        "Akq-A-hs1",
        "Bkq-B-hs1",
    ]
    before = (await sync.read("/sync/v1/assessmentResults/kq-A-hs1", lms))["recordedFrom"]
    await put(sync, lms, "assessmentResults", "kq-A-hs1", result(score=9))
    await sync.settled()
    then = await sync.read("/sync/v1/assessmentResults/kq-A-hs1", lms, asOf=before)
    assert (then["score"], (await sync.read("/sync/v1/assessmentResults/kq-A-hs1", lms))["score"]) == ("5", "9")
    feed = await sync.read("/sync/v1/changes", lms, types="assessmentResults", limit="100")
    assert [(each["sourcedId"], each["version"]) for each in feed["items"] if each["school"] == "A"] == [
        ("kq-A-hs1", 1),
        ("kq-A-hs1", 2),
    ]
