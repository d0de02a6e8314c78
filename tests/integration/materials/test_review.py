import asyncio
import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.scope import EVERYTHING
from tests.integration.materials.shelf import HEAD, LEAD, PATH, SCHOOL_A, TEACHER, person


async def test_a_material_is_usable_only_after_both_steps(library):
    material = await library.create()
    for action, who, state in (
        ("submit", TEACHER, "submitted"),
        ("pass", LEAD, "passed"),
        ("approve", HEAD, "published"),
    ):
        assert material["usable"] is False
        answer = await library.act(material, action, who)
        assert answer.status_code == 200
        material = answer.json()
        assert material["state"] == state
    assert material["usable"] is True
    assert [(step["action"], step["actor"]) for step in material["reviews"]] == [
        ("submit", "co-lan"),
        ("pass", "thay-minh"),
        ("approve", "co-hieu-truong"),
        ("publish", "co-hieu-truong"),
    ]


async def test_the_head_cannot_skip_the_subject_group(library):
    material = await library.bring_to("submitted")
    answer = await library.act(material, "approve", HEAD)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "review.illegal_in_state")
    assert problem["allowedActions"] == ["pass", "return", "withdraw"]


async def test_the_subject_group_cannot_approve_for_the_head(library):
    material = await library.bring_to("passed")
    answer = await library.act(material, "approve", LEAD)
    assert (answer.status_code, answer.json()["code"]) == (403, "role.missing")


@pytest.mark.parametrize("action", ["pass", "return"])
async def test_nobody_passes_or_returns_their_own_work(library, action):
    material = await library.create(LEAD)
    await library.act(material, "submit", LEAD)
    answer = await library.act(material, action, LEAD, **({"reason": "x"} if action == "return" else {}))
    assert (answer.status_code, answer.json()["code"]) == (403, "review.own_work")


async def test_nobody_approves_their_own_work(library):
    material = await library.create(HEAD)
    await library.act(material, "submit", HEAD)
    await library.act(material, "pass", LEAD)
    answer = await library.act(material, "approve", HEAD)
    assert (answer.status_code, answer.json()["code"]) == (403, "review.own_work")
    assert (await library.envelopes()) == []


async def test_only_the_author_submits(library):
    material = await library.create()
    answer = await library.act(material, "submit", LEAD)
    assert (answer.status_code, answer.json()["code"]) == (403, "review.author_only")


@pytest.mark.parametrize(("state", "who"), [("submitted", LEAD), ("passed", HEAD)])
async def test_a_return_needs_a_reason_and_goes_back_to_the_author(library, state, who):
    material = await library.bring_to(state)
    for body in ({"reason": "   "}, {}):
        refused = await library.client.post(f"{PATH}/{material['id']}/return", headers=who, json=body)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/reason"
    returned = (await library.act(material, "return", who, reason=" Thiếu nguồn trích dẫn ")).json()
    assert (returned["state"], returned["passedAt"]) == ("returned", None)
    assert returned["reviews"][-1]["reason"] == "Thiếu nguồn trích dẫn"
    again = (await library.act(material, "submit", TEACHER)).json()
    assert again["state"] == "submitted"
    assert len(again["reviews"]) == len(material["reviews"]) + 2


async def test_a_return_by_the_one_whose_turn_it_is_not_is_refused(library):
    submitted, passed = await library.bring_to("submitted"), await library.bring_to("passed")
    assert (await library.act(submitted, "return", HEAD, reason="x")).json()["code"] == "role.missing"
    assert (await library.act(passed, "return", LEAD, reason="x")).json()["code"] == "role.missing"


async def test_after_a_return_by_the_head_the_subject_group_must_pass_again(library):
    material = await library.bring_to("passed")
    await library.act(material, "return", HEAD, reason="Sai đáp án câu 3")
    await library.act(material, "submit", TEACHER)
    assert (await library.act(material, "approve", HEAD)).status_code == 409


