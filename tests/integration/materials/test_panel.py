import asyncio
import uuid

import pytest
from sqlalchemy import text

from services.materials.usecases.ask_reviewers import keep_panel
from shared.db.scope import EVERYTHING
from tests.integration.materials.panel import (
    API,
    APPRAISE,
    CITY_HEAD,
    OFFICER,
    REVIEWERS,
    SCHOOL_D,
    SCORES,
    act,
    appoint,
    appraise,
    board,
    propose,
    settle_more,
    shared,
    waiting,
)
from tests.integration.materials.shelf import (
    HEAD,
    LEAD,
    PATH,
    PDF,
    SCHOOL_A,
    SCHOOL_B,
    TEACHER,
    metadata,
    person,
    vendor,
)


@pytest.fixture
async def city(library):
    await settle_more(library)
    return library


async def test_from_a_school_to_the_citys_shelf(city):
    nominated = await city.client.post(
        f"{API}/panel/nominations",
        headers=person("hieu-truong-b", "head", org=SCHOOL_B, scope=APPRAISE),
        json={
            "person": "thay-b",
            "schoolSourcedId": SCHOOL_B,
            "subjects": ["mathematics"],
            "levels": ["lower_secondary"],
        },
    )
    url = f"{API}/panel/members/{nominated.json()['id']}/appoint"
    assert (await city.client.post(url, headers=OFFICER, json={"validFrom": "2026-01-01"})).status_code == 200
    await appoint(city, "co-c")
    material = await city.bring_to("published")
    proposal = await propose(city, material)
    assert (proposal["state"], proposal["lacking"], proposal["appraisals"]) == ("proposed", 0, [])
    early = await act(city, proposal, "share")
    assert (early.status_code, early.json()["code"]) == (409, "proposal.illegal_in_state")
    first = (await appraise(city, "thay-b")).json()
    assert first["appraisal"]["scores"]["accuracy"] == "22.5"
    assert (await board(city, proposal))["state"] == "proposed"
    await appraise(city, "co-c", accuracy="5")
    seen = await board(city, proposal)
    assert (seen["state"], seen["disagreements"]) == ("appraised", ["accuracy"])
    done = await act(city, proposal, "share")
    assert done.json()["state"] == "shared"
    for who in (person("giao-vien", "teacher", org=SCHOOL_D), vendor(SCHOOL_B), TEACHER):
        item = (await city.client.get(f"{API}/shelf/{material['id']}", headers=who)).json()
        assert (item["title"], item["versionNumber"], item["public"]) == (material["title"], 1, True)
        file = await city.client.get(f"{API}/shelf/{material['id']}/files/1", headers=who)
        assert file.content == PDF
    assert [step["action"] for step in item["history"]] == [
        *("submit", "pass", "approve", "publish", "propose", "appraise", "appraise", "share")
    ]
    assert "thay-b" not in str(item["history"])
    assert "thay-minh" not in str(item["history"])
    told = [envelope["data"]["shared"] for envelope in await city.envelopes("shelf")]
    assert told == [True]


async def test_school_and_city_have_versions_of_their_own_side_by_side(city):
    material = await shared(city)
    url = f"{PATH}/{material['id']}"
    for _ in range(2):
        await city.client.post(f"{url}/versions", headers=TEACHER)
        for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)):
            assert (await city.act(material, action, who)).status_code == 200
    assert (await city.read(material, TEACHER)).json()["inUse"] == 3
    item = (await city.client.get(f"{API}/shelf/{material['id']}", headers=TEACHER)).json()
    assert item["versionNumber"] == 1
    proposal = await propose(city, material, version=2)
    for name in ("thay-b", "co-c"):
        await appraise(city, name)
    await act(city, proposal, "share")
    item = (await city.client.get(f"{API}/shelf/{material['id']}", headers=TEACHER)).json()
    assert item["versionNumber"] == 2
    listed = (await city.client.get(f"{API}/proposals", headers=OFFICER)).json()["items"]
    assert [(each["versionNumber"], each["state"]) for each in listed] == [(2, "shared"), (1, "replaced")]
    told = [(each["data"]["versionNumber"], each["data"]["state"]) for each in await city.envelopes("proposal")]
    assert told[-2:] == [(1, "replaced"), (2, "shared")]


