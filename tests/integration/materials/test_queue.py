import dataclasses
import itertools

from services.materials.domain.policy import Duty, Person
from services.materials.domain.review import may_act
from services.materials.storage import materials, review
from services.materials.usecases.grants import reader_of
from services.materials.usecases.review_material import work_of
from shared.auth import Principal
from shared.db.scope import EVERYTHING
from tests.integration.materials.shelf import (
    HEAD,
    LEAD,
    OFFICER,
    PATH,
    SCHOOL_A,
    SCHOOL_B,
    SCHOOLS,
    TEACHER,
    person,
    vendor,
)

QUEUE = "/materials/v1/review-queue"
BATCH = "/materials/v1/review-batches"
CHECK = {"code": "format_check", "name": {"vi": "Thể thức", "en": "Format"}, "before": "pass", "role": "librarian"}
DEPUTY = {"code": "deputy", "name": {"vi": "Phó hiệu trưởng", "en": "Deputy"}, "before": "approve", "role": "deputy"}
LIBRARIAN = person("co-thu-vien", "librarian")


async def waiting_for(library, who, **query) -> list[str]:
    answer = await library.client.get(QUEUE, headers=who, params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_the_queue_is_kept_in_the_order_of_waiting(library):
    made = [await library.bring_to("submitted") for _ in range(3)]
    ids = [material["id"] for material in made]
    assert await waiting_for(library, LEAD) == ids
    assert await waiting_for(library, HEAD) == []
    first = (await library.client.get(QUEUE, headers=LEAD, params={"limit": 2})).json()
    assert [item["id"] for item in first["items"]] == ids[:2]
    assert await waiting_for(library, LEAD, cursor=first["next"]) == ids[2:]
    await library.act(made[2], "pass", LEAD)
    await library.act(made[0], "pass", LEAD)
    assert await waiting_for(library, LEAD) == [ids[1]]
    assert await waiting_for(library, HEAD) == [ids[2], ids[0]]


async def test_a_decision_answers_the_next_item_of_the_queue(library):
    one, two, three = [await library.bring_to("submitted") for _ in range(3)]
    for decided, following in ((two, three), (three, one), (one, None)):
        url = f"{PATH}/{decided['id']}/pass"
        answer = (await library.client.post(url, headers=LEAD, params={"next": "true"})).json()
        assert (answer["next"] or {}).get("id") == (following or {}).get("id")


async def test_ones_own_work_is_in_ones_own_queue_never(library):
    mine = await library.create(LEAD)
    await library.act(mine, "submit", LEAD)
    assert await waiting_for(library, LEAD) == []
    assert await waiting_for(library, person("thay-khac", "group_lead")) == [mine["id"]]


async def test_a_lead_sees_the_subjects_that_are_written_down_for_them(library):
    await library.bring_to("submitted")
    poem = await library.create(subject="literature", grades=["8"])
    await library.act(poem, "submit", TEACHER)
    await library.appoint("thay-minh", "pass", subjects=["literature"], validTo=None)
    assert await waiting_for(library, LEAD) == [poem["id"]]


async def test_the_head_delegates_until_a_day_and_the_history_says_so(library):
    material = await library.bring_to("passed")
    deputy = person("thay-pho", "teacher")
    assert (await library.act(material, "approve", deputy)).json()["code"] == "material.unknown"
    endless = await library.client.post(
        f"{SCHOOLS}/{SCHOOL_A}/duties",
        headers=HEAD,
        json={"person": "thay-pho", "task": "approve", "validFrom": "2026-01-01"},
    )
    assert endless.json()["errors"][0]["pointer"] == "/validTo"
    duty = await library.appoint("thay-pho", "approve", grades=["6"])
    assert await waiting_for(library, deputy) == [material["id"]]
    approved = (await library.act(material, "approve", deputy)).json()
    assert approved["state"] == "published"
    assert [step["delegated"] for step in approved["reviews"]] == [False, False, True, True]
    ended = await library.client.post(f"{SCHOOLS}/{SCHOOL_A}/duties/{duty['id']}/end", headers=HEAD)
    assert ended.json()["endedBy"] == "co-hieu-truong"
    later = await library.bring_to("passed")
    assert (await library.act(later, "approve", deputy)).status_code == 404


async def test_a_school_adds_steps_and_can_take_none_of_the_circulars_away(library):
    await library.prescribe(steps=[DEPUTY, CHECK])
    material = await library.bring_to("submitted")
    assert material["allowedActions"] == ["confirm", "return", "withdraw"]
    assert (await library.act(material, "pass", LEAD)).json()["code"] == "review.step_open"
    assert await waiting_for(library, LEAD) == []
    assert await waiting_for(library, LIBRARIAN) == [material["id"]]
    confirmed = (await library.act(material, "confirm", LIBRARIAN)).json()
    assert (confirmed["state"], confirmed["reviews"][-1]["step"]) == ("submitted", "format_check")
    await library.act(material, "pass", LEAD)
    assert (await library.act(material, "approve", HEAD)).json()["step"] == "deputy"
    await library.act(material, "confirm", person("co-pho", "deputy"))
    assert (await library.act(material, "approve", HEAD)).json()["state"] == "published"
    for code in ("pass", "approve"):
        taken = await library.client.put(
            f"{SCHOOLS}/{SCHOOL_A}/review-policy", headers=HEAD, json={"steps": [CHECK | {"code": code}]}
        )
        assert (taken.status_code, taken.json()["code"]) == (422, "policy.steps_invalid")


async def test_what_is_under_review_keeps_the_steps_it_was_submitted_with(library):
    material = await library.bring_to("submitted")
    await library.prescribe(steps=[CHECK])
    assert (await library.act(material, "pass", LEAD)).status_code == 200


async def test_only_the_head_of_the_school_prescribes(library):
    strangers = (
        (LEAD, 403),
        (TEACHER, 403),
        (OFFICER, 403),
        (person("x", "head", org=SCHOOL_B), 404),
        (vendor(SCHOOL_A), 403),
    )
    for who, status in strangers:
        answer = await library.client.put(f"{SCHOOLS}/{SCHOOL_A}/review-policy", headers=who, json={})
        assert answer.status_code == status
        duty = {"person": "x", "task": "pass", "validFrom": "2026-01-01"}
        assert (await library.client.post(f"{SCHOOLS}/{SCHOOL_A}/duties", headers=who, json=duty)).status_code == status


async def test_a_batch_has_an_outcome_per_item(library):
    good, early = await library.bring_to("passed"), await library.bring_to("submitted")
    own = await library.create(HEAD)
    await library.act(own, "submit", HEAD)
    await library.act(own, "pass", LEAD)
    stale = await library.bring_to("passed")
    nowhere = "01890000-0000-7000-8000-000000000000"
    items = [{"materialId": each} for each in (early["id"], good["id"], nowhere, own["id"])]
    items.append({"materialId": stale["id"], "etag": '"1"'})
    answer = (await library.client.post(BATCH, headers=HEAD, json={"action": "approve", "items": items})).json()
    assert (answer["done"], answer["refused"]) == (1, 4)
    assert [item["materialId"] for item in answer["items"]] == [item["materialId"] for item in items]
    codes = [(item["problem"] or {}).get("code") for item in answer["items"]]
    assert codes == [
        "review.illegal_in_state",
        None,
        "material.unknown",
        "review.own_work",
        "precondition.failed",
    ]
    assert (await library.read(good, TEACHER)).json()["state"] == "published"
    assert (await library.read(stale, TEACHER)).json()["state"] == "passed"
    assert len(await library.envelopes()) == 1


async def test_remarks_on_a_version_are_for_its_author_and_reviewers(library):
    material = await library.bring_to("submitted")
    url = f"{PATH}/{material['id']}/comments"
    made = await library.client.post(url, headers=LEAD, json={"text": "Sai ở ví dụ 2", "position": 1, "place": "tr. 3"})
    assert made.status_code == 201
    await library.client.post(url, headers=TEACHER, json={"text": "Đã rõ"})
    listed = (await library.client.get(url, headers=HEAD)).json()["items"]
    assert [(remark["author"], remark["text"]) for remark in listed] == [
        ("thay-minh", "Sai ở ví dụ 2"),
        ("co-lan", "Đã rõ"),
    ]
    nothing = await library.client.post(url, headers=LEAD, json={"text": "x", "position": 9})
    assert nothing.json()["code"] == "file.unknown"
    assert (await library.client.get(url, headers=person("x", "teacher"))).status_code == 404


async def test_the_queue_in_sql_and_the_rule_in_python_are_the_same(library):
    await library.prescribe(steps=[CHECK, DEPUTY])
    made = [await library.bring_to("submitted") for _ in range(3)]
    poem = await library.create(subject="literature", grades=["8", "9"])
    await library.act(poem, "submit", TEACHER)
    for material in (made[1], made[2], poem):
        await library.act(material, "confirm", LIBRARIAN)
    for material in (made[2], poem):
        await library.act(material, "pass", LEAD)
    await library.act(poem, "confirm", person("co-pho", "deputy"))
    duties = [
        Duty("1", "pass", frozenset({"literature"}), frozenset()),
        Duty("2", "approve", frozenset(), frozenset({"8", "9", "10"})),
        Duty("3", "deputy", frozenset({"mathematics"}), frozenset()),
    ]
    held = [tuple(chosen) for size in range(3) for chosen in itertools.combinations(duties, size)]
    roles = [(), ("group_lead",), ("head",), ("librarian",), ("deputy",)]
    principal = Principal("user", "x", "portal", orgs=frozenset({SCHOOL_A}), roles=frozenset({"head"}))
    async with library.runtime.units.begin(EVERYTHING) as uow:
        reader = dataclasses.replace(await reader_of(uow, principal), schools=None)
        all_of_them = await materials.page(uow.session, reader, materials.Filters(), before=None, limit=100)
        for subject, role, some in itertools.product(("co-lan", "x"), roles, held):
            who = Person(subject, frozenset(role), some)
            turn = review.turn_at(SCHOOL_A, who.roles, some, subject)
            queue = await materials.queue_page(uow.session, reader, turn, after=None, limit=100)
            expected = {record.material.id for record in all_of_them if may_act(work_of(record.version), who)}
            assert {record.material.id for record in queue} == expected, who
