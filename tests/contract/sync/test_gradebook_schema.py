"""Every reading operation of the official gradebook and resources files against our answers."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from services.sync.domain.oneroster_gradebook import LISTS
from tests.integration.sync.conftest import sync  # noqa: F401  # the fixture of the running service
from tests.integration.sync.gradebook_packages import assessment_lines, gradebook_files
from tests.integration.sync.packages import make_package, school_files
from tests.integration.sync.stage import ROSTER_SCOPE, VENDOR_SCOPE

FOLDER = Path(__file__).parents[4] / "shared/data/oneroster/openapi"
SCOPES = " ".join(ROSTER_SCOPE.replace("roster.", f"{name}.") for name in ("gradebook", "resource", "assessment"))
IDS = {
    "classSourcedId": "A-lop1",
    "courseSourcedId": "A-toan",
    "userSourcedId": "A-hs0",
    "studentSourcedId": "A-hs0",
    "lineItemSourcedId": "A-bt",
    "schoolSourcedId": "A",
}
SINGLE = "/{sourcedId}"


def official(service):
    path = FOLDER / f"onerosterv1p2{service}service_openapi3_v1p0.json"
    if not path.exists():
        pytest.skip(f"NOTICE: the official OneRoster {service} file is not here; its check did not run")
    return json.loads(path.read_text(encoding="utf-8"))


def validator(document, path, status):
    schema = document["paths"][path]["get"]["responses"][status]["content"]["application/json"]["schema"]
    whole = {"$ref": "#/$defs/answer", "$defs": {"answer": schema}, "components": document["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def readable(document):
    return sorted(path for path, verbs in document["paths"].items() if "get" in verbs)


@pytest.fixture
async def vendor(sync):  # noqa: F811  # the fixture
    await sync.put_schools("A", "B")
    vendor = sync.as_vendor("A", scope=f"{VENDOR_SCOPE} {SCOPES}")
    await sync.imported(make_package({**school_files("A"), **gradebook_files("A")}), vendor, mode="auto")
    await sync.imported(assessment_lines("A"), vendor, mode="auto")
    return vendor


@pytest.mark.parametrize("service", ["gradebook", "resources"])
async def test_every_list_and_every_single_record_is_what_the_standard_says(sync, vendor, service):  # noqa: F811
    document, base = official(service), f"/ims/oneroster/{service}/v1p2"
    ours = {each.path for each in LISTS if each.version.base == base}
    assert ours == {path for path in readable(document) if not path.endswith(SINGLE)}
    for path in readable(document):
        if path.endswith(SINGLE):
            continue
        answer = await sync.client.get(base + path.format(**IDS), headers=vendor)
        assert answer.status_code == 200, (path, answer.text)
        validator(document, path, "200").validate(answer.json())
        (records,) = answer.json().values()
        assert records, path
        assert answer.headers["x-total-count"] == str(len(records))
        if path + SINGLE not in document["paths"]:
            continue
        for record in records:
            one = await sync.client.get(f"{base}{path}/{record['sourcedId']}", headers=vendor)
            validator(document, path + SINGLE, "200").validate(one.json())
            assert list(one.json().values()) == [record]


@pytest.mark.parametrize("service", ["gradebook", "resources"])
async def test_every_error_is_what_the_standard_says(sync, vendor, service):  # noqa: F811
    document, base = official(service), f"/ims/oneroster/{service}/v1p2"
    collection = {"gradebook": "results", "resources": "resources"}[service]
    for query, status in (("?filter=x", "400"), ("?fields=x", "400"), ("?sort=x", "400"), ("/nothing", "404")):
        answer = await sync.client.get(f"{base}/{collection}{query}", headers=vendor)
        assert answer.status_code == int(status), query
        path = f"/{collection}{SINGLE if status == '404' else ''}"
        validator(document, path, status).validate(answer.json())
    for headers, status in ((sync.as_vendor("A"), "403"), ({}, "401")):
        answer = await sync.client.get(f"{base}/{collection}", headers=headers)
        validator(document, f"/{collection}", status).validate(answer.json())


async def test_a_mark_is_shown_as_the_exact_decimal_it_is(sync, vendor):  # noqa: F811
    answer = await sync.client.get("/ims/oneroster/gradebook/v1p2/results/A-kq0?fields=score", headers=vendor)
    assert "8.5}" in answer.text.replace(" ", "")


async def test_marks_are_filtered_by_their_number(sync, vendor):  # noqa: F811
    base = "/ims/oneroster/gradebook/v1p2/results"
    assert (await sync.read(base, vendor, filter="score>'8.4'"))["results"] != []
    assert (await sync.read(base, vendor, filter="score>'8.5'"))["results"] == []
    assert (await sync.client.get(f"{base}?filter=score>'x'", headers=vendor)).status_code == 400


async def test_marks_and_parents_of_another_school_do_not_exist(sync, vendor):  # noqa: F811
    stranger = sync.as_vendor("B", scope=f"{VENDOR_SCOPE} {SCOPES}")
    base = "/ims/oneroster/gradebook/v1p2"
    assert (await sync.read(f"{base}/results", stranger))["results"] == []
    for path in ("results/A-kq0", "classes/A-lop1/results", "schools/A/scoreScales", "classes/A-lop1/lineItems"):
        assert (await sync.client.get(f"{base}/{path}", headers=stranger)).status_code == 404, path
