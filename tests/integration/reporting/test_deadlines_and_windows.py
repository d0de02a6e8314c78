"""Late, closed, earlier, extended: as a school and its officers meet it."""

import datetime as dt

import pytest

from services.reporting.domain.deadlines import quarterly
from shared.clock import VIETNAM
from tests.integration.reporting.stage import DAY, campaign_body, errors, etag, now


def at(instant: dt.datetime) -> dict[str, str]:
    return {"at": instant.isoformat()}


async def refused(city, school):
    report = await city.fill(school) if (await city.submission(school))["closed"] is None else None
    report = report or await city.submission(school)
    return await city.head(school).post(f"/submissions/{report['id']}/submit", if_match=etag(report))


async def test_a_late_report_is_accepted_and_marked_late(city):
    await city.ready_to_submit(deadline=at(now() - DAY))
    submitted = await city.submit("thcs-a")
    assert (submitted["state"], submitted["late"]) == ("submitted", True)
    assert submitted["history"][-1]["late"] is True
    answer = await city.department_officer().post(f"/submissions/{submitted['id']}/accept")
    assert (answer.status_code, answer.json()["late"]) == (200, True)


async def test_the_servers_time_decides_and_not_the_callers(city):
    await city.ready_to_submit(deadline=at(now() - DAY))
    filled = await city.fill("thcs-a")
    answer = await city.head("thcs-a").post(
        f"/submissions/{filled['id']}/submit", if_match=etag(filled), date="Mon, 01 Jan 2018 00:00:00 GMT"
    )
    assert answer.json()["late"] is True


async def test_a_closed_window_says_why_and_who_can_open_it(city):
    await city.ready_to_submit(deadline=at(now() - 2 * DAY), closesAt=(now() - DAY).isoformat())
    report = await city.submission("thcs-a")
    assert (report["closed"]["reason"], report["closed"]["whoCanOpen"]) == ("ended", "so")
    answer = await refused(city, "thcs-a")
    assert (answer.status_code, answer.json()["code"]) == (409, "window.closed")
    assert answer.json()["reason"] == "ended"
    assert answer.json()["whoCanOpen"] == {
        "role": "department_officer",
        "org": "so",
        "name": "Sở Giáo dục và Đào tạo",
    }


async def test_a_window_that_has_not_opened_takes_nothing(city):
    await city.ready_to_submit(opensAt=(now() + DAY).isoformat())
    answer = await refused(city, "thcs-a")
    assert (answer.status_code, answer.json()["reason"]) == (409, "not_yet_open")


@pytest.mark.parametrize("reason", ["figures_sent", "suspended", "cancelled"])
async def test_the_department_closes_for_a_reason_of_the_list_and_opens_again(city, reason):
    campaign = await city.ready_to_submit()
    officer, path = city.department_officer(), f"/campaigns/{campaign['id']}"
    closed = await officer.post(f"{path}/close", {"reason": reason, "note": "Đã gửi Bộ"})
    assert closed.json()["closed"]["reason"] == reason
    answer = await refused(city, "thcs-a")
    assert (answer.status_code, answer.json()["reason"]) == (409, reason)
    again = await officer.post(f"{path}/close", {"reason": reason})
    assert (again.status_code, again.json()["code"]) == (409, "campaign.already_closed")
    opened = await officer.post(f"{path}/reopen", {"reason": "Trường nộp bổ sung"})
    assert opened.json()["closed"] is None
    assert [(change["action"], change["code"], change["by"]) for change in opened.json()["history"]] == [
        ("opened", None, "chuyen-vien-so"),
        ("closed", reason, "chuyen-vien-so"),
        ("reopened", reason, "chuyen-vien-so"),
    ]
    assert (await city.submit("thcs-a"))["state"] == "submitted"


async def test_an_officer_cannot_close_for_a_reason_that_is_no_decision(city):
    campaign = await city.ready_to_submit()
    for reason in ("ended", "not_yet_open", "holiday"):
        answer = await city.department_officer().post(f"/campaigns/{campaign['id']}/close", {"reason": reason})
        assert (answer.status_code, errors(answer)) == (422, [("/reason", "field.not_in_list")])


