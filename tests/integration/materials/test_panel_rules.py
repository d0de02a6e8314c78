"""What keeps the panel honest: who sees what when, who decides, and that waiting tells nobody anything."""

import datetime as dt

import pytest
from sqlalchemy import text

from services.materials.domain.appraisal import MAX_REVIEWERS, rubrics
from services.materials.usecases.ask_reviewers import keep_panel
from shared.db.scope import EVERYTHING
from tests.integration.materials.panel import (
    API,
    APPRAISE,
    CITY_HEAD,
    OFFICER,
    REVIEWERS,
    SCHOOL_C,
    SCHOOL_D,
    SCORES,
    act,
    appoint,
    appraise,
    board,
    propose,
    settle_more,
    waiting,
)
from tests.integration.materials.shelf import DEPARTMENT, LEAD, PATH, PDF, SCHOOL_A, SCHOOL_B, TEACHER, person, vendor

CITY_LEAD = person("co-d", "teacher", org=SCHOOL_D, scope=APPRAISE)


@pytest.fixture
async def city(library):
    await settle_more(library)
    return library


async def proposed(library, *reviewers: str):
    for name in reviewers:
        await appoint(library, name)
    return await propose(library, await library.bring_to("published"))


async def read(library, proposal, who, path: str = ""):
    return await library.client.get(f"{API}/proposals/{proposal['id']}{path}", headers=who)


async def board_of(library, who) -> list[str]:
    return [item["id"] for item in (await library.client.get(f"{API}/proposals", headers=who)).json()["items"]]


async def test_a_proposal_that_waits_for_reviewers_is_told_of_once(city):
    await proposed(city, "thay-b")
    told = len(await city.envelopes("proposal"))
    for _ in range(3):
        assert await keep_panel(city.runtime.units) == 0
    assert len(await city.envelopes("proposal")) == told


async def test_a_lack_elsewhere_keeps_no_proposal_from_its_reviewers(city, monkeypatch):
    monkeypatch.setattr("services.materials.usecases.ask_reviewers._ROUND", 1)
    for name in ("thay-b", "co-c"):
        await appoint(city, name)
    poem = await city.create(subject="literature", grades=["8"])
    for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", person("co-hieu-truong", "head"))):
        await city.act(poem, action, who)
    assert (await propose(city, poem))["lacking"] == 2
    first, second = (
        await propose(city, await city.bring_to("published")),
        await propose(city, await city.bring_to("published")),
    )
    async with city.runtime.units.begin(EVERYTHING) as uow:
        for proposal in (first, second):
            await uow.session.execute(
                text("UPDATE appraisal SET due_at = now() - interval '1 second' WHERE proposal_id = :id"),
                {"id": proposal["id"]},
            )
    await appoint(city, "co-d")
    assert await keep_panel(city.runtime.units) == 2
    assert [item["title"] for item in await waiting(city, "co-d")] == ["Phân số bằng nhau"] * 2


async def test_a_reviewer_who_leads_as_well_sees_no_other_appraisal_before_handing_in_their_own(city):
    await appoint(city, "co-d", lead=True)
    proposal = await proposed(city, "thay-b")
    await appraise(city, "thay-b")
    before = (await read(city, proposal, REVIEWERS["co-d"])).json()
    assert (before["appraisals"], before["disagreements"]) == ([], [])
    await appraise(city, "co-d")
    assert len((await read(city, proposal, REVIEWERS["co-d"])).json()["appraisals"]) == 2


async def test_an_officer_who_was_asked_waits_with_looking_as_well(city):
    officer = person("can-bo-2", "department_officer", org=DEPARTMENT, scope=APPRAISE)
    seat = {"subjects": ["mathematics"], "levels": ["lower_secondary"], "validFrom": "2026-01-01"}
    member = seat | {"person": "can-bo-2", "schoolSourcedId": SCHOOL_D}
    assert (await city.client.post(f"{API}/panel/members", headers=OFFICER, json=member)).status_code == 201
    proposal = await proposed(city, "thay-b")
    await appraise(city, "thay-b")
    seen = (await read(city, proposal, officer)).json()
    assert (seen["appraisals"], seen["disagreements"]) == ([], [])
    assert (await act(city, proposal, "decline", officer, reason="x")).json()["code"] == "panel.decides_on_own"


async def test_who_appraised_it_does_not_decide_on_it(city):
    await appoint(city, "co-d", lead=True)
    proposal = await proposed(city, "thay-b")
    for name in ("thay-b", "co-d"):
        await appraise(city, name)
    for action, body in (("share", {}), ("decline", {"reason": "Trùng"}), ("ask-again", {})):
        answer = await act(city, proposal, action, REVIEWERS["co-d"], **body)
        assert (answer.status_code, answer.json()["code"]) == (403, "panel.decides_on_own")
    assert (await act(city, proposal, "share")).json()["state"] == "shared"


