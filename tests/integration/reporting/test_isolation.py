"""A school sees itself and nobody else, by the use case and by the database."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.reporting.storage.tables import SCHOOL_TABLES
from shared.db.scope import EVERYTHING, NOTHING, Scope
from shared.ids import new_id
from tests.integration.reporting.stage import Person, etag

ROUTES: list[tuple[str, str, object]] = [
    ("get", "", None),
    ("patch", "", {"values": {"causes": {"value": []}}}),
    ("post", "/submit", None),
    ("post", "/return", {"reason": "vì"}),
    ("post", "/accept", None),
]
ALL_SCOPES = "reporting.read reporting.write reporting.manage"


async def call(person: Person, method: str, path: str, body: object):
    if method == "get":
        return await person.get(path)
    return await getattr(person, method)(path, body, if_match="*")


@pytest.mark.parametrize("role", ["head", "data_officer", "commune_officer", "department_officer"])
async def test_another_schools_submission_does_not_exist_on_any_route(city, role):
    await city.ready_to_submit("thcs-b")
    report = await city.submit("thcs-b")
    stranger = city.person("x", role, "thcs-a", ALL_SCOPES)
    for method, action, body in ROUTES:
        answer = await call(stranger, method, f"/submissions/{report['id']}{action}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "submission.unknown"), (method, action)
        # Exactly as for one that was never made.
        nothing = await call(stranger, method, f"/submissions/{new_id()}{action}", body)
        assert (nothing.status_code, nothing.json()["messages"]) == (404, answer.json()["messages"])
    assert await city.submission("thcs-b") == report


async def test_a_communes_officer_sees_only_the_schools_below_it(city):
    await city.ready_to_submit("thcs-b")
    report = await city.submit("thcs-b")
    stranger = city.person("x", "commune_officer", "xa-a", ALL_SCOPES)
    answers = [
        await call(stranger, method, f"/submissions/{report['id']}{action}", body) for method, action, body in ROUTES
    ]
    assert {answer.status_code for answer in answers} == {404}


async def test_lists_and_progress_show_only_what_the_grant_covers(city):
    campaign = await city.ready_to_submit()
    seen = {}
    for name, person in {
        "school": city.head("thcs-a"),
        "commune": city.commune_officer("xa-b"),
        "department": city.portal("so"),
        "nobody": city.portal("nowhere"),
    }.items():
        listed = (await person.get("/submissions")).json()["items"]
        progress = (await person.get(f"/campaigns/{campaign['id']}/progress")).json()
        assert progress["total"] == len(listed)
        seen[name] = sorted(line["school"] for line in listed)
    assert seen == {
        "school": ["thcs-a"],
        "commune": ["thcs-b"],
        "department": ["thcs-a", "thcs-b", "thpt-c"],
        "nobody": [],
    }
    stranger = await city.head("thcs-a").get("/submissions", school="thcs-b")
    assert stranger.json()["items"] == []


async def test_a_commune_sees_the_schools_that_are_below_it_today(city):
    await city.ready_to_submit()
    await city.school("thcs-a", "xa-b")
    listed = (await city.commune_officer("xa-b").get("/submissions")).json()["items"]
    assert sorted(line["school"] for line in listed) == ["thcs-a", "thcs-b"]
    assert (await city.commune_officer("xa-a").get("/submissions")).json()["items"] == []


async def test_a_grant_above_the_school_makes_nobody_its_head(city):
    await city.ready_to_submit()
    report = await city.fill("thcs-a")
    person = city.person("x", "head", "xa-a", ALL_SCOPES)
    answer = await person.post(f"/submissions/{report['id']}/submit", if_match=etag(report))
    assert (answer.status_code, answer.json()["code"]) == (403, "role.not_at_school")


async def test_each_step_belongs_to_its_role(city):
    await city.ready_to_submit()
    report = await city.submit("thcs-a")
    for role, org, action in (
        ("data_officer", "thcs-a", "/submit"),
        ("teacher", "thcs-a", "/submit"),
        ("head", "thcs-a", "/return"),
        ("head", "thcs-a", "/accept"),
        ("commune_officer", "xa-a", "/accept"),
        ("department_officer", "so", "/submit"),
    ):
        person = city.person("x", role, org, ALL_SCOPES)
        body = {"reason": "vì"} if action == "/return" else None
        answer = await person.post(f"/submissions/{report['id']}{action}", body, if_match=etag(report))
        assert (answer.status_code, answer.json()["code"]) == (403, "role.missing"), (role, action)


async def test_every_route_asks_for_a_token(city):
    schema = (await city.http.get("/openapi.json")).json()
    asked = 0
    for path, operations in schema["paths"].items():
        for method in operations:
            url = path.format(campaign_id=new_id(), submission_id=new_id(), code="semester-1", version=1)
            answer = await city.http.request(method, url, json={})
            assert (answer.status_code, answer.json()["code"]) == (401, "token.missing"), (method, path)
            asked += 1
    assert asked >= 18


async def test_the_database_hides_rows_when_a_use_case_forgets_its_filter(city):
    await city.ready_to_submit()
    await city.submit("thcs-a")
    for table in SCHOOL_TABLES:
        count = text(f"SELECT count(*) FROM {table}")  # a constant of the tables module
        foreign = text(f"SELECT count(*) FROM {table} WHERE school_sourced_id <> 'thcs-b'")
        async with city.units.begin(EVERYTHING) as uow:
            assert await uow.session.scalar(foreign), table
        async with city.units.begin(Scope.of(["thcs-b"])) as uow:
            assert await uow.session.scalar(foreign) == 0, table
        async with city.units.begin(NOTHING) as uow:
            assert await uow.session.scalar(count) == 0, table


async def test_the_database_refuses_writing_into_another_school(city):
    await city.ready_to_submit()
    with pytest.raises(DBAPIError, match="row-level security"):
        async with city.units.begin(Scope.of(["thcs-b"])) as uow:
            await uow.session.execute(text("UPDATE submission SET school_sourced_id = 'thcs-a'"))


async def test_history_can_only_be_added_to(city):
    for table in ("submission_step", "campaign_deadline", "campaign_extension", "campaign_change"):
        for statement in (f"UPDATE {table} SET reason = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="permission denied"):
                async with city.units.begin(EVERYTHING) as uow:
                    await uow.session.execute(text(statement))