async def test_reviewers_are_never_of_the_authors_school_and_a_lack_is_seen_and_filled(city):
    await appoint(city, "co-cung-truong")
    await appoint(city, "thay-b")
    proposal = await propose(city, await city.bring_to("published"))
    assert proposal["lacking"] == 1
    assert [each["reviewer"] for each in (await board(city, proposal))["appraisals"]] == ["thay-b"]
    assert await keep_panel(city.runtime.units) == 0
    await appoint(city, "co-d")
    assert await keep_panel(city.runtime.units) == 1
    assert [each["reviewer"] for each in (await board(city, proposal))["appraisals"]] == ["thay-b", "co-d"]


async def test_two_proposals_at_once_do_not_load_the_same_reviewers(city):
    for name in ("thay-b", "co-c", "co-d", "thay-d"):
        await appoint(city, name)
    found = [await city.bring_to("published") for _ in range(2)]
    made = await asyncio.gather(*(propose(city, material) for material in found))
    asked = [{each["reviewer"] for each in (await board(city, proposal))["appraisals"]} for proposal in made]
    assert asked[0] | asked[1] == {"thay-b", "co-c", "co-d", "thay-d"}
    assert not asked[0] & asked[1]


async def test_a_reviewer_writes_about_single_criteria(city):
    for name in ("thay-b", "co-c"):
        await appoint(city, name)
    proposal = await propose(city, await city.bring_to("published"))
    (item,) = await waiting(city, "thay-b")
    url = f"{API}/appraisals/{item['appraisalId']}/submit"
    said = {"scores": SCORES, "recommendation": "return", "comment": "Cần sửa."}
    wrong = await city.client.post(
        url, headers=REVIEWERS["thay-b"], json=said | {"remarks": {"colour": "Đẹp", "accuracy": "Hình 2 sai"}}
    )
    assert [fault["pointer"] for fault in wrong.json()["errors"]] == ["/remarks/colour"]
    remarks = {"accuracy": "Hình 2 vẽ sai tỉ lệ.", "rights": "Thiếu nguồn hình 3."}
    done = await city.client.post(url, headers=REVIEWERS["thay-b"], json=said | {"remarks": remarks})
    assert done.json()["appraisal"]["remarks"] == remarks
    (seen,) = [each for each in (await board(city, proposal))["appraisals"] if each["reviewer"] == "thay-b"]
    assert seen["remarks"] == remarks


async def test_an_overdue_reviewer_is_replaced_and_stays_in_the_history(city):
    for name in ("thay-b", "co-c", "co-d"):
        await appoint(city, name)
    proposal = await propose(city, await city.bring_to("published"))
    asked = [each["reviewer"] for each in (await board(city, proposal))["appraisals"]]
    (spare,) = {"thay-b", "co-c", "co-d"} - set(asked)
    late = asked[0]
    async with city.runtime.units.begin(EVERYTHING) as uow:
        await uow.session.execute(
            text("UPDATE appraisal SET due_at = now() - interval '1 second' WHERE reviewer = :who"), {"who": late}
        )
    overdue = (await city.client.get(f"{API}/proposals", headers=OFFICER, params={"overdue": True})).json()["items"]
    assert [each["id"] for each in overdue] == [proposal["id"]]
    assert await keep_panel(city.runtime.units) == 1
    assert await keep_panel(city.runtime.units) == 0
    states = {each["reviewer"]: each["state"] for each in (await board(city, proposal))["appraisals"]}
    assert states == {late: "overdue", asked[1]: "assigned", spare: "assigned"}
    assert await waiting(city, late) == []
    assert len(await waiting(city, spare)) == 1
    told = [envelope["data"]["reviewers"] for envelope in await city.envelopes("proposal")]
    assert told[-1] == [spare]


