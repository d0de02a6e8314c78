"""The whole system as `make run` starts it, asked from outside through the gateway and nothing else."""

import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.city import MAIN_SCHOOL, SCHOOLS, SECOND_SCHOOL, UNGRANTED_SCHOOL
from deploy.demo.client import Caller, Gateway
from deploy.demo.package import SchoolPlan, make_package
from tests.support.supervised import Supervised, until

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "oneroster" / "samples"
ONEROSTER = "/ims/oneroster/rostering/v1p2"
ZIP = {"Content-Type": "application/zip"}
LISTS = ("orgs", "schools", "classes", "users", "students", "teachers", "enrollments", "academicSessions", "courses")


@pytest.fixture(scope="module")
def demo(whole_stack: Supervised) -> dict[str, Any]:
    return whole_stack.demo()


@pytest.fixture(scope="module")
def gateway(demo) -> Iterator[Gateway]:
    with Gateway(demo) as opened:
        yield opened


@pytest.fixture(scope="module")
def vendor(gateway) -> Caller:
    return gateway.client("vendor")


def test_the_demo_file_says_what_tools_rely_on(demo, whole_stack):
    assert demo["gateway"] == whole_stack.gateway_url
    assert set(demo["clients"]) == {"vendor", "department", "portal"}
    assert all(set(client) == {"clientId", "clientSecret"} for client in demo["clients"].values())
    assert all({"subject", "org"} <= set(user) for user in demo["users"].values())
    assert {"sourcedId": MAIN_SCHOOL.sourced_id, "name": MAIN_SCHOOL.name, "level": MAIN_SCHOOL.level} in demo[
        "schools"
    ]
    assert uuid.UUID(demo["mainJob"]["importId"])
    assert uuid.UUID(demo["mainJob"]["submissionId"])


def test_the_main_job_ends_with_an_accepted_submission_that_the_portal_reads(demo, gateway):
    found = gateway.client("portal").get(f"/reporting/v1/submissions/{demo['mainJob']['submissionId']}")
    assert [found["state"], found["late"], found["school"]] == ["accepted", False, MAIN_SCHOOL.sourced_id]
    assert [step["action"] for step in found["history"]][-2:] == ["submit", "accept"]


def test_prefilled_numbers_equal_what_oneroster_returns_and_say_where_they_come_from(demo, vendor, gateway):
    found = gateway.client("portal").get(f"/reporting/v1/submissions/{demo['mainJob']['submissionId']}")
    fields = {field["name"]: field for field in found["fields"]}
    school = f"{ONEROSTER}/schools/{MAIN_SCHOOL.sourced_id}"
    for name, path, wrapper in (
        ("learners", "students", "users"),
        ("teachers", "teachers", "users"),
        ("classes", "classes", "classes"),
    ):
        records = vendor.get(f"{school}/{path}", limit=10000)[wrapper]
        assert fields[name]["value"] == len({record["sourcedId"] for record in records}) > 0
        assert fields[name]["prefilled"]["source"]["importId"] == demo["mainJob"]["importId"]
    approved = gateway.client("department").get(
        "/materials/v1/materials", school=MAIN_SCHOOL.sourced_id, state="published"
    )
    assert fields["approvedMaterials"]["value"] == len(approved["items"]) == 1
    assert fields["approvedMaterials"]["prefilled"]["source"]["event"] == "materials.material.approved.v1"


def test_the_summary_tells_a_person_what_happened(whole_stack):
    for words in ("biên nhận", "ba lý do thường gặp nhất", "từ sync", "từ materials", "tổng cộng", "tiếp nhận"):
        assert words in whole_stack.output