async def test_an_approval_needs_the_review_scope(library):
    material = await library.bring_to("passed")
    narrow = person("co-hieu-truong", "head", scope="materials.read materials.write")
    answer = await library.act(material, "approve", narrow)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope.missing")


async def test_an_approval_tells_exactly_one_event_with_ids_and_no_names(library):
    material = await library.bring_to("published")
    (envelope,) = await library.envelopes()
    assert envelope["type"] == "materials.material.approved.v1"
    assert envelope["subject"] == f"material:{material['id']}"
    assert envelope["aggregateversion"] == 1
    data = envelope["data"]
    assert dt.datetime.fromisoformat(data.pop("passedAt")) == dt.datetime.fromisoformat(material["passedAt"])
    assert dt.datetime.fromisoformat(data.pop("approvedAt")) == dt.datetime.fromisoformat(material["approvedAt"])
    assert data == {
        "materialId": material["id"],
        "versionId": material["versionId"],
        "schoolSourcedId": SCHOOL_A,
        "subject": "mathematics",
        "grades": ["6"],
        "fileSha256": material["file"]["sha256"],
    }


async def test_a_retry_of_an_approval_with_the_same_key_has_one_effect_and_one_event(library):
    material = await library.bring_to("passed")
    headers = HEAD | {"Idempotency-Key": "approve-1"}
    answers = [await library.client.post(f"{PATH}/{material['id']}/approve", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].headers["ETag"] == answers[1].headers["ETag"]
    assert len(await library.envelopes()) == 1
    without_key = await library.act(material, "approve", HEAD)
    assert without_key.status_code == 409


WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def waiting(library) -> int:
    """How many sessions wait for a lock, asked in a transaction of its own: what one sees there never changes."""
    async with library.runtime.units.begin(EVERYTHING) as uow:
        number: int = (await uow.session.execute(WAITING)).scalar_one()
    return number


async def test_of_several_approvals_at_once_one_wins(library):
    material = await library.bring_to("passed")
    async with library.runtime.units.begin(EVERYTHING) as uow:
        # Everyone has begun and none can go on: what they have read by now is what they would decide on.
        await uow.session.execute(text("SELECT 1 FROM material FOR UPDATE"))
        tasks = [asyncio.create_task(library.act(material, "approve", HEAD)) for _ in range(4)]
        async with asyncio.timeout(60):
            while await waiting(library) < len(tasks):
                await asyncio.sleep(0.01)
    answers = await asyncio.gather(*tasks)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(await library.envelopes()) == 1


async def test_a_decision_on_an_older_state_is_stale(library):
    material = await library.bring_to("submitted")
    url = f"{PATH}/{material['id']}"
    read = await library.client.get(url, headers=LEAD)
    await library.act(material, "return", LEAD, reason="Sai")
    await library.act(material, "submit", TEACHER)
    late = await library.client.post(f"{url}/pass", headers=LEAD | {"If-Match": read.headers["ETag"]})
    assert (late.status_code, late.json()["code"]) == (412, "precondition.failed")
    now = await library.client.get(url, headers=LEAD)
    assert (
        await library.client.post(f"{url}/pass", headers=LEAD | {"If-Match": now.headers["ETag"]})
    ).status_code == 200


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE material_version SET title = 'khác'",
        "UPDATE material_version SET grades = ARRAY['9']",
        "UPDATE review_step SET reason = 'khác'",
        "DELETE FROM review_step",
        "DELETE FROM material_version",
        "UPDATE version_file SET name = 'khác'",
        "INSERT INTO version_file SELECT version_id, 2, school_sourced_id, name, sha256 FROM version_file",
        "UPDATE material_version SET state = 'approved'",
    ],
)
async def test_the_database_keeps_what_was_submitted_and_how_it_was_reviewed(library, statement):
    await library.bring_to("submitted")
    with pytest.raises(DBAPIError):
        async with library.runtime.units.begin(EVERYTHING) as uow:
            await uow.session.execute(text(statement))
