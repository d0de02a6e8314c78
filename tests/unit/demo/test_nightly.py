"""Nightly packages: the same bytes for the same seed, the named cases inside, deltas that say what a bulk says."""

import collections
import csv
import io
import zipfile

import pytest

from deploy.demo.__main__ import main
from deploy.demo.large import write_large
from deploy.demo.nightly import Night, nights, plan, plans
from deploy.demo.package import HEADERS, SchoolPlan

SCHOOLS = plans(3, learners=90, subject_classes=2)


def _key(night: Night) -> tuple[str, int]:
    return night.school.sourced_id, night.number


def test_the_same_seed_gives_the_same_bytes_for_every_night():
    def series(seed: int) -> dict[tuple[str, int], bytes]:
        return {_key(night): night.package.zipped() for night in nights(SCHOOLS, days=3, seed=seed)}

    assert series(1) == series(1)
    assert len(set(series(1).values())) == 9
    assert not set(series(1).values()) & set(series(2).values())


def test_the_named_cases_are_in_every_first_package():
    for night in nights(SCHOOLS):
        rows, cases = night.package.rows, night.cases
        users = {row["sourcedId"]: row for row in rows["users"]}
        born = {row["sourcedId"]: row["birthDate"] for row in rows["demographics"]}
        one, other = (users[each] for each in cases.same_name_and_birthday or ())
        assert all(one[part] == other[part] for part in ("familyName", "middleName", "givenName"))
        assert born[one["sourcedId"]] == born[other["sourcedId"]]
        rooms = {row["sourcedId"] for row in rows["classes"] if row["classType"] == "homeroom"}
        of: dict[str | None, list[tuple[str, str]]] = collections.defaultdict(list)
        for row in rows["enrollments"]:
            if row["classSourcedId"] in rooms:
                of[row["userSourcedId"]].append((row["beginDate"], row["endDate"]))
        assert of[cases.two_classes] == [("2026-09-05", "2027-05-31")] * 2
        assert of[cases.moved_class] == [("2026-09-05", "2026-09-30"), ("2026-10-01", "2027-05-31")]
        assert (cases.teacher_of_two_schools is None) == (night.school == SCHOOLS[0])
        assert cases.teacher_of_two_schools is None or cases.teacher_of_two_schools in users


def test_every_reference_resolves_and_no_id_is_used_twice_on_any_night():
    for night in nights(SCHOOLS, days=4):
        rows = night.package.rows
        ids = {name: [row["sourcedId"] for row in rows[name]] for name in rows}
        assert all(len(each) == len(set(each)) for each in ids.values())
        assert {row["userSourcedId"] for row in rows["enrollments"] + rows["roles"]} <= set(ids["users"])
        assert {row["classSourcedId"] for row in rows["enrollments"]} <= set(ids["classes"])
        assert set(ids["demographics"]) <= set(ids["users"])


def test_the_deltas_laid_upon_the_first_night_give_the_roster_of_the_last():
    state: dict[str, dict[str, dict[str, str]]] = {}
    for night in nights(SCHOOLS[:1], days=4, delta=True):
        assert night.package.mode == ("bulk" if night.number == 1 else "delta")
        for name, rows in night.package.rows.items():
            for row in rows:
                if row.get("status") == "tobedeleted":
                    del state[name][row["sourcedId"]]
                else:
                    state.setdefault(name, {})[row["sourcedId"]] = row | {"status": "", "dateLastModified": ""}
    for name, rows in night.roster.rows.items():
        expected = {row["sourcedId"]: row | {"status": "", "dateLastModified": ""} for row in rows}
        assert state[name] == expected


@pytest.mark.parametrize("learners", [1, 2, 3, 7])
def test_a_tiny_school_has_what_it_can(learners):
    made = list(nights([plan("tiny", learners=learners)], days=3))
    assert [night.number for night in made] == [1, 2, 3]


def test_the_command_writes_a_package_per_school_and_night(tmp_path, monkeypatch):
    def written(name: str) -> dict[str, bytes]:
        out = tmp_path / name
        arguments = ["--schools", "2", "--learners", "40", "--days", "2", "--delta", "--out", str(out)]
        monkeypatch.setattr("sys.argv", ["demo", "packages", *arguments])
        assert main() == 0
        return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.*")}

    first = written("one")
    assert sorted(first) == [
        "cases.json",
        *(f"night-{night}/79-thcs-00{school}.zip" for night in ("01", "02") for school in (1, 2)),
        "orgs.json",
    ]
    assert first == written("two")


def test_a_large_package_has_the_rows_it_counts_and_the_same_bytes_again(tmp_path):
    schools = [SchoolPlan(f"s-{number}", learners=50, subject_classes=2) for number in range(3)]
    counts = write_large(tmp_path / "one.zip", schools)
    assert counts == write_large(tmp_path / "two.zip", schools)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "manifest.csv"
        for name in HEADERS:
            rows = list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))
            assert len(rows) == counts[name]
            assert len({row["sourcedId"] for row in rows}) == len(rows)
    assert counts["academicSessions"] == 3
    assert sum(each.learners for each in schools) < counts["users"]
