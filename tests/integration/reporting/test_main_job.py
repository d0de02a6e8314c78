"""The way of a report: prefilled, filled in, submitted, returned, accepted, read by the portal."""

import datetime as dt
import json

import pytest
from sqlalchemy import text

from shared.contracts.reporting_v1 import SubmissionAccepted
from shared.db.scope import EVERYTHING
from shared.messaging.envelope import decode
from tests.integration.reporting.stage import DAY, errors, etag, now, value


async def events(city) -> list[SubmissionAccepted]:
    async with city.units.begin(EVERYTHING) as uow:
        rows = await uow.session.scalars(text("SELECT envelope FROM outbox ORDER BY position"))
        return [SubmissionAccepted.model_validate(decode(row).data) for row in rows]


async def test_prefilled_numbers_equal_the_events_and_carry_source_and_as_of(city):
    await city.found()
    told = await city.roster("thcs-a", learners=731, teachers=44, classes=17)
    materials = [await city.material("thcs-a", at=now() - days * DAY) for days in (3, 2)]
    await city.campaign()
    report = await city.submission("thcs-a")
    for name, number in (("learners", 731), ("teachers", 44), ("classes", 17)):
        shown = value(report, name)
        assert (shown["value"], shown["prefilled"]["value"], shown["entered"]) == (number, number, None)
        assert shown["prefilled"]["source"] == {
            "service": "sync",
            "event": "sync.roster.committed.v1",
            "importId": str(told.import_id),
        }
        assert dt.datetime.fromisoformat(shown["prefilled"]["asOf"]) == told.committed_at
    counted = value(report, "approvedMaterials")["prefilled"]
    assert (counted["value"], counted["source"]["materialId"]) == (2, str(materials[-1]))
    assert counted["source"]["event"] == "materials.material.approved.v1"


async def test_a_number_without_a_source_is_left_open_and_not_invented(city):
    await city.found()
    await city.campaign()
    shown = value(await city.submission("thcs-a"), "approvedMaterials")
    assert (shown["value"], shown["prefilled"]) == (None, None)


async def test_a_report_is_filled_submitted_accepted_and_read_by_the_portal(city):
    campaign = await city.ready_to_submit()
    submitted = await city.submit("thcs-a")
    assert (submitted["state"], submitted["late"]) == ("submitted", False)
    answer = await city.department_officer().post(f"/submissions/{submitted['id']}/accept")
    assert answer.status_code == 200
    shown = (await city.portal().get(f"/submissions/{submitted['id']}")).json()
    assert shown["state"] == "accepted"
    assert [(step["action"], step["from"], step["to"], step["by"]) for step in shown["history"]] == [
        ("edit", "open", "open", "hieu-truong-thcs-a"),
        ("submit", "open", "submitted", "hieu-truong-thcs-a"),
        ("accept", "submitted", "accepted", "chuyen-vien-so"),
    ]
    (event,) = await events(city)
    assert (str(event.submission_id), str(event.campaign_id)) == (submitted["id"], campaign["id"])
    assert (event.school_sourced_id, event.template, event.late) == ("thcs-a", "semester-1@1", False)
    assert event.submitted_at == dt.datetime.fromisoformat(shown["submittedAt"])


async def test_numbers_stay_fresh_until_the_head_submits(city):
    await city.ready_to_submit()
    before = await city.submission("thcs-a")
    told = await city.roster("thcs-a", learners=600)
    after = await city.submission("thcs-a")
    assert value(after, "learners")["value"] == 600
    assert value(after, "learners")["prefilled"]["source"]["importId"] == str(told.import_id)
    assert after["version"] == before["version"] + 1


async def test_what_the_head_read_is_what_the_head_certifies(city):
    await city.ready_to_submit()
    read = await city.fill("thcs-a")
    await city.roster("thcs-a", learners=600)
    answer = await city.head("thcs-a").post(f"/submissions/{read['id']}/submit", if_match=etag(read))
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition.failed")


async def test_a_change_after_submitting_is_visible_and_changes_no_value(city):
    await city.ready_to_submit()
    await city.submit("thcs-a")
    told = await city.roster("thcs-a", learners=600)
    report = await city.submission("thcs-a")
    assert report["changedSinceSubmitted"] is True
    shown = value(report, "learners")
    assert (shown["value"], shown["prefilled"]["value"]) == (512, 512)
    assert shown["changedSinceSubmitted"]["value"] == 600
    assert shown["changedSinceSubmitted"]["source"]["importId"] == str(told.import_id)
    assert value(report, "teachers")["changedSinceSubmitted"] is None
    (line,) = (await city.portal().get("/submissions", school="thcs-a")).json()["items"]
    assert line["changedSinceSubmitted"] is True


async def test_the_same_numbers_again_are_no_change_since_submitted(city):
    await city.ready_to_submit()
    await city.submit("thcs-a")
    await city.roster("thcs-a")
    assert (await city.submission("thcs-a"))["changedSinceSubmitted"] is False


async def test_a_returned_report_follows_the_sources_again_and_is_submitted_again(city):
    await city.ready_to_submit()
    submitted = await city.submit("thcs-a")
    await city.roster("thcs-a", learners=600)
    answer = await city.commune_officer("xa-a").post(
        f"/submissions/{submitted['id']}/return", {"reason": "Thiếu lớp 9"}
    )
    assert answer.status_code == 200, answer.text
    returned = answer.json()
    assert (returned["state"], value(returned, "learners")["value"]) == ("returned", 600)
    assert returned["history"][-1]["reason"] == "Thiếu lớp 9"
    certified = next(step for step in returned["history"] if step["action"] == "submit")
    assert certified["content"]["learners"] == 512
    again = await city.head("thcs-a").post(f"/submissions/{submitted['id']}/submit", if_match=etag(returned))
    assert (again.status_code, again.json()["state"]) == (200, "submitted")