def _upload(vendor: Caller, content: bytes, **options: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/zip", "Idempotency-Key": str(uuid.uuid4())}
    place = vendor.send("POST", "/sync/v1/imports", content=content, params=options, headers=headers).headers[
        "location"
    ]
    done: dict[str, Any] = vendor.wait_for(
        place, until=lambda found: found["state"] in {"ready", "held", "committed", "rejected"}
    )
    return done


def _release(head: Caller, import_id: str) -> None:
    place = f"/sync/v1/imports/{import_id}"
    head.send("POST", f"{place}/commit", json={"reason": "Đã đối chiếu với gói trước."})
    head.wait_for(place, until=lambda found: found["state"] != "committing")


def _codes(vendor: Caller, import_id: str, severity: str) -> set[str]:
    summary = vendor.get(f"/sync/v1/imports/{import_id}/problems/summary")["items"]
    return {item["code"] for item in summary if item["severity"] == severity}


@pytest.mark.parametrize("name", ["v1p1_full_dataset.zip", "v1p2_full_dataset.zip"])
def test_a_real_package_is_refused_strictly_with_reasons_and_kept_leniently_as_far_as_it_can_be(vendor, gateway, name):
    if not SAMPLES.is_dir():
        pytest.skip("the real OneRoster packages are not here: ../shared/data/oneroster/samples")
    content = (SAMPLES / name).read_bytes()
    answer = vendor.ask("POST", "/sync/v1/imports", content=content, headers=ZIP)
    if answer.status_code == 202:
        found = vendor.wait_for(answer.headers["location"], until=lambda each: each["state"] in {"ready", "rejected"})
        assert found["state"] == "rejected"
        assert len(_codes(vendor, found["id"], "error")) >= 2
    else:
        assert answer.status_code == 422
        assert len(answer.json()["errors"]) >= 2
    kept = _upload(vendor, content, lenient="true", mode="auto")
    if kept["state"] == "held":  # the other package came first, and this one changes nearly everything of it
        assert vendor.ask("POST", f"/sync/v1/imports/{kept['id']}/commit").json()["code"] == "import.held"
        _release(gateway.person("sample_head"), kept["id"])
        kept = vendor.get(f"/sync/v1/imports/{kept['id']}")  # the head sees the own school's part, the vendor all of it
    assert kept["state"] == "committed"
    assert sum(file["accepted"] for file in kept["files"]) > 0
    assert _codes(vendor, kept["id"], "repair")
    read = vendor.get(f"{ONEROSTER}/schools/org-sch-222-456/students", limit=100)["users"]
    assert {"usr-222-1234561232", "usr-222-567891"} <= {user["sourcedId"] for user in read}


def test_a_school_nobody_granted_does_not_exist_for_the_vendor(vendor):
    package = make_package([SchoolPlan(UNGRANTED_SCHOOL.sourced_id, UNGRANTED_SCHOOL.level, learners=40)])
    found = _upload(vendor, package.zipped(), mode="auto")
    assert found["state"] == "rejected"
    assert "org.unknown" in _codes(vendor, found["id"], "error")
    listed = vendor.get(f"{ONEROSTER}/schools", limit=100)["orgs"]
    assert {org["sourcedId"] for org in listed} == {each.sourced_id for each in SCHOOLS} - {UNGRANTED_SCHOOL.sourced_id}


def test_nothing_of_one_school_exists_for_the_head_of_another(demo, gateway):
    """Every address that names something of the first school, asked with the token of the second school's head."""
    job = demo["mainJob"]
    paths = [
        f"/sync/v1/imports/{job['importId']}",
        f"/sync/v1/imports/{job['importId']}/problems",
        f"/sync/v1/imports/{job['importId']}/diff",
        f"/materials/v1/materials/{job['materialId']}",
        f"/materials/v1/materials/{job['materialId']}/file",
        f"/reporting/v1/submissions/{job['submissionId']}",
        f"{ONEROSTER}/users/{MAIN_SCHOOL.sourced_id}-hs-00000",
        f"{ONEROSTER}/students/{MAIN_SCHOOL.sourced_id}-hs-00000",
        f"{ONEROSTER}/schools/{MAIN_SCHOOL.sourced_id}/students",
    ]
    own, other = gateway.person("head"), gateway.person("second_head")
    assert [own.ask("GET", path).status_code for path in paths] == [200] * len(paths)
    assert [other.ask("GET", path).status_code for path in paths] == [404] * len(paths)
    for name in LISTS[2:]:
        wrapper = "users" if name in {"students", "teachers"} else name
        assert other.get(f"{ONEROSTER}/{name}", limit=10000)[wrapper] == []
    assert own.get(f"{ONEROSTER}/classes")["classes"] != []
    assert {org["sourcedId"] for org in other.get(f"{ONEROSTER}/schools")["orgs"]} == {SECOND_SCHOOL.sourced_id}


def test_the_correlation_id_of_a_request_reaches_the_log_of_the_service_behind_the_gateway(vendor, whole_stack):
    vendor.ask("GET", "/sync/v1/imports", headers={"X-Correlation-Id": "night-run-42"})
    log = whole_stack.folder / "logs" / "sync.log"
    # The line is written after the answer has gone out.
    until(lambda: "night-run-42" in log.read_text())
    (line,) = [each for each in log.read_text().splitlines() if "night-run-42" in each]
    assert '"route": "/sync/v1/imports"' in line


def test_no_log_holds_a_name_of_a_child_a_secret_or_a_token(demo, whole_stack):
    package = make_package([SchoolPlan(MAIN_SCHOOL.sourced_id, MAIN_SCHOOL.level, learners=412)])
    names = {f"{row['familyName']} {row['middleName']} {row['givenName']}" for row in package.rows["users"]}
    secrets = {client["clientSecret"] for client in demo["clients"].values()}
    for log in (whole_stack.folder / "logs").glob("*.log"):
        text = log.read_text()
        assert not [name for name in names if name in text], log.name
        assert not [secret for secret in secrets if secret in text], log.name
        assert "eyJ" not in text, log.name


def test_a_zip_that_is_none_is_refused_at_the_door(vendor):
    answer = vendor.ask("POST", "/sync/v1/imports", content=b"not a zip", headers=ZIP)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert zipfile.BadZipFile.__name__ not in answer.text