async def test_who_appraised_it_is_not_told_to_the_school(city):
    proposal = await proposed(city, "thay-b", "co-c")
    for name in ("thay-b", "co-c"):
        await appraise(city, name)
    await act(city, proposal, "return", reason="Bổ sung nguồn")
    for who in (CITY_HEAD, person("co-lan", "teacher", scope=APPRAISE)):
        answer = await read(city, proposal, who)
        assert [each["comment"] for each in answer.json()["appraisals"]] == ["Đã xem kĩ."] * 2
        for secret in ("thay-b", "co-c", SCHOOL_B, SCHOOL_C):
            assert f'"{secret}"' not in answer.text
    assert {each["reviewer"] for each in (await board(city, proposal))["appraisals"]} == {"thay-b", "co-c"}


async def test_an_officers_role_counts_at_the_department_only(city):
    proposal = await proposed(city, "thay-b", "co-c")
    for name in ("thay-b", "co-c"):
        await appraise(city, name)
    elsewhere = person("x", "department_officer", org=SCHOOL_B, scope=APPRAISE)
    assert (await read(city, proposal, elsewhere)).status_code == 404
    assert (await act(city, proposal, "share", elsewhere)).status_code == 404
    assert await board_of(city, elsewhere) == []
    of_the_school = person("y", "department_officer", org=SCHOOL_A, scope=APPRAISE)
    assert (await act(city, proposal, "share", of_the_school)).status_code == 403
    assert (await read(city, proposal, of_the_school)).json()["appraisals"] == []


async def test_a_system_is_no_person_of_the_school(city):
    proposal = await proposed(city, "thay-b", "co-c")
    for who in (vendor(SCHOOL_A, scope=APPRAISE), vendor(DEPARTMENT, scope=APPRAISE)):
        assert (await read(city, proposal, who)).status_code == 404
        assert await board_of(city, who) == []


async def test_a_lead_has_a_board_of_their_subject_and_reads_what_they_decide_on(city):
    await appoint(city, "co-d", lead=True)
    proposal = await proposed(city, "thay-b", "co-c")
    other = await city.bring_to("published")
    assert await board_of(city, CITY_LEAD) == [proposal["id"]]
    version = await read(city, proposal, CITY_LEAD, "/version")
    assert (version.status_code, version.json()["versionNumber"]) == (200, 1)
    assert (await read(city, proposal, CITY_LEAD, "/files/1")).content == PDF
    assert (await read(city, proposal, CITY_LEAD, "/files/9")).json()["code"] == "file.unknown"
    for material in (other, {"id": proposal["materialId"]}):
        for path in ("", "/file", "/versions", "/comments"):
            answer = await city.client.get(f"{PATH}/{material['id']}{path}", headers=CITY_LEAD)
            assert answer.status_code == 404
    assert (await city.client.get(PATH, headers=CITY_LEAD)).json()["items"] == []


async def test_nobody_else_reads_a_proposed_version_and_its_lead_no_longer_once_it_is_decided(city):
    await appoint(city, "co-d", lead=True)
    await appoint(city, "co-cung-truong", lead=True)
    proposal = await proposed(city, "thay-b", "co-c")
    outsiders = (REVIEWERS["co-cung-truong"], CITY_HEAD, person("x", "head", org=SCHOOL_D, scope=APPRAISE))
    for who in (*outsiders, vendor(SCHOOL_D, scope=APPRAISE)):
        for path in ("/version", "/files/1"):
            assert (await read(city, proposal, who, path)).status_code == 404
    for each in (await board(city, proposal))["appraisals"]:
        await appraise(city, each["reviewer"])
    await act(city, proposal, "decline", reason="Trùng")
    assert (await read(city, proposal, CITY_LEAD, "/version")).status_code == 404


async def test_a_reviewer_who_now_belongs_to_the_authors_school_appraises_it_no_longer(city):
    proposal = await proposed(city, "thay-b", "co-c")
    (item,) = await waiting(city, "thay-b")
    moved = person("thay-b", "teacher", org=SCHOOL_A, scope=APPRAISE)
    assert (await city.client.get(f"{API}/appraisals/{item['appraisalId']}", headers=moved)).status_code == 404
    assert {each["state"] for each in (await board(city, proposal))["appraisals"]} == {"assigned"}