async def test_a_return_needs_a_reason(city):
    await city.ready_to_submit()
    submitted = await city.submit("thcs-a")
    for body in (None, {}, {"reason": ""}, {"reason": "   "}):
        answer = await city.department_officer().post(f"/submissions/{submitted['id']}/return", body)
        assert answer.status_code == 422
    assert (await city.submission("thcs-a"))["state"] == "submitted"


async def test_overriding_a_prefilled_number_without_a_reason_is_refused(city):
    await city.ready_to_submit()
    report = await city.submission("thcs-a")
    body = {"values": {"learners": {"value": 500}}}
    answer = await city.head("thcs-a").patch(f"/submissions/{report['id']}", body, if_match=etag(report))
    assert answer.status_code == 422
    assert errors(answer) == [("/values/learners/reason", "override.reason_missing")]
    assert value(await city.submission("thcs-a"), "learners")["value"] == 512


async def test_an_override_keeps_both_values_the_reason_and_the_person(city):
    await city.ready_to_submit()
    report = await city.submission("thcs-a")
    body = {"values": {"learners": {"value": 500, "reason": "12 em chưa cập nhật chuyển đi"}}}
    answer = await city.data_officer("thcs-a").patch(f"/submissions/{report['id']}", body, if_match=etag(report))
    shown = value(answer.json(), "learners")
    assert (shown["value"], shown["prefilled"]["value"], shown["overridden"]) == (500, 512, True)
    assert (shown["entered"]["by"], shown["entered"]["reason"]) == ("can-bo-thcs-a", "12 em chưa cập nhật chuyển đi")
    edit = answer.json()["history"][-1]["content"]["learners"]
    assert (edit["prefilled"], edit["from"], edit["to"]) == (512, None, 500)


async def test_taking_an_override_back_returns_to_the_source(city):
    await city.ready_to_submit()
    report = await city.submission("thcs-a")
    head, path = city.head("thcs-a"), f"/submissions/{report['id']}"
    typed = await head.patch(path, {"values": {"learners": {"value": 500, "reason": "vì"}}}, if_match=etag(report))
    back = await head.patch(path, {"values": {"learners": {"value": None}}}, if_match=etag(typed.json()))
    shown = value(back.json(), "learners")
    assert (shown["value"], shown["entered"], shown["overridden"]) == (512, None, False)


async def test_a_report_that_is_not_complete_is_refused_with_everything_that_is_missing(city):
    await city.found()
    await city.campaign()
    report = await city.submission("thpt-c")
    answer = await city.head("thpt-c").post(f"/submissions/{report['id']}/submit", if_match=etag(report))
    assert (answer.status_code, answer.json()["code"]) == (422, "submission.incomplete")
    assert [pointer.removeprefix("/values/") for pointer, _ in errors(answer)] == [
        entry["name"] for entry in report["fields"]
    ]


async def test_submitting_twice_is_a_conflict(city):
    await city.ready_to_submit()
    submitted = await city.submit("thcs-a")
    answer = await city.head("thcs-a").post(f"/submissions/{submitted['id']}/submit", if_match=etag(submitted))
    assert (answer.status_code, answer.json()["code"]) == (409, "submission.illegal_move")
    assert len([step for step in (await city.submission("thcs-a"))["history"] if step["action"] == "submit"]) == 1


async def test_accepting_twice_is_a_conflict_and_one_event(city):
    await city.ready_to_submit()
    submitted = await city.submit("thcs-a")
    officer = city.department_officer()
    answers = [(await officer.post(f"/submissions/{submitted['id']}/accept")).status_code for _ in range(2)]
    assert answers == [200, 409]
    assert len(await events(city)) == 1


@pytest.mark.parametrize(("method", "action"), [("patch", ""), ("post", "/submit")])
async def test_a_decision_on_an_older_version_is_refused(city, method, action):
    await city.ready_to_submit()
    filled = await city.fill("thcs-a")
    head, path = city.head("thcs-a"), f"/submissions/{filled['id']}{action}"
    body: dict[str, object] = {"values": {"causes": {"value": []}}}
    stale = await getattr(head, method)(path, body, if_match=f'"{filled["version"] - 1}"')
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition.failed")
    blind = await getattr(head, method)(path, body)
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition.required")


async def test_the_same_idempotency_key_accepts_once_and_answers_the_same(city):
    await city.ready_to_submit()
    submitted = await city.submit("thcs-a")
    officer, path = city.department_officer(), f"/submissions/{submitted['id']}/accept"
    first = await officer.post(path, idempotency_key="nhan-1")
    second = await officer.post(path, idempotency_key="nhan-1")
    assert (first.status_code, second.status_code) == (200, 200)
    assert json.loads(first.content) == json.loads(second.content)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(await events(city)) == 1


async def test_the_same_idempotency_key_opens_one_campaign(city):
    await city.found()
    officer = city.department_officer()
    body = {
        "template": "semester-1",
        "schoolYear": "2025-2026",
        "semester": 1,
        "notice": {"number": "1/TB", "date": "2025-12-01", "issuer": "Sở GDĐT"},
        "deadline": {"date": "2026-01-16", "inclusive": False},
        "levels": ["lower_secondary"],
    }
    answers = [await officer.post("/campaigns", body, idempotency_key="mo-dot") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert len((await officer.get("/campaigns")).json()["items"]) == 1
