"""Nightly packages of schools that live: learners come, leave and change class, from one night to the next.

Each school has packages of its own, as an LMS exports them; the same plans and seed give the same bytes. The cases that
break naive matching are in the first package already (`Cases`), and every later night moves learners, a newcomer, a
leaver, a corrected name and a class that changes its room.
"""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from deploy.demo.city import SCHOOLS, UNGRANTED_SCHOOL
from deploy.demo.package import GRADES, NAMES, SUBJECTS, Package, Row, SchoolPlan, make_package

MOVED_ON = (9, 30)


@dataclass(frozen=True, slots=True)
class Cases:
    """Who is which case in the packages of one school: sourcedIds. None: the school is too small, or the first.

    `moved_class`: changed class on 30 September; the old enrollment has an end date, the new one begins the day after.
    `teacher_of_two_schools` belongs to the school before it in the set and teaches here as well.
    `moved_on_second_night`: in the second night's package the old enrollment is gone and another is there.
    """

    same_name_and_birthday: tuple[str, str] | None = None
    two_classes: str | None = None
    moved_class: str | None = None
    teacher_of_two_schools: str | None = None
    moved_on_second_night: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Night:
    """The package of `school` for `number` (from 1) of its series. `roster` is always the whole, whatever is sent."""

    school: SchoolPlan
    number: int
    package: Package
    roster: Package
    cases: Cases


def plans(count: int, learners: int, subject_classes: int | None = None) -> list[SchoolPlan]:
    """The demo city's schools that the demo's vendor may write, then invented ones; all subjects unless told."""
    known = [(school.sourced_id, school.level) for school in SCHOOLS if school is not UNGRANTED_SCHOOL][:count]
    invented = [(f"demo-{number:04}", "lower_secondary") for number in range(len(known), count)]
    return [plan(code, level, learners, subject_classes) for code, level in known + invented]