async def test_the_load_is_spread_over_the_panel(city):
    for name in ("thay-b", "co-c", "co-d"):
        await appoint(city, name)
    for _ in range(3):
        await propose(city, await city.bring_to("published"))
    assert [len(await waiting(city, name)) for name in ("thay-b", "co-c", "co-d")] == [2, 2, 2]


async def test_a_reviewer_sees_the_version_they_were_asked_about_and_nothing_else(city):
    for name in ("thay-b", "co-c"):
        await appoint(city, name)
    material, other = await city.bring_to("published"), await city.bring_to("published")
    proposal = await propose(city, material)
    (item,) = await waiting(city, "thay-b")
    url = f"{API}/appraisals/{item['appraisalId']}"
    seen = await city.client.get(url, headers=REVIEWERS["thay-b"])
    assert seen.json()["material"]["id"] == material["id"]
    assert "reviews" not in seen.json()["material"]
    assert (await city.client.get(f"{url}/files/1", headers=REVIEWERS["thay-b"])).content == PDF
    for each in (material, other):
        assert (await city.read(each, REVIEWERS["thay-b"])).status_code == 404
    for name in ("co-c", "co-d"):
        for path in (url, f"{url}/files/1"):
            assert (await city.client.get(path, headers=REVIEWERS[name])).status_code == 404
    await appraise(city, "thay-b")
    assert (
        "22.5"
        not in (
            await city.client.get(
                f"{API}/appraisals/{(await waiting(city, 'co-c'))[0]['appraisalId']}", headers=REVIEWERS["co-c"]
            )
        ).text
    )
    await appraise(city, "co-c")
    await act(city, proposal, "decline", reason="Trùng với học liệu đã có")
    assert (await city.client.get(url, headers=REVIEWERS["thay-b"])).status_code == 404
    assert (await city.client.get(f"{url}/files/1", headers=REVIEWERS["thay-b"])).status_code == 404


async def test_the_school_sees_the_appraisals_once_it_is_decided(city):
    for name in ("thay-b", "co-c"):
        await appoint(city, name)
    proposal = await propose(city, await city.bring_to("published"))
    for name in ("thay-b", "co-c"):
        await appraise(city, name, "return")
    url = f"{API}/proposals/{proposal['id']}"
    assert (await city.client.get(url, headers=CITY_HEAD)).json()["appraisals"] == []
    assert (await act(city, proposal, "return")).status_code == 422
    await act(city, proposal, "return", reason="Bổ sung nguồn")
    assert len((await city.client.get(url, headers=CITY_HEAD)).json()["appraisals"]) == 2
    stranger = person("x", "head", org=SCHOOL_D, scope=APPRAISE)
    assert (await city.client.get(url, headers=stranger)).status_code == 404


async def test_a_lead_may_ask_one_more_when_the_two_disagree(city):
    for name in ("thay-b", "co-c", "co-d"):
        await appoint(city, name)
    proposal = await propose(city, await city.bring_to("published"))
    for each in (await board(city, proposal))["appraisals"]:
        await appraise(city, each["reviewer"], "share" if each["reviewer"] == "thay-b" else "decline")
    again = (await act(city, proposal, "ask-again")).json()
    assert (again["state"], again["required"], len(again["appraisals"])) == ("proposed", 3, 3)


@pytest.mark.parametrize("state", ["submitted", "passed"])
async def test_only_a_version_with_both_steps_is_proposed(city, state):
    material = await city.bring_to(state)
    answer = await city.client.post(f"{PATH}/{material['id']}/propose", headers=CITY_HEAD)
    assert (answer.status_code, answer.json()["code"]) == (409, "proposal.not_approved")


