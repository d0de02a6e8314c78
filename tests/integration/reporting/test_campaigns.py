"""Opening and following campaigns: which schools, which recipient, how many statements."""

import datetime as dt

from sqlalchemy import event, text

from services.reporting.usecases.project import join_campaigns
from shared.db.scope import EVERYTHING
from tests.integration.reporting.stage import DAY, campaign_body, errors, now, value

SCHOOLS = 3500


async def test_every_school_of_the_audience_that_is_valid_today_gets_a_submission(city):
    await city.found()
    today = now().date()
    await city.school("thcs-cu", "xa-a", valid_to=today - 2 * DAY)
    await city.school("thcs-mai", "xa-a", valid_from=today + 3 * DAY)
    await city.school("tieu-hoc", "xa-a", level=None)
    campaign = await city.campaign()
    listed = (await city.portal().get("/submissions", campaign=campaign["id"])).json()["items"]
    assert {line["school"] for line in listed} == {"thcs-a", "thcs-b", "thpt-c"}
    assert {line["state"] for line in listed} == {"open"}


async def test_a_campaign_asks_only_the_levels_of_its_audience(city):
    await city.found()
    await city.campaign(levels=["upper_secondary"])
    listed = (await city.portal().get("/submissions")).json()["items"]
    assert [line["school"] for line in listed] == ["thpt-c"]


async def test_a_school_that_appears_later_joins_the_open_campaign(city):
    await city.found()
    await city.roster("thcs-moi", learners=77)
    campaign = await city.campaign()
    await city.school("thcs-moi", "xa-a")
    report = await city.submission("thcs-moi", campaign=campaign["id"])
    assert value(report, "learners")["value"] == 77


async def test_a_school_does_not_join_a_campaign_that_is_closed(city):
    await city.found()
    campaign = await city.campaign()
    await city.department_officer().post(f"/campaigns/{campaign['id']}/close", {"reason": "figures_sent"})
    await city.school("thcs-moi", "xa-a")
    assert (await city.portal().get("/submissions", school="thcs-moi")).json()["items"] == []


async def test_a_school_whose_validity_begins_later_joins_on_that_day(city):
    await city.found()
    await city.school("thcs-mai", "xa-a", valid_from=now().date() + 3 * DAY)
    await city.campaign()
    async with city.units.begin(EVERYTHING) as uow:
        assert await join_campaigns(uow) == 0
        await uow.session.execute(text("UPDATE org SET valid_from = '2020-01-01' WHERE sourced_id = 'thcs-mai'"))
        assert await join_campaigns(uow) == 1
        assert await join_campaigns(uow) == 0


async def test_the_recipient_follows_level_and_date(city):
    await city.found()
    await city.campaign()
    recipients = {school: (await city.submission(school))["recipient"] for school in ("thcs-a", "thpt-c")}
    assert recipients["thcs-a"] == {"status": "decided", "kind": "commune", "org": "xa-a", "name": "UBND xã A"}
    assert recipients["thpt-c"]["org"] == "so"


async def test_a_recipient_that_cannot_be_decided_is_shown_and_never_guessed(city):
    await city.found()
    await city.school("thcs-hai-xa", "xa-a", "xa-b")
    await city.school("thcs-khong-xa", "so")
    await city.campaign()
    for school, status in (("thcs-hai-xa", "ambiguous"), ("thcs-khong-xa", "unknown")):
        assert (await city.submission(school))["recipient"] == {
            "status": status,
            "kind": "commune",
            "org": None,
            "name": None,
        }


async def test_two_rules_for_the_same_day_decide_nothing(city):
    await city.found()
    async with city.units.begin(EVERYTHING) as uow:
        statement = "INSERT INTO recipient_rule VALUES ('lower_secondary', '2020-01-01', NULL, 'department', '')"
        await uow.session.execute(text(statement))
    await city.campaign()
    assert (await city.submission("thcs-a"))["recipient"]["status"] == "unknown"


async def test_recipients_are_configuration_and_not_code(city):
    await city.found()
    async with city.units.begin(EVERYTHING) as uow:
        await uow.session.execute(text("UPDATE recipient_rule SET recipient_kind = 'department'"))
    await city.campaign()
    assert (await city.submission("thcs-a"))["recipient"]["org"] == "so"


async def test_only_an_officer_of_the_department_opens_a_campaign(city):
    await city.found()
    for person, code in (
        (city.portal(), "scope.missing"),
        (city.head("thcs-a"), "scope.missing"),
        (city.commune_officer("xa-a"), "role.missing"),
        (city.department_officer("xa-a"), "officer.no_unit"),
    ):
        answer = await person.post("/campaigns", campaign_body())
        assert (answer.status_code, answer.json()["code"]) == (403, code)


async def test_one_period_has_one_campaign_until_it_is_cancelled(city):
    await city.found()
    first = await city.campaign()
    officer = city.department_officer()
    second = await officer.post("/campaigns", campaign_body())
    assert (second.status_code, second.json()["campaignId"]) == (409, first["id"])
    await officer.post(f"/campaigns/{first['id']}/close", {"reason": "cancelled"})
    replacement = await officer.post("/campaigns", campaign_body())
    assert replacement.status_code == 201
    reopened = await officer.post(f"/campaigns/{first['id']}/reopen", {"reason": "vì"})
    assert (reopened.status_code, reopened.json()["code"]) == (409, "campaign.exists")


