"""The demo's packages are what they say: they import without a finding, and each named case is in the database."""

import pytest

from deploy.demo.nightly import nights, plan

SCHOOLS = [plan(code, learners=80, subject_classes=1) for code in ("A", "B")]


@pytest.mark.parametrize("delta", [False, True])
async def test_a_series_of_nights_imports_without_a_problem_and_keeps_each_case_apart(sync, delta):
    await sync.put_schools("A", "B")
    vendor = sync.as_vendor("A", "B")
    for night in nights(SCHOOLS, days=2, delta=delta):
        done = await sync.imported(night.package.zipped(), vendor, mode="auto")
        assert (done["state"], await sync.problems(done["id"], vendor)) == ("committed", [])
        school, cases = night.school.sourced_id, night.cases
        rooms = f"class_sourced_id NOT LIKE '%-mon%' AND school_sourced_id = '{school}'"

        async def of(person, what, rooms=rooms):
            where = f"user_sourced_id = '{person}' AND {rooms}"
            return await sync.sql(f"SELECT {what} FROM enrollment WHERE {where} ORDER BY end_date, status, sourced_id")

        one, other = cases.same_name_and_birthday or ("", "")
        twins = f"sourced_id IN ('{one}', '{other}') AND status = 'active'"
        assert await sync.sql(f"SELECT count(*) FROM person WHERE {twins}") == [2]
        assert await sync.sql(f"SELECT count(DISTINCT (birth_date, sex)) FROM demographics WHERE {twins}") == [1]
        assert await of(cases.moved_class, "end_date::text") == ["2026-09-30", "2027-05-31"]
        assert await of(cases.two_classes, "status") == ["active", "active"]
        if night.number == 2:
            assert await of(cases.moved_on_second_night, "status") == ["active", "tobedeleted"]
        if school == "B":
            where = f"user_sourced_id = '{cases.teacher_of_two_schools}' ORDER BY 1"
            assert await sync.sql(f"SELECT school_sourced_id FROM role WHERE {where}") == ["A", "B"]