async def test_who_may_do_what(city):
    material = await city.bring_to("published")
    teacher = person("co-lan", "teacher", scope=APPRAISE)
    assert (await city.client.post(f"{PATH}/{material['id']}/propose", headers=teacher)).status_code == 403
    for name in ("thay-b", "co-c"):
        await appoint(city, name)
    proposal = await propose(city, material)
    again = await city.client.post(f"{PATH}/{material['id']}/propose", headers=CITY_HEAD)
    assert (again.status_code, again.json()["code"]) == (409, "proposal.exists")
    for name in ("thay-b", "co-c"):
        await appraise(city, name)
    assert (await act(city, proposal, "share", CITY_HEAD)).json()["code"] == "panel.lead_only"
    assert (await act(city, proposal, "share", REVIEWERS["thay-b"])).status_code == 404
    outsider = person("x", "head", org=SCHOOL_B, scope=APPRAISE)
    body = {"person": "y", "schoolSourcedId": SCHOOL_A, "subjects": ["mathematics"], "levels": ["lower_secondary"]}
    assert (await city.client.post(f"{API}/panel/nominations", headers=outsider, json=body)).status_code == 404
    terms = {"validFrom": "2026-01-01"}
    assert (await city.client.post(f"{API}/panel/members", headers=CITY_HEAD, json=body | terms)).status_code == 403


async def test_a_lead_of_the_subject_decides(city):
    for name in ("thay-b", "co-c"):
        await appoint(city, name)
    proposal = await propose(city, await city.bring_to("published"))
    for name in ("thay-b", "co-c"):
        await appraise(city, name)
    await appoint(city, "co-d", lead=True)
    assert (await act(city, proposal, "share", REVIEWERS["co-d"])).json()["state"] == "shared"


async def test_a_version_its_school_withdraws_leaves_the_shelf_with_a_tombstone(city):
    material = await shared(city)
    gone = await city.act(material, "withdraw", HEAD, reason="Vi phạm bản quyền")
    assert gone.status_code == 200
    answer = await city.client.get(f"{API}/shelf/{material['id']}", headers=TEACHER)
    assert (answer.status_code, answer.json()["code"]) == (410, "shelf.withdrawn")
    assert (await city.client.get(f"{API}/shelf", headers=TEACHER)).json()["items"] == []
    assert [envelope["data"]["shared"] for envelope in await city.envelopes("shelf")] == [True, False]


async def test_the_department_takes_down_with_a_reason(city):
    material = await shared(city)
    (proposal,) = (await city.client.get(f"{API}/proposals", headers=OFFICER)).json()["items"]
    assert (await act(city, proposal, "withdraw")).status_code == 422
    assert (await act(city, proposal, "withdraw", reason="Có khiếu nại")).json()["state"] == "withdrawn"
    assert (await city.client.get(f"{API}/shelf/{material['id']}", headers=TEACHER)).status_code == 410
    assert (await city.read(material, TEACHER)).json()["usable"] is True


async def test_of_two_decisions_at_once_one_wins(city):
    for name in ("thay-b", "co-c"):
        await appoint(city, name)
    proposal = await propose(city, await city.bring_to("published"))
    for name in ("thay-b", "co-c"):
        await appraise(city, name)
    answers = await asyncio.gather(*(act(city, proposal, "share") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(await city.envelopes("shelf")) == 1


async def test_the_shelf_is_paged_and_filtered(city):
    for name in ("thay-b", "co-c"):
        await appoint(city, name)
    made = []
    for number in range(3):
        material = await city.create(title=f"Bài {number}", grades=["7"] if number else ["6"])
        for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)):
            await city.act(material, action, who)
        proposal = await propose(city, material)
        for name in ("thay-b", "co-c"):
            await appraise(city, name)
        await act(city, proposal, "share")
        made.append(material["id"])
    first = (await city.client.get(f"{API}/shelf", headers=TEACHER, params={"limit": 2})).json()
    second = (await city.client.get(f"{API}/shelf", headers=TEACHER, params={"cursor": first["next"]})).json()
    assert [each["materialId"] for each in first["items"] + second["items"]] == made[::-1]
    grade = (await city.client.get(f"{API}/shelf", headers=TEACHER, params={"grade": "6"})).json()["items"]
    assert [each["materialId"] for each in grade] == [made[0]]
    nothing = await city.client.get(f"{API}/shelf/{uuid.uuid4()}", headers=TEACHER)
    assert (nothing.status_code, nothing.json()["code"]) == (404, "shelf.unknown")
    assert metadata()["licence"] == "CC-BY-4.0"