async def test_a_reopened_window_ends_in_the_future_and_late_stays_late(city):
    campaign = await city.ready_to_submit(deadline=at(now() - 2 * DAY), closesAt=(now() - DAY).isoformat())
    officer, path = city.department_officer(), f"/campaigns/{campaign['id']}/reopen"
    past = await officer.post(path, {"reason": "vì", "closesAt": (now() - DAY / 2).isoformat()})
    assert (past.status_code, past.json()["code"]) == (422, "window.ends_in_the_past")
    opened = await officer.post(path, {"reason": "vì", "closesAt": (now() + DAY).isoformat()})
    assert opened.status_code == 200
    assert (await city.submit("thcs-a"))["late"] is True
    twice = await officer.post(path, {"reason": "vì"})
    assert (twice.status_code, twice.json()["code"]) == (409, "campaign.already_open")


async def test_the_school_sees_the_strictest_layer_and_who_set_it(city):
    common, earlier = now() + 10 * DAY, now() + 5 * DAY
    campaign = await city.ready_to_submit(deadline=at(common))
    answer = await city.commune_officer("xa-a").post(
        f"/campaigns/{campaign['id']}/deadlines",
        {"org": "xa-a", "deadline": at(earlier), "reason": "UBND xã tổng hợp trước"},
    )
    assert answer.status_code == 201, answer.text
    seen = (await city.submission("thcs-a"))["deadline"]
    assert (dt.datetime.fromisoformat(seen["at"]), seen["setBy"], seen["setByName"]) == (earlier, "xa-a", "UBND xã A")
    assert {layer["setBy"] for layer in seen["layers"]} == {"so", "xa-a"}
    neighbour = (await city.submission("thcs-b"))["deadline"]
    assert dt.datetime.fromisoformat(neighbour["at"]) == common
    assert {layer["setBy"] for layer in neighbour["layers"]} == {"so"}


async def test_lateness_is_decided_by_the_strictest_layer(city):
    campaign = await city.ready_to_submit()
    body = {"org": "xa-a", "deadline": at(now() - DAY), "reason": "vì"}
    await city.commune_officer("xa-a").post(f"/campaigns/{campaign['id']}/deadlines", body)
    assert (await city.submit("thcs-a"))["late"] is True


async def test_a_lower_level_cannot_set_a_later_deadline(city):
    campaign = await city.ready_to_submit()
    body = {"org": "xa-a", "deadline": at(now() + 20 * DAY), "reason": "vì"}
    answer = await city.commune_officer("xa-a").post(f"/campaigns/{campaign['id']}/deadlines", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "deadline.not_earlier")


async def test_every_deadline_ever_set_is_kept_with_who_when_and_why(city):
    campaign = await city.ready_to_submit()
    officer, path = city.department_officer(), f"/campaigns/{campaign['id']}/deadlines"
    await officer.post(path, {"org": "so", "deadline": at(now() + 12 * DAY), "reason": "Thông báo 124"})
    kept = (await officer.get(path)).json()["items"]
    assert [(row["org"], row["reason"], row["setBy"]) for row in kept] == [
        ("so", "123/TB-SGDĐT, 2025-12-01, Sở GDĐT", "chuyen-vien-so"),
        ("so", "Thông báo 124", "chuyen-vien-so"),
    ]
    now_seen = (await city.submission("thcs-a"))["deadline"]["at"]
    assert now_seen == kept[1]["deadline"]["at"]


async def test_an_extension_by_the_department_moves_the_deadline_of_that_school_alone(city):
    campaign = await city.ready_to_submit(deadline=at(now() - 2 * DAY), closesAt=(now() - DAY).isoformat())
    body = {"org": "thcs-a", "until": (now() + DAY).isoformat(), "reason": "Mất điện do bão"}
    answer = await city.department_officer().post(f"/campaigns/{campaign['id']}/extensions", body)
    assert answer.status_code == 201, answer.text
    report = await city.submission("thcs-a")
    assert (report["deadline"]["extended"], report["closed"]) == (True, None)
    assert [(row["grantedBy"], row["reason"]) for row in report["deadline"]["extensions"]] == [
        ("so", "Mất điện do bão")
    ]
    assert (await city.submit("thcs-a"))["late"] is False
    assert (await city.submission("thcs-b"))["closed"]["reason"] == "ended"