async def test_a_reviewer_of_two_schools_gets_the_work_of_neither(city):
    body = {"person": "thay-hai-truong", "subjects": ["mathematics"], "levels": ["lower_secondary"]}
    for school, subjects in ((SCHOOL_D, ["mathematics"]), (SCHOOL_A, ["literature"])):
        seat = body | {"schoolSourcedId": school, "subjects": subjects, "validFrom": "2026-01-01"}
        assert (await city.client.post(f"{API}/panel/members", headers=OFFICER, json=seat)).status_code == 201
    proposal = await proposed(city, "thay-b")
    assert [each["reviewer"] for each in (await board(city, proposal))["appraisals"]] == ["thay-b"]


async def test_more_reviewers_than_the_most_are_refused_and_the_proposal_stays_decidable(city):
    proposal = await proposed(city, "thay-b", "co-c")
    for name in ("thay-b", "co-c"):
        await appraise(city, name)
    async with city.runtime.units.begin(EVERYTHING) as uow:
        await uow.session.execute(text("UPDATE proposal SET required = :most"), {"most": MAX_REVIEWERS})
    answer = await act(city, proposal, "ask-again")
    assert (answer.status_code, answer.json()["code"]) == (409, "proposal.asked_enough")
    assert (await board(city, proposal))["state"] == "appraised"


async def test_without_a_number_the_newest_version_with_both_steps_is_proposed(city):
    material = await city.bring_to("published")
    await city.client.post(f"{PATH}/{material['id']}/versions", headers=TEACHER)
    assert (await propose(city, material))["versionNumber"] == 1


async def test_an_appraisal_is_due_after_the_days_of_its_rubric(city):
    proposal = await proposed(city, "thay-b", "co-c")
    days = dt.timedelta(days=rubrics()[proposal["rubric"]].days)
    for each in (await board(city, proposal))["appraisals"]:
        assert dt.datetime.fromisoformat(each["dueAt"]) - dt.datetime.fromisoformat(each["assignedAt"]) == days


async def test_a_lead_asks_a_reviewer_of_their_own_choosing_by_the_same_rules(city):
    await appoint(city, "co-d", lead=True)
    proposal = await proposed(city)
    await appoint(city, "co-cung-truong")
    await appoint(city, "co-c")
    url = f"{API}/proposals/{proposal['id']}/reviewers"
    for someone in ("co-cung-truong", "co-lan", "nobody", "co-d"):
        answer = await city.client.post(url, headers=OFFICER, json={"person": someone})
        assert (answer.status_code, answer.json()["code"]) == (422, "reviewer.unsuitable")
    assert (await city.client.post(url, headers=CITY_HEAD, json={"person": "co-c"})).status_code == 403
    given = (await city.client.post(url, headers=OFFICER, json={"person": "co-c"})).json()
    assert ([each["reviewer"] for each in given["appraisals"]], given["lacking"]) == (["co-d", "co-c"], 0)
    full = await city.client.post(url, headers=OFFICER, json={"person": "co-c"})
    assert (full.status_code, full.json()["code"]) == (409, "proposal.asked_enough")


async def test_a_batch_of_decisions_has_an_outcome_per_item(city):
    early = await proposed(city, "thay-b", "co-c")
    good, stale, last = [await propose(city, await city.bring_to("published")) for _ in range(3)]
    for name in ("thay-b", "co-c"):
        for item in (await waiting(city, name))[1:]:
            said = {"scores": SCORES, "recommendation": "share", "comment": "Đã xem."}
            url = f"{API}/appraisals/{item['appraisalId']}/submit"
            assert (await city.client.post(url, headers=REVIEWERS[name], json=said)).status_code == 200
    nowhere = "01890000-0000-7000-8000-000000000000"
    items = [{"proposalId": each} for each in (last["id"], early["id"], good["id"], nowhere)]
    items.append({"proposalId": stale["id"], "etag": '"1"'})
    url, body = f"{API}/proposal-batches", {"action": "share", "items": items}
    answer = (await city.client.post(url, headers=OFFICER, json=body)).json()
    assert (answer["done"], answer["refused"]) == (2, 3)
    assert [item["proposalId"] for item in answer["items"]] == [item["proposalId"] for item in items]
    assert [(item["problem"] or {}).get("code") for item in answer["items"]] == [
        None,
        "proposal.illegal_in_state",
        None,
        "proposal.unknown",
        "precondition.failed",
    ]
    assert (await board(city, stale))["state"] == "appraised"
    assert len(await city.envelopes("shelf")) == await city.count("shelf_item") == 2
    twice = {"action": "share", "items": [items[0], items[0]]}
    assert (await city.client.post(url, headers=OFFICER, json=twice)).json()["code"] == "batch.invalid"
