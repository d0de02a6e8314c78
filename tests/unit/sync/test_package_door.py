"""Manifest, file names and headers: every fault at once in strict mode, the documented repairs in lenient mode."""

import pytest

from services.sync.domain.files import files_of
from services.sync.domain.package import Findings, match_entries, plan_package

HEADERS = {name: ",".join(spec.header) for name, spec in files_of("1.2").items() if spec.columns}


def manifest(modes, *more):
    lines = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.2"]
    lines += [f"file.{name},{modes.get(name, 'absent')}" for name in files_of("1.2")]
    return "\n".join([*lines, *more])


def door(*, lenient=False, modes=None, entries=("orgs.csv", "users.csv"), more=(), **headers):
    """Codes found for a package of orgs and users, with headers replaced."""
    findings = Findings(lenient)
    found = match_entries(["manifest.csv", *entries], findings)
    lines = {name: headers.get(name, HEADERS.get(name, "sourcedId,status,dateLastModified")) for name in found}
    text = manifest({"orgs": "bulk", "users": "bulk"} if modes is None else modes, *more)
    plan = plan_package(found, lines, text, findings)
    return plan, findings


def codes(findings):
    return [problem.code for problem in findings.problems]


def test_a_package_that_follows_the_standard_has_no_findings():
    plan, findings = door()
    assert findings.problems == []
    assert [(each.spec.name, each.mode) for each in plan.files] == [("orgs", "bulk"), ("users", "bulk")]


@pytest.mark.parametrize(
    ("header", "strict", "repair"),
    [
        (HEADERS["users"].replace("dateLastModified", "dataLastModified"), "header.misspelt", "repair.headerMisspelt"),
        (HEADERS["users"].replace("email", "Email"), "header.misspelt", "repair.headerMisspelt"),
        (HEADERS["users"] + ",,", "header.emptyCells", "repair.headerEmptyCells"),
        (HEADERS["users"] + ",salary", "header.unknown", "repair.columnUnknown"),
        (HEADERS["users"].replace(",pronouns", ""), "header.missing", "repair.columnMissing"),
        (HEADERS["users"].replace("sms,phone", "phone,sms"), "header.order", "repair.headerOrder"),
    ],
)
def test_a_header_fault_is_refused_strictly_and_repaired_leniently(header, strict, repair):
    assert codes(door(users=header)[1]) == [strict]
    plan, findings = door(lenient=True, users=header)
    assert codes(findings) == [repair]
    assert findings.errors == []
    (users,) = [each for each in plan.files if each.spec.name == "users"]
    assert users.positions["username"] == 4


@pytest.mark.parametrize("lenient", [True, False])
def test_a_missing_required_column_and_a_repeated_one_are_always_refused(lenient):
    assert "header.missing" in codes(door(lenient=lenient, users=HEADERS["users"].replace("username,", ""))[1])
    assert "header.twice" in codes(door(lenient=lenient, users=HEADERS["users"] + ",email")[1])


def test_metadata_columns_and_the_older_resource_column_are_allowed():
    older = HEADERS["users"].replace("userMasterIdentifier,", "userMasterIdentifier,resourceSourcedIds,")
    assert codes(door(users=older + ",metadata.x")[1]) == []


@pytest.mark.parametrize(
    ("entries", "strict", "repair"),
    [
        (("orgs.csv", "USERS.csv"), "file.nameCase", "repair.fileNameCase"),
        (("orgs.csv", "users.csv", "notes.txt"), "file.unknown", "repair.fileUnknown"),
        (("orgs.csv", "users.csv", "roles.csv"), "file.undeclared", "repair.fileUndeclared"),
    ],
)
def test_a_file_fault_is_refused_strictly_and_repaired_leniently(entries, strict, repair):
    assert codes(door(entries=entries)[1]) == [strict]
    assert codes(door(lenient=True, entries=entries)[1]) == [repair]


def test_an_empty_mode_means_bulk_when_the_file_is_there_and_absent_otherwise():
    modes = {"orgs": "bulk", "users": "", "roles": ""}
    assert codes(door(modes=modes)[1]) == ["manifest.mode", "manifest.mode"]
    plan, findings = door(lenient=True, modes=modes)
    assert findings.errors == []
    assert (plan.modes["users"], plan.modes["roles"]) == ("bulk", "absent")


@pytest.mark.parametrize("lenient", [True, False])
def test_faults_of_the_manifest_that_no_repair_can_guess(lenient):
    assert "manifest.mode" in codes(door(lenient=lenient, modes={"orgs": "bulk", "users": "full"})[1])
    assert "manifest.propertyTwice" in codes(door(lenient=lenient, more=("file.orgs,bulk",))[1])
    assert "file.missing" in codes(door(lenient=lenient, modes={"orgs": "bulk", "classes": "bulk", "users": "bulk"})[1])
    assert "manifest.nothing" in codes(door(lenient=lenient, modes={}, entries=())[1])


def test_what_is_known_but_not_kept_is_named():
    _, findings = door(
        modes={"orgs": "bulk", "users": "bulk", "userProfiles": "bulk"},
        entries=("orgs.csv", "users.csv", "userProfiles.csv"),
    )
    assert [(each.code, each.file) for each in findings.problems] == [("dropped.file", "userProfiles.csv")]
