"""The writing operations of the OneRoster 1.2 gradebook service, as an LMS calls them."""

import pytest

from tests.integration.sync.gradebook_packages import gradebook_files
from tests.integration.sync.packages import make_package, school_files

PREFIX = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
GRADEBOOK = "/ims/oneroster/gradebook/v1p2"
SCOPES = "gradebook.readonly", "gradebook.createput", "gradebook.createpost", "gradebook.delete"


@pytest.fixture
async def lms(sync):
    """Headers of a vendor of school A that may write marks; A has its package with a line item and results."""
    await sync.put_schools("A", "B")
    files = {**school_files("A"), **gradebook_files("A", results=3)}
    done = await sync.imported(make_package(files), sync.as_vendor("A"), mode="auto")
    assert done["state"] == "committed", done
    return sync.as_vendor("A", scope=" ".join(PREFIX + each for each in SCOPES) + " sync.read")


async def first(sync, headers, collection):
    return (await sync.read(f"{GRADEBOOK}/{collection}", headers, limit="1"))[collection][0]


async def send(sync, method, path, headers, body=None):
    return await sync.client.request(method, GRADEBOOK + path, json=body, headers=headers)


@pytest.mark.parametrize(
    ("collection", "noun"),
    [("categories", "category"), ("lineItems", "lineItem"), ("results", "result"), ("scoreScales", "scoreScale")],
)
async def test_what_get_answers_can_be_put_back_under_its_own_and_a_new_id(sync, lms, collection, noun):
    found = await first(sync, lms, collection)
    same = await send(sync, "PUT", f"/{collection}/{found['sourcedId']}", lms, {noun: found})
    assert (same.status_code, same.content) == (201, b""), same.text
    assert await first(sync, lms, collection) == found
    new = await send(sync, "PUT", f"/{collection}/moi-1", lms, {noun: found | {"sourcedId": "moi-1"}})
    assert new.status_code == 201, new.text
    shown = (await sync.read(f"{GRADEBOOK}/{collection}/moi-1", lms))[noun]
    for member in found.keys() - {"sourcedId", "dateLastModified"}:
        assert shown[member] == found[member], member


async def test_a_lenient_result_without_status_href_and_type_and_with_a_date_time(sync, lms):
    found = await first(sync, lms, "results")
    body = {
        "lineItem": {"sourcedId": found["lineItem"]["sourcedId"]},
        "student": {"sourcedId": found["student"]["sourcedId"]},
        "scoreStatus": "fully graded",
        "score": 7.25,
        "scoreDate": "2026-11-20T08:30:00.000Z",
        "comment": "chăm ngoan",
        "somethingNew": 1,
    }
    answer = await send(sync, "PUT", "/results/moi", lms, {"result": body})
    assert answer.status_code == 201, answer.text
    shown = (await sync.read(f"{GRADEBOOK}/results/moi", lms))["result"]
    assert (shown["score"], shown["scoreDate"], shown["status"]) == (7.25, "2026-11-20", "active")
    assert "comment" not in shown


async def test_a_line_item_keeps_its_score_scale_and_objectives_and_gives_them_up(sync, lms):
    found, scale = await first(sync, lms, "lineItems"), await first(sync, lms, "scoreScales")
    objectives = [{"source": "case", "learningObjectiveIds": ["M6.SO.1", "M6.SO.2"]}]
    body = found | {
        "sourcedId": "moi",
        "scoreScale": {"sourcedId": scale["sourcedId"], "type": "scoreScale"},
        "learningObjectiveSet": objectives,
    }
    assert (await send(sync, "PUT", "/lineItems/moi", lms, {"lineItem": body})).status_code == 201
    shown = (await sync.read(f"{GRADEBOOK}/lineItems/moi", lms))["lineItem"]
    assert (shown["scoreScale"]["sourcedId"], shown["learningObjectiveSet"]) == (scale["sourcedId"], objectives)
    fewer = [{"source": "case", "learningObjectiveIds": ["M6.SO.2"]}]
    again = await send(sync, "PUT", "/lineItems/moi", lms, {"lineItem": body | {"learningObjectiveSet": fewer}})
    assert again.status_code == 201
    assert (await sync.read(f"{GRADEBOOK}/lineItems/moi", lms))["lineItem"]["learningObjectiveSet"] == fewer


