import datetime as dt

from sqlalchemy import text

from shared.db.scope import EVERYTHING
from tests.integration.materials.shelf import (
    COMMUNE,
    DEPARTMENT,
    HEAD,
    LEAD,
    PATH,
    SCHOOL_A,
    SCHOOL_B,
    TEACHER,
    metadata,
    person,
    vendor,
)

COVERAGE = "/materials/v1/coverage"
OFFICER = person("can-bo-so", "department_officer", org=DEPARTMENT, scope="materials.read materials.appraise")


async def read(library, who, org, **query):
    answer = await library.client.get(COVERAGE, headers=who, params={"org": org} | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def cell(found, subject: str, grade: str):
    return next(each for each in found["cells"] if (each["subject"], each["grade"]) == (subject, grade))


async def publish(library, **changes):
    material = await library.create(**changes)
    for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)):
        assert (await library.act(material, action, who)).status_code == 200
    return material


async def test_materials_with_both_steps_are_counted_once_per_subject_and_grade(library):
    await publish(library, grades=["6", "7"], otherSubjects=["informatics"])
    await publish(library, type="presentation")
    await library.bring_to("passed")
    needs = {"items": [{"subject": "mathematics", "grade": "6", "needed": 4}]}
    assert (await library.client.put(f"{COVERAGE}/needs", headers=OFFICER, json=needs)).status_code == 204
    found = await read(library, TEACHER, SCHOOL_A)
    assert (found["approved"], found["presentations"], found["schools"]) == (2, 1, 1)
    six = cell(found, "mathematics", "6")
    assert (six["approved"], six["needed"], six["share"], six["missing"]) == (2, 4, 0.5, 2)
    assert (six["due"], six["standing"]) == ("2023-12-31", "overdue")
    assert cell(found, "informatics", "7")["approved"] == 1
    assert cell(found, "mathematics", "7")["share"] is None
    assert cell(found, "mathematics", "7")["standing"] == "met"
    assert six in found["gaps"]
    assert cell(found, "mathematics", "7") not in found["gaps"]
    assert {each["grade"] for each in found["cells"]} == {"6", "7", "8", "9"}


async def test_a_commune_and_the_city_count_the_schools_below_them(library):
    await publish(library)
    for org, schools in ((COMMUNE, 1), (DEPARTMENT, 2)):
        found = await read(library, OFFICER, org)
        assert (found["schools"], found["approved"]) == (schools, 1)
    assert (await read(library, OFFICER, SCHOOL_B))["approved"] == 0
    assert (await read(library, vendor(SCHOOL_A), DEPARTMENT))["schools"] == 1
    for who, org in ((vendor(SCHOOL_B), SCHOOL_A), (vendor(SCHOOL_B), COMMUNE), (TEACHER, "nowhere")):
        refused = await library.client.get(COVERAGE, headers=who, params={"org": org})
        assert refused.status_code == 404


async def test_any_day_can_be_asked_and_the_months_in_between(library):
    material = await publish(library)
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await uow.session.execute(text("UPDATE material_version SET approved_at = '2026-03-10T12:00:00+07:00'"))
    await library.act(material, "withdraw", HEAD, reason="Sai")
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await uow.session.execute(text("UPDATE material_version SET withdrawn_at = '2026-05-31T23:59:59+07:00'"))
    for day, approved in (("2026-03-09", 0), ("2026-03-10", 1), ("2026-05-30", 1), ("2026-05-31", 0)):
        assert (await read(library, TEACHER, SCHOOL_A, on=day))["approved"] == approved, day
    query = {"org": SCHOOL_A, "from": "2026-02-15", "to": "2026-06-10"}
    months = (await library.client.get(f"{COVERAGE}/history", headers=TEACHER, params=query)).json()["items"]
    assert [(each["on"], each["approved"]) for each in months] == [
        ("2026-02-28", 0),
        ("2026-03-31", 1),
        ("2026-04-30", 1),
        ("2026-05-31", 0),
        ("2026-06-10", 0),
    ]


async def test_the_count_for_criterion_1_4_is_told_when_it_changes(library):
    material = await publish(library)
    await publish(library, type="presentation")
    await library.act(material, "withdraw", HEAD, reason="Sai")
    told = [envelope["data"] for envelope in await library.envelopes("coverage")]
    assert [(each["approved"], each["presentations"]) for each in told] == [(1, 0), (2, 1), (1, 1)]
    assert dt.date.fromisoformat(told[0]["on"])


async def test_the_cells_are_a_table_too_and_can_be_narrowed(library):
    await publish(library)
    query = {"org": SCHOOL_A, "subject": "mathematics", "grade": "6"}
    answer = await library.client.get(COVERAGE, headers=TEACHER | {"Accept": "text/csv"}, params=query)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines() == [
        "subject,grade,approved,needed,share,missing,due,standing",
        "mathematics,6,1,,,0,2023-12-31,met",
    ]


async def test_only_the_department_says_what_is_needed(library):
    body = {"items": [{"subject": "mathematics", "grade": "6", "needed": 4}]}
    head = person("co-hieu-truong", "head", scope="materials.read materials.appraise")
    assert (await library.client.put(f"{COVERAGE}/needs", headers=head, json=body)).status_code == 403
    wrong = {"items": [{"subject": "physics", "grade": "6", "needed": 4}]}
    refused = await library.client.put(f"{COVERAGE}/needs", headers=OFFICER, json=wrong)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/items/0/grades/0")
    assert (await library.client.get(f"{PATH}", headers=TEACHER)).status_code == 200


async def test_each_requirement_is_covered_or_a_gap(library):
    tree = (
        "code,parent,subject,grade,textVi,textEn\n"
        "T6,,mathematics,6,Toán 6,\nT6.1,T6,mathematics,6,Số tự nhiên,\nT6.2,T6,mathematics,6,Phân số,\n"
    )
    catalogue = person("can-bo-so", "department_officer", org=DEPARTMENT, scope="materials.read materials.catalogue")
    imported = await library.client.post(
        "/materials/v1/requirements/imports",
        headers=catalogue | {"Content-Type": "text/csv"},
        params={"title": "Toán 6"},
        content=tree.encode(),
    )
    assert imported.status_code == 200, imported.text
    await publish(library, requirements=["T6.2"])
    unknown = await library.client.post(PATH, headers=TEACHER, json=metadata(requirements=["T9"]))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "material.requirements_mismatch")
    query = {"org": SCHOOL_A, "subject": "mathematics", "grade": "6"}
    found = (await library.client.get(f"{COVERAGE}/requirements", headers=TEACHER, params=query)).json()
    assert [(each["code"], each["approved"]) for each in found["items"]] == [("T6.1", 0), ("T6.2", 1)]
    assert (found["covered"], found["share"], found["gaps"]) == (1, 0.5, ["T6.1"])