def plan(
    code: str, level: str = "lower_secondary", learners: int = 400, subject_classes: int | None = None
) -> SchoolPlan:
    """A school with at least two homerooms in each grade, so that somebody can change class."""
    share = -(-learners // len(GRADES[level]))
    taught = len(SUBJECTS[level]) if subject_classes is None else subject_classes
    return SchoolPlan(code, level, learners, class_size=max(1, min(40, -(-share // 2))), subject_classes=taught)


def nights(
    schools: Sequence[SchoolPlan], *, days: int = 1, seed: int = 2026, school_year: int = 2027, delta: bool = False
) -> Iterator[Night]:
    """`days` packages of each school, school by school. With `delta` only the first is bulk."""
    before: Package | None = None
    for school in schools:
        roster, cases = _first(school, before, seed, school_year)
        before = make_package([school], seed=seed, school_year=school_year)
        package = roster
        for number in range(1, days + 1):
            date = dt.date(school_year - 1, 10, 4) + dt.timedelta(days=number)
            if number > 1:
                last, roster = roster, _copy(roster)
                chance = random.Random(f"{seed} {school.sourced_id} {number}")  # noqa: S311  # repeatable, not secret
                moved = _evolve(roster, school, chance, date, school_year)
                package = _difference(last, roster, date) if delta else roster
                if number == 2:
                    cases = replace(cases, moved_on_second_night=moved)
            yield Night(school, number, package, roster, cases)


def _first(school: SchoolPlan, before: Package | None, seed: int, year: int) -> tuple[Package, Cases]:
    package = make_package([school], seed=seed, school_year=year)
    chance = random.Random(f"{seed} {school.sourced_id} demographics")  # noqa: S311  # repeatable, not secret
    learners = _learners(package)
    package.rows["demographics"] = [_born(row, year, chance) for row in learners]
    same = None
    if len(learners) > 1:
        born = package.rows["demographics"]
        born[1] |= {name: born[0][name] for name in ("birthDate", "sex")}
        same = (learners[0]["sourcedId"], learners[1]["sourcedId"])
    homerooms = _homerooms(package)
    cases = Cases(
        same_name_and_birthday=same,
        two_classes=learners[0]["sourcedId"] if len(homerooms) > 1 else None,
        moved_class=_move_in_autumn(package, learners[2]["sourcedId"], year) if len(learners) > 2 else None,
        teacher_of_two_schools=_guest(package, school, before, year) if before else None,
    )
    return package, cases


def _learners(package: Package) -> list[Row]:
    return [row for row in package.rows["users"] if row["grades"]]


def _homerooms(package: Package, grade: str = "") -> list[Row]:
    return [
        row
        for row in package.rows["classes"]
        if row["classType"] == "homeroom" and (not grade or row["grades"] == grade)
    ]


def _born(learner: Row, year: int, chance: random.Random) -> Row:
    """A birthday in the calendar year that makes them 11 in grade 6, and the sex a middle name tells, if it does."""
    first = dt.date(year - 1 - 5 - int(learner["grades"]), 1, 1)
    born = first + dt.timedelta(days=chance.randrange(365))
    sex = {"Thị": "female", "Văn": "male"}.get(learner["middleName"]) or chance.choice(("female", "male"))
    return {"sourcedId": learner["sourcedId"], "birthDate": born.isoformat(), "sex": sex}


def _taught(package: Package, homeroom: str) -> list[str]:
    """The homeroom and the classes its learners have by subject."""
    ids = (row["sourcedId"] for row in package.rows["classes"])
    return [each for each in ids if each == homeroom or each.startswith(f"{homeroom}-mon")]


def _other_homeroom(package: Package, learner: str) -> tuple[str, str] | None:
    """Where `learner` is and where they could go within the grade."""
    (grade,) = (row["grades"] for row in package.rows["users"] if row["sourcedId"] == learner)
    rooms = [row["sourcedId"] for row in _homerooms(package, grade)]
    visited = {row["classSourcedId"] for row in package.rows["enrollments"] if row["userSourcedId"] == learner}
    here, free = [room for room in rooms if room in visited], [room for room in rooms if room not in visited]
    return (here[0], free[0]) if len(here) == 1 and free else None


def _enrolled(package: Package, learner: str, homeroom: str) -> list[Row]:
    classes = set(_taught(package, homeroom))
    return [
        row
        for row in package.rows["enrollments"]
        if row["userSourcedId"] == learner and row["classSourcedId"] in classes
    ]


def _enroll(package: Package, learner: str, homeroom: str, begin: dt.date, year: int) -> None:
    school = next(row["schoolSourcedId"] for row in package.rows["classes"] if row["sourcedId"] == homeroom)
    package.rows["enrollments"] += [
        {
            "sourcedId": f"{each}-{learner}",
            "classSourcedId": each,
            "schoolSourcedId": school,
            "userSourcedId": learner,
            "role": "student",
            "primary": "",
            "beginDate": begin.isoformat(),
            "endDate": f"{year}-05-31",
        }
        for each in _taught(package, homeroom)
    ]


def _move_in_autumn(package: Package, learner: str, year: int) -> str | None:
    way = _other_homeroom(package, learner)
    if way is None:
        return None
    day = dt.date(year - 1, *MOVED_ON)
    for row in _enrolled(package, learner, way[0]):
        row["endDate"] = day.isoformat()
    _enroll(package, learner, way[1], day + dt.timedelta(days=1), year)
    return learner


def _guest(package: Package, school: SchoolPlan, before: Package, year: int) -> str:
    """A teacher of the school before teaches the first class here, too."""
    teacher = next(row for row in before.rows["users"] if not row["grades"])
    code, room = school.sourced_id, _homerooms(package)[0]["sourcedId"]
    person = teacher["sourcedId"]
    package.rows["users"].append(dict(teacher))
    role = {"sourcedId": f"{person}-teacher-{code}", "userSourcedId": person, "roleType": "secondary"}
    package.rows["roles"].append(role | {"role": "teacher", "orgSourcedId": code})
    taught = {"sourcedId": f"{room}-{person}", "classSourcedId": room, "schoolSourcedId": code, "userSourcedId": person}
    dates = {"beginDate": f"{year - 1}-09-05", "endDate": f"{year}-05-31"}
    package.rows["enrollments"].append(taught | {"role": "teacher", "primary": "false"} | dates)
    return person


def _copy(package: Package) -> Package:
    return Package({name: [dict(row) for row in rows] for name, rows in package.rows.items()}, package.mode)


def _evolve(package: Package, school: SchoolPlan, chance: random.Random, date: dt.date, year: int) -> str | None:
    """One day of a school; answers the learner who changed class. The first three learners, who are cases, stay."""
    moved = None
    learners = [row["sourcedId"] for row in _learners(package)[3:]]
    chance.shuffle(learners)
    for learner in learners:
        way = _other_homeroom(package, learner)
        if way:
            gone = {row["sourcedId"] for row in _enrolled(package, learner, way[0])}
            package.rows["enrollments"] = [r for r in package.rows["enrollments"] if r["sourcedId"] not in gone]
            _enroll(package, learner, way[1], date, year)
            moved = learner
            break
    others = [each for each in learners if each != moved]
    if others:
        _leave(package, others[0])
    if len(others) > 1:
        (row,) = (row for row in package.rows["users"] if row["sourcedId"] == others[1])
        row["middleName"] = chance.choice([name for name in NAMES["middle"] if name != row["middleName"]])
    _arrive(package, school, chance, date, year)
    chance.choice(_homerooms(package))["location"] = f"Phòng {date.day}{chance.randrange(100):02}"
    return moved


def _leave(package: Package, learner: str) -> None:
    for name, column in (
        ("users", "sourcedId"),
        ("demographics", "sourcedId"),
        ("roles", "userSourcedId"),
        ("enrollments", "userSourcedId"),
    ):
        package.rows[name] = [row for row in package.rows[name] if row[column] != learner]


def _arrive(package: Package, school: SchoolPlan, chance: random.Random, date: dt.date, year: int) -> None:
    room = chance.choice(_homerooms(package))
    code, person = school.sourced_id, f"{school.sourced_id}-hs-moi-{date:%m%d}"
    names = {f"{part}Name": chance.choice(NAMES[part]) for part in ("given", "middle", "family")}
    user = {"sourcedId": person, "enabledUser": "true", "username": person, **names, "identifier": person}
    package.rows["users"].append(user | {"grades": room["grades"], "primaryOrgSourcedId": code})
    role = {"sourcedId": f"{person}-student-{code}", "userSourcedId": person, "roleType": "primary"}
    package.rows["roles"].append(role | {"role": "student", "orgSourcedId": code})
    package.rows["demographics"].append(_born(package.rows["users"][-1], year, chance))
    _enroll(package, person, room["sourcedId"], date, year)


def _difference(old: Package, new: Package, date: dt.date) -> Package:
    """What changed, as a delta package: `active` what is new or different, `tobedeleted` what is gone."""
    package = Package({}, mode="delta")
    stamp = {"dateLastModified": f"{date.isoformat()}T18:00:00.000Z"}
    for name, rows in new.rows.items():
        known = {row["sourcedId"]: row for row in old.rows[name]}
        present = {row["sourcedId"] for row in rows}
        changes = [row | stamp | {"status": "active"} for row in rows if known.get(row["sourcedId"]) != row]
        changes += [row | stamp | {"status": "tobedeleted"} for key, row in known.items() if key not in present]
        if changes:
            package.rows[name] = changes
    return package