async def test_posted_sets_get_their_ids_here_and_answer_the_pairs(sync, lms):
    item, result = await first(sync, lms, "lineItems"), await first(sync, lms, "results")
    class_, session = item["class"]["sourcedId"], item["academicSession"]["sourcedId"]
    bare = {name: value for name, value in item.items() if name not in {"class", "learningObjectiveSet"}}
    sent = {"lineItems": [bare | {"sourcedId": f"tam-{n}", "title": f"Kiểm tra {n}"} for n in range(2)]}
    answer = await send(sync, "POST", f"/classes/{class_}/lineItems", lms, sent)
    assert answer.status_code == 201, answer.text
    pairs = answer.json()["sourcedIdPairs"]
    assert [each["suppliedSourcedId"] for each in pairs] == ["tam-0", "tam-1"]
    made = (await sync.read(f"{GRADEBOOK}/lineItems/{pairs[1]['allocatedSourcedId']}", lms))["lineItem"]
    assert (made["title"], made["class"]["sourcedId"]) == ("Kiểm tra 1", class_)
    assert (await send(sync, "GET", "/lineItems/tam-1", lms)).status_code == 404
    mark = {name: result[name] for name in ("student", "scoreStatus", "scoreDate")} | {"score": 9}
    posted = await send(sync, "POST", f"/lineItems/{made['sourcedId']}/results", lms, {"results": [mark]})
    assert posted.status_code == 201, posted.text
    of_session = {"results": [mark | {"lineItem": {"sourcedId": made["sourcedId"]}}]}
    path = f"/classes/{class_}/academicSessions/{session}/results"
    assert (await send(sync, "POST", path, lms, of_session)).status_code == 201
    to_school = {"lineItems": [item | {"sourcedId": "x"}]}
    assert (await send(sync, "POST", "/schools/A/lineItems", lms, to_school)).status_code == 201


async def test_a_set_with_one_fault_writes_nothing_and_says_where(sync, lms):
    item, result = await first(sync, lms, "lineItems"), await first(sync, lms, "results")
    good = {name: result[name] for name in ("student", "scoreStatus", "scoreDate")} | {"score": 9}
    bad = good | {"student": {"sourcedId": "khong-co"}}
    before = await sync.sql("SELECT count(*) FROM result")
    path = f"/lineItems/{item['sourcedId']}/results"
    answer = await send(sync, "POST", path, lms, {"results": [good, bad]})
    assert answer.status_code == 422
    status = answer.json()
    (minor,) = status["imsx_CodeMinor"]["imsx_codeMinorField"]
    assert minor["imsx_codeMinorFieldValue"] == "invaliddata"
    assert "/results/1/studentSourcedId" in status["imsx_description"]
    assert await sync.sql("SELECT count(*) FROM result") == before
    wrong = await send(sync, "POST", path, lms, {"marks": []})
    assert wrong.status_code == 422
    assert (await send(sync, "POST", "/lineItems/khong-co/results", lms, {"results": [good]})).status_code == 404


async def test_delete_ends_a_mark_and_an_unknown_one_is_404(sync, lms):
    result = await first(sync, lms, "results")
    path = f"/results/{result['sourcedId']}"
    for _ in range(2):
        assert (await send(sync, "DELETE", path, lms)).status_code == 204
    assert (await sync.read(f"{GRADEBOOK}{path}", lms))["result"]["status"] == "tobedeleted"
    assert (await send(sync, "DELETE", "/results/khong-co", lms)).status_code == 404
    category = await first(sync, lms, "categories")
    assert (await send(sync, "DELETE", f"/categories/{category['sourcedId']}", lms)).status_code == 204


async def test_each_kind_of_writing_needs_its_own_scope(sync, lms):
    item = await first(sync, lms, "lineItems")
    for method, path, body, scope in (
        ("PUT", f"/lineItems/{item['sourcedId']}", {"lineItem": item}, "gradebook.createput"),
        ("DELETE", f"/lineItems/{item['sourcedId']}", None, "gradebook.delete"),
        ("POST", f"/classes/{item['class']['sourcedId']}/lineItems", {"lineItems": []}, "gradebook.createpost"),
    ):
        others = " ".join(PREFIX + each for each in SCOPES if each != scope)
        answer = await send(sync, method, path, sync.as_vendor("A", scope=others), body)
        assert (answer.status_code, scope) == (403, scope)


async def test_a_mark_of_another_school_does_not_exist_for_the_vendor(sync, lms):
    result = await first(sync, lms, "results")
    stranger = sync.as_vendor("B", sub="b", scope=" ".join(PREFIX + each for each in SCOPES))
    assert (await send(sync, "DELETE", f"/results/{result['sourcedId']}", stranger)).status_code == 404
    answer = await send(sync, "PUT", f"/results/{result['sourcedId']}", stranger, {"result": result})
    assert answer.status_code == 422
    assert (await sync.read(f"{GRADEBOOK}/results/{result['sourcedId']}", lms))["result"] == result