async def test_a_campaign_with_a_wrong_field_is_refused_at_its_place(city):
    await city.found()
    for changes, pointer in (
        ({"schoolYear": "2025-2027"}, ""),
        ({"schoolYear": "25-26"}, "/schoolYear"),
        ({"semester": 3}, "/semester"),
        ({"levels": []}, "/levels"),
        ({"levels": ["primary"]}, "/levels/0"),
        ({"colour": "red"}, "/colour"),
    ):
        answer = await city.department_officer().post("/campaigns", campaign_body(**changes))
        assert answer.status_code == 422
        assert [place for place, _ in errors(answer)] == [pointer]


async def test_a_campaign_that_makes_no_sense_is_refused(city):
    await city.found()
    for changes, code in (
        ({"template": "semester-9"}, "template.unknown"),
        ({"opensAt": (now() + 30 * DAY).isoformat()}, "window.inconsistent"),
        ({"closesAt": now().isoformat()}, "window.inconsistent"),
    ):
        answer = await city.department_officer().post("/campaigns", campaign_body(**changes))
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_progress_counts_states_and_late_reports(city):
    campaign = await city.ready_to_submit(deadline={"at": (now() - DAY).isoformat()})
    await city.submit("thcs-a")
    progress = (await city.portal().get(f"/campaigns/{campaign['id']}/progress")).json()
    assert progress == {
        "campaignId": campaign["id"],
        "total": 3,
        "byState": {"open": 2, "submitted": 1, "returned": 0, "accepted": 0},
        "late": 1,
    }


async def test_lists_are_filtered_and_paged_by_key(city):
    campaign = await city.ready_to_submit(deadline={"at": (now() - DAY).isoformat()})
    await city.submit("thcs-a")
    portal = city.portal()

    async def schools(**filters):
        return [line["school"] for line in (await portal.get("/submissions", **filters)).json()["items"]]

    assert await schools(state="submitted") == ["thcs-a"]
    assert await schools(late="true") == ["thcs-a"]
    assert await schools(late="false") == []
    assert await schools(school="thcs-b") == ["thcs-b"]
    everyone: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await portal.get("/submissions", campaign=campaign["id"], limit=2, **cursor)).json()
        assert len(page["items"]) <= 2
        everyone += [line["school"] for line in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(everyone) == ["thcs-a", "thcs-b", "thpt-c"]
    assert (await portal.get("/submissions", cursor="nonsense")).status_code == 400


async def test_campaigns_and_templates_are_listed_for_a_school(city):
    campaign = await city.ready_to_submit()
    head = city.head("thcs-a")
    listed = (await head.get("/campaigns")).json()
    assert [entry["id"] for entry in listed["items"]] == [campaign["id"]]
    assert (await head.get(f"/campaigns/{campaign['id']}")).json() == campaign
    assert campaign["notice"] == {"number": "123/TB-SGDĐT", "date": "2025-12-01", "issuer": "Sở GDĐT"}
    (template,) = (await head.get("/templates")).json()["items"]
    assert (await head.get("/templates/semester-1/versions/1")).json() == template
    assert template["title"] == {"vi": "Báo cáo định kỳ cuối học kỳ I", "en": "Periodic report, end of semester I"}


async def test_submissions_of_3500_schools_are_opened_by_a_fixed_number_of_statements(city):
    await city.found()

    async def opened(campaign_year: str) -> tuple[int, int]:
        statements = []
        listener = lambda *arguments: statements.append(arguments[2])  # noqa: E731  # needed for removal
        engine = city.units.engine.sync_engine
        event.listen(engine, "before_cursor_execute", listener)
        try:
            campaign = await city.campaign(schoolYear=campaign_year)
        finally:
            event.remove(engine, "before_cursor_execute", listener)
        async with city.units.begin(EVERYTHING) as uow:
            count = await uow.session.scalar(
                text("SELECT count(*) FROM submission WHERE campaign_id = :id"), {"id": campaign["id"]}
            )
        return len(statements), count

    statements_for_three, three = await opened("2024-2025")
    async with city.units.begin(EVERYTHING) as uow:
        for statement in (
            "INSERT INTO org (sourced_id, kind, name, level) SELECT id, 'school', id, 'lower_secondary' FROM made",
            "INSERT INTO org_parent (child_sourced_id, parent_sourced_id) SELECT id, 'xa-a' FROM made",
            "INSERT INTO roster_numbers SELECT id, n, 1, 1, 1, n, '[]', uuidv7(), '', clock_timestamp() FROM made",
        ):
            made = "WITH made AS (SELECT 'truong-' || n AS id, n FROM generate_series(1, :count) AS n) "
            await uow.session.execute(text(made + statement), {"count": SCHOOLS})
    statements_for_all, all_schools = await opened("2025-2026")
    assert (three, all_schools) == (3, SCHOOLS + 3)
    assert statements_for_all == statements_for_three
    assert value(await city.submission("truong-3000"), "learners")["value"] == 3000


async def test_the_day_is_the_day_in_vietnam(city):
    await city.found()
    async with city.units.begin(EVERYTHING) as uow:
        statement = "SELECT (timestamptz '2025-12-31 17:00+00' AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"
        assert await uow.session.scalar(text(statement)) == dt.date(2026, 1, 1)
