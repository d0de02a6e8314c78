import datetime as dt

import pytest

from services.sync.domain.files import KEPT_FILES
from services.sync.domain.package import FilePlan
from services.sync.domain.rows import REPAIRS_LISTED, RowReader
from services.sync.domain.staged import Registry

REGISTRY = Registry({"A": "school", "SO": "department"})


def reader(name, *, lenient=False, mode="bulk", version="1.2"):
    (spec,) = [each for each in KEPT_FILES[version] if each.name == name]
    positions = {column: index for index, column in enumerate(spec.header)}
    return RowReader(FilePlan(spec, f"{name}.csv", mode, len(spec.header), positions), REGISTRY, lenient)


def row(read, **values):
    return [values.get(name, "") for name in read.plan.spec.header]


SESSION = {
    "sourcedId": "s",
    "title": "HK1",
    "type": "semester",
    "startDate": "2026-09-05",
    "endDate": "2027-01-15",
    "schoolYear": "2027",
}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sourcedId": ""}, "value.required"),
        ({"sourcedId": "á"}, "sourcedId.invalid"),
        ({"title": "x" * 1001}, "value.tooLong"),
        ({"title": "a\x00b"}, "value.controlCharacter"),
        ({"type": "Semester"}, "value.notInList"),
        ({"startDate": "5/9/2026"}, "value.notDate"),
        ({"startDate": "2026-02-30"}, "value.notDate"),
        ({"startDate": "2028-01-01"}, "dates.reversed"),
        ({"schoolYear": "26-27"}, "value.notYear"),
        ({"status": "active"}, "bulk.statusFilled"),
        ({"title": "\ufffd"}, "row.notUtf8"),
    ],
)
def test_a_faulty_row_is_refused_with_its_code(change, code):
    read = reader("academicSessions")
    (staged,), problems = read.read(2, row(read, **(SESSION | change)))
    assert [problem.code for problem in problems] == [code]
    assert staged.outcome == "refused"


@pytest.mark.parametrize(
    ("change", "code", "value"),
    [
        ({"type": "Semester"}, "repair.wordCase", "semester"),
        ({"startDate": "5/9/2026"}, "repair.dateForm", dt.date(2026, 9, 5)),
        ({"startDate": "2026-09-05T00:00:00Z"}, "repair.dateForm", dt.date(2026, 9, 5)),
    ],
)
def test_a_lenient_reading_repairs_and_reports(change, code, value):
    read = reader("academicSessions", lenient=True)
    (staged,), problems = read.read(2, row(read, **(SESSION | change)))
    assert [problem.code for problem in problems] == [code]
    assert value in staged.values
    assert read.tally.repaired == 1


@pytest.mark.parametrize(
    ("status", "ended"), [("active", False), ("tobedeleted", True), ("inactive", True), ("", False)]
)
def test_a_filled_status_in_bulk_is_read_leniently(status, ended):
    read = reader("academicSessions", lenient=True)
    (staged,), _ = read.read(2, row(read, **(SESSION | {"status": status})))
    assert (staged.outcome, staged.ended) == ("accepted", ended)


def test_a_row_that_ends_its_record_needs_only_the_name():
    read = reader("enrollments", mode="delta")
    values = {"sourcedId": "e", "status": "tobedeleted", "dateLastModified": "2026-11-01T00:00:00.000Z"}
    (staged,), problems = read.read(2, row(read, **values))
    assert problems == []
    assert staged.ended


USER = {"sourcedId": "u", "enabledUser": "true", "username": "u", "givenName": "An", "familyName": "Lê"}


def test_forbidden_columns_never_reach_a_staged_row_and_are_counted_once_per_column():
    read = reader("users")
    for line in (2, 3):
        values = USER | {"sourcedId": f"u{line}", "password": "secret", "phone": "0900"}
        (staged,), problems = read.read(line, row(read, **values))
        assert problems == []
        assert not {"secret", "0900"} & set(map(str, staged.values))
    assert sorted((each.field, each.count) for each in read.finish()) == [("password", 2), ("phone", 2)]


def test_the_single_role_of_1_1_becomes_a_role_at_each_school():
    read = reader("users", version="1.1")
    values = USER | {"role": "administrator", "orgSourcedIds": "A"}
    (user, role), problems = read.read(2, row(read, **values))
    assert problems == []
    assert (role.sourced_id, role.school) == ("u/A/siteAdministrator", "A")
    assert role.values == ("u", "primary", "siteAdministrator", None, None)
    assert user.school == ""


@pytest.mark.parametrize("role", ["parent", "guardian", "relative"])
def test_families_are_left_at_the_door(role):
    read = reader("users", version="1.1")
    (staged,), problems = read.read(2, row(read, **(USER | {"role": role, "orgSourcedIds": "A"})))
    assert (staged.outcome, staged.values) == ("dropped", ())
    assert [problem.code for problem in problems] == ["dropped.family"]


def test_a_foreign_org_does_not_exist_and_an_office_is_no_school():
    read = reader("roles")
    values = {"sourcedId": "r", "userSourcedId": "u", "roleType": "primary", "role": "student"}
    assert [each.code for each in read.read(2, row(read, **values, orgSourcedId="B"))[1]] == ["org.unknown"]
    assert [each.code for each in read.read(3, row(read, **values, orgSourcedId="SO"))[1]] == ["org.notSchool"]


def test_repairs_are_listed_one_by_one_up_to_a_thousand_and_counted_beyond():
    read = reader("users", lenient=True)
    listed = 0
    for line in range(REPAIRS_LISTED + 500):
        listed += len(read.read(line, row(read, **(USER | {"sourcedId": f"u{line}", "enabledUser": "TRUE"})))[1])
    assert listed == REPAIRS_LISTED
    (rest,) = read.finish()
    assert (rest.code, rest.field, rest.count) == ("repair.booleanForm", "enabledUser", 500)
    assert read.tally.repaired == REPAIRS_LISTED + 500


def test_errors_are_never_folded():
    read = reader("users")
    listed = sum(len(read.read(line, row(read, **(USER | {"enabledUser": "x"})))[1]) for line in range(2000))
    assert listed == 2000