async def test_an_extension_by_someone_not_above_is_refused(city):
    campaign = await city.ready_to_submit()
    body = {"org": "thcs-a", "until": (now() + 20 * DAY).isoformat(), "reason": "vì"}
    for person, status, code in (
        (city.head("thcs-a"), 403, "scope.missing"),
        (city.person("x", "head", "thcs-a", "reporting.manage"), 403, "role.missing"),
        (city.commune_officer("xa-b"), 404, "org.unknown"),
        (city.person("x", "commune_officer", "thcs-a", "reporting.manage"), 403, "officer.no_unit"),
    ):
        answer = await person.post(f"/campaigns/{campaign['id']}/extensions", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_commune_cannot_extend_itself_nor_past_the_departments_deadline(city):
    campaign = await city.ready_to_submit()
    officer, path = city.commune_officer("xa-a"), f"/campaigns/{campaign['id']}/extensions"
    until = (now() + 20 * DAY).isoformat()
    itself = await officer.post(path, {"org": "xa-a", "until": until, "reason": "vì"})
    assert (itself.status_code, itself.json()["code"]) == (403, "extension.not_above")
    beyond = await officer.post(path, {"org": "thcs-a", "until": until, "reason": "vì"})
    assert (beyond.status_code, beyond.json()["code"]) == (422, "extension.not_later")


async def test_an_extension_needs_a_reason(city):
    campaign = await city.ready_to_submit()
    body = {"org": "thcs-a", "until": (now() + 20 * DAY).isoformat(), "reason": " "}
    answer = await city.department_officer().post(f"/campaigns/{campaign['id']}/extensions", body)
    assert (answer.status_code, errors(answer)) == (422, [("/reason", "field.too_short")])


async def test_officers_see_the_extensions_of_the_units_below_them_only(city):
    campaign = await city.ready_to_submit()
    path = f"/campaigns/{campaign['id']}/extensions"
    for school in ("thcs-a", "thcs-b"):
        body = {"org": school, "until": (now() + 20 * DAY).isoformat(), "reason": "vì"}
        await city.department_officer().post(path, body)
    seen = {
        name: [row["org"] for row in (await officer.get(path)).json()["items"]]
        for name, officer in (("so", city.department_officer()), ("xa-a", city.commune_officer("xa-a")))
    }
    assert seen == {"so": ["thcs-a", "thcs-b"], "xa-a": ["thcs-a"]}
    assert (await city.head("thcs-a").get(path)).status_code == 403


@pytest.mark.parametrize(
    ("asked", "instant", "inclusive", "vi"),
    [
        (
            {"at": "2026-01-16T16:00:00+07:00"},
            dt.datetime(2026, 1, 16, 9, 0, tzinfo=dt.UTC),
            True,
            "Chậm nhất 16:00 ngày 16/1/2026 (giờ Việt Nam)",
        ),
        (
            {"date": "2026-05-25", "inclusive": False},
            dt.datetime(2026, 5, 25, tzinfo=VIETNAM),
            False,
            "Trước ngày 25/5/2026 (giờ Việt Nam)",
        ),
        (
            {"kind": "quarterly", "year": 2026, "quarter": 4},
            quarterly(2026, 4).instant,
            True,
            "Chậm nhất 16:00 ngày 24/12/2026 (giờ Việt Nam)",
        ),
    ],
)
async def test_a_campaign_takes_its_deadline_as_a_notice_or_by_the_rule(city, asked, instant, inclusive, vi):
    await city.found()
    deadline = (await city.campaign(deadline=asked))["deadline"]
    assert dt.datetime.fromisoformat(deadline["at"]) == instant
    assert (deadline["inclusive"], deadline["zone"], deadline["text"]["vi"]) == (inclusive, "Asia/Ho_Chi_Minh", vi)


async def test_a_deadline_that_says_nothing_or_two_things_is_refused(city):
    await city.found()
    for deadline in (
        {},
        {"at": "2026-01-16T16:00:00"},
        {"at": "2026-01-16T16:00:00+07:00", "date": "2026-01-16"},
        {"kind": "quarterly", "year": 2026},
        {"kind": "quarterly", "year": 2026, "quarter": 1, "date": "2026-01-16"},
        {"date": "2026-01-16", "quarter": 1},
    ):
        answer = await city.department_officer().post("/campaigns", campaign_body(deadline=deadline))
        assert answer.status_code == 422
        assert all(pointer.startswith("/deadline") for pointer, _ in errors(answer))
