"""A walk over every reading operation of the three official OneRoster 1.2 files, against the running provider."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.sync.api.oneroster_discovery import SERVICES
from tests.contract.sync.official import FILES, every_scope, operations
from tests.integration.sync.conftest import sync  # noqa: F401  # the fixture of the running service
from tests.integration.sync.gradebook_packages import assessment_lines, gradebook_files
from tests.integration.sync.packages import SAMPLE_SCHOOL, Row, make_package, sample, school_files
from tests.integration.sync.stage import VENDOR_SCOPE

IDS = {
    "schoolSourcedId": "A",
    "classSourcedId": "A-lop1",
    "courseSourcedId": "A-toan",
    "termSourcedId": "HK1",
    "studentSourcedId": "A-hs0",
    "teacherSourcedId": "A-gv",
    "userSourcedId": "A-hs0",
    "lineItemSourcedId": "A-bt",
}
BAD = "invaliddata"
NOWHERE = "không-có"
SIGNS = ("=", "!=", ">", ">=", "<", "<=", "~")
INSTANTS = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "0001-01-01", "9999-12-31", "2026-W01-1")


def whole_school() -> dict[str, list[Row]]:
    """All 21 files of a school with every column filled that we keep, and a grading period below the term."""
    files = {**school_files("A"), **gradebook_files("A")}
    year = {"sourcedId": "NH", "title": "2026-2027", "type": "schoolYear", "startDate": "2026-09-05"}
    year |= {"endDate": "2027-05-31", "schoolYear": "2027"}
    period = {**files["academicSessions"][0], "sourcedId": "GK1", "type": "gradingPeriod", "parentSourcedId": "HK1"}
    term = {**files["academicSessions"][0], "parentSourcedId": "NH"}
    files["academicSessions"] = [period, term, year]
    (course,) = files["courses"]
    rich = {"courseCode": "T6", "grades": "6,7", "subjects": "Toán", "subjectCodes": "T", "schoolYearSourcedId": "NH"}
    files["courses"] = [{**course, **rich}]
    rich = {"classCode": "6A1", "location": "P.1", "subjects": "Toán", "subjectCodes": "T", "periods": "1,2"}
    files["classes"] = [{**each, **rich} for each in files["classes"]]
    rich = {"userIds": "{LDAP:1},{LTI:2}", "email": "a@b.vn", "primaryOrgSourcedId": "A", "identifier": "i-1"}
    rich |= {"middleName": "Văn", "userMasterIdentifier": "m-1", "preferredGivenName": 'Ân "Bi" \\ é'}
    files["users"] = [{**each, **rich} for each in files["users"]]
    rich = {"beginDate": "2026-09-05", "endDate": "2027-05-31", "primary": "true"}
    files["enrollments"] = [{**each, **rich} for each in files["enrollments"]]
    return files


@pytest.fixture
async def reader(sync):  # noqa: F811  # the fixture
    await sync.put_schools("A", "B")
    sender = sync.as_vendor("A")
    done = await sync.imported(make_package(whole_school()), sender, mode="auto")
    assert [each for each in await sync.problems(done["id"], sender) if each["severity"] == "error"] == []
    done = await sync.imported(assessment_lines("A"), sender, mode="auto")
    assert (done["state"], await sync.problems(done["id"], sender)) == ("committed", [])
    return sync.as_vendor("A", scope=f"{VENDOR_SCOPE} {' '.join(every_scope())}")


@pytest.fixture
def ask(sync, reader):  # noqa: F811  # the fixture
    async def ask(operation, *, headers=reader, ids=IDS, raw="", **query):
        place = operation.base + operation.path.format(**{"sourcedId": NOWHERE, **ids}) + raw
        return await sync.client.get(place, headers=headers, params=query or None)

    return ask


def links_of(answer) -> dict[str, str]:
    """Addresses by `rel`; every part of the header must be exactly one address and one quoted `rel`."""
    found = {}
    for part in answer.headers["link"].split(", "):
        matched = re.fullmatch(r'<(http://gateway\.test/[^>]+)>; rel="(next|prev|first|last)"', part)
        assert matched, part
        assert matched[2] not in found
        found[matched[2]] = matched[1]
    return found


def minor_of(answer) -> str:
    (field,) = answer.json()["imsx_CodeMinor"]["imsx_codeMinorField"]
    assert field["imsx_codeMinorFieldName"] == "TargetEndSystem"
    return field["imsx_codeMinorFieldValue"]


def refuses(operation, answer, status: int, minor: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.request.url
    operation.validate(status, answer.json())
    assert minor_of(answer) == minor, answer.request.url
    assert answer.json()["imsx_description"].startswith("Liên Thông: ")


def test_discovery_names_every_reading_operation_of_the_standard_and_no_other():
    for service in SERVICES:
        theirs = {each.path: (each.name, each.scopes) for each in operations(service.name)}
        scopes = {path: frozenset(service.version.scopes(*names)) for path, (_, names) in service.operations.items()}
        assert {path: (name, scopes[path]) for path, (name, _) in service.operations.items()} == theirs
    assert sum(len(service.operations) for service in SERVICES) == 41 + 19 + 5


@pytest.mark.parametrize("service", FILES)
async def test_every_operation_answers_real_ids_as_the_official_schema_says(ask, service):
    for operation in operations(service):
        if operation.is_single:
            continue
        answer = await ask(operation, limit="10000")
        assert answer.status_code == 200, (operation, answer.text)
        assert answer.headers["content-type"] == "application/json"
        operation.validate(200, answer.json())
        assert list(answer.json()) == [operation.wrapper]
        records = answer.json()[operation.wrapper]
        assert records, operation
        assert answer.headers["x-total-count"] == str(len(records))
        assert links_of(answer).keys() == {"first", "last"}
        for single in (each for each in operations(service) if each.path == f"{operation.path}/{{sourcedId}}"):
            for record in records:
                one = await ask(single, ids={"sourcedId": record["sourcedId"]})
                assert one.headers["content-type"] == "application/json"
                single.validate(200, one.json())
                assert one.json() == {single.wrapper: record}


@pytest.mark.parametrize("service", FILES)
async def test_a_package_of_the_real_world_is_answered_as_the_official_schema_says(sync, service):  # noqa: F811
    await sync.put_schools(SAMPLE_SCHOOL)
    sender = sync.as_vendor(SAMPLE_SCHOOL)
    await sync.imported(sample("v1p2_full_dataset.zip"), sender, mode="auto", lenient="true")
    reader = sync.as_vendor(SAMPLE_SCHOOL, scope=" ".join(every_scope()))
    for operation in operations(service):
        if operation.parents:
            continue
        answer = await sync.client.get(f"{operation.base}{operation.path}?limit=10000", headers=reader)
        operation.validate(200, answer.json())
        records = answer.json()[operation.wrapper]
        (single,) = (each for each in operations(service) if each.path == f"{operation.path}/{{sourcedId}}")
        for record in records:
            one = await sync.client.get(f"{operation.base}{operation.path}/{record['sourcedId']}", headers=reader)
            single.validate(200, one.json())
            assert one.json() == {single.wrapper: record}


@pytest.mark.parametrize("service", FILES)
async def test_every_field_we_keep_of_a_record_is_shown_somewhere(ask, service):
    """So that the schema is not met by leaving fields out: what is never sent is named, with its reason."""
    never = {
        "metadata": "no extensions of our own",
        "children": "the tree is read by its parents",
        "pronouns sms phone agents password userProfiles": "minimal data",
        "resources": "read from the resources service",
        "comment": "minimal data: free words about a learner",
        "americanIndianOrAlaskaNative asian blackOrAfricanAmerican nativeHawaiianOrOtherPacificIslander white "
        "demographicRaceTwoOrMoreRaces hispanicOrLatinoEthnicity countryOfBirthCode stateOfBirthAbbreviation "
        "cityOfBirth publicSchoolResidenceStatus": "minimal data",
        # Rows of the sample leave these empty.
        "preferredMiddleName preferredLastName description textScore inProgress incomplete missing": "empty here",
        "gradingPeriod importance vendorId applicationId": "empty here",
    }
    unsent = {name for names in never for name in names.split()}
    for operation in operations(service):
        if operation.is_single or operation.path.count("/") > 1:
            continue
        records = (await ask(operation, limit="10000")).json()[operation.wrapper]
        shown = {name for record in records for name in record}
        assert set(operation.properties()) - shown <= unsent, operation


@pytest.mark.parametrize("service", FILES)
async def test_following_the_links_reads_every_list_once_and_whole(ask, sync, reader, service):  # noqa: F811
    for operation in operations(service):
        if operation.is_single:
            continue
        whole = (await ask(operation, limit="10000")).json()[operation.wrapper]
        step = max(1, len(whole) // 3)
        answer = await ask(operation, limit=str(step), filter="status='active'")
        read, pages = list(answer.json()[operation.wrapper]), 1
        while "next" in (links := links_of(answer)):
            assert parse_qs(urlsplit(links["next"]).query)["filter"] == ["status='active'"]
            answer = await sync.client.get(links["next"].removeprefix("http://gateway.test"), headers=reader)
            assert answer.headers["x-total-count"] == str(len(whole))
            assert "prev" in links_of(answer)
            read += answer.json()[operation.wrapper]
            pages += 1
        assert read == whole, operation
        assert pages == max(1, -(-len(whole) // step))
        last = await sync.client.get(links_of(answer)["last"].removeprefix("http://gateway.test"), headers=reader)
        assert last.json()[operation.wrapper] == whole[(len(whole) - 1) // step * step :]


@pytest.mark.parametrize("service", FILES)
async def test_every_field_of_the_standard_may_be_selected(ask, service):
    for operation in operations(service):
        known = operation.properties()
        ids = IDS
        if operation.is_single:
            (listed,) = (each for each in operations(service) if f"{each.path}/{{sourcedId}}" == operation.path)
            (first, *_) = (await ask(listed)).json()[listed.wrapper]
            ids = {"sourcedId": first["sourcedId"]}
        for asked in (*([name] for name in known), [",".join(known)], ["sourcedId", "status,dateLastModified"]):
            answer = await ask(operation, ids=ids, fields=asked)
            assert answer.status_code == 200, (operation, asked, answer.text)
            operation.validate(200, answer.json(), selected=True)
            found = answer.json()[operation.wrapper]
            names = set(",".join(asked).split(","))
            assert all(set(record) <= names for record in ([found] if operation.is_single else found))


def scalar_fields(operation) -> list[str]:
    return [name for name, each in operation.properties().items() if each.get("type") in {"string", "number"}]


@pytest.mark.parametrize("service", FILES)
async def test_every_scalar_field_shown_may_be_sorted_by_and_filtered_by(ask, service):
    for operation in operations(service):
        if operation.is_single:
            continue
        records = (await ask(operation, limit="10000")).json()[operation.wrapper]
        for name in scalar_fields(operation):
            values = [record[name] for record in records if name in record]
            if not values:
                continue
            for order in ("asc", "desc"):
                answer = await ask(operation, sort=name, orderBy=order, limit="10000")
                assert answer.status_code == 200, (operation, name)
                found = [record[name] for record in answer.json()[operation.wrapper] if name in record]
                assert found == sorted(values, reverse=order == "desc"), (operation, name)
            literal = str(values[0]).replace("\\", "\\\\").replace("'", "\\'")
            answer = await ask(operation, filter=f"{name}='{literal}'", limit="10000")
            operation.validate(200, answer.json())
            expected = [record for record in records if record.get(name) == values[0]]
            assert answer.json()[operation.wrapper] == expected, (operation, name)


@pytest.mark.parametrize("service", FILES)
async def test_unknown_ids_and_unknown_parents_are_unknown_objects(ask, sync, service):  # noqa: F811
    stranger = sync.as_vendor("B", scope=" ".join(every_scope()))
    for operation in operations(service):
        for parent in operation.parents:
            refuses(operation, await ask(operation, ids={**IDS, parent: NOWHERE}), 404, "unknownobject")
        if operation.parents and not operation.is_single and "termSourcedId" not in operation.parents:
            refuses(operation, await ask(operation, headers=stranger), 404, "unknownobject")


@pytest.mark.parametrize("service", FILES)
async def test_wrong_queries_are_refused_in_the_words_of_the_standard(ask, service):
    sort = "invalid_sort_field" if service == "resources" else "invalid_filter_field"
    wrong = [
        ({"filter": "x"}, "invalid_filter_field"),
        ({"filter": ""}, "invalid_filter_field"),
        ({"filter": "shoeSize='42'"}, "invalid_filter_field"),
        ({"filter": "status='active' AND shoeSize='42'"}, "invalid_filter_field"),
        ({"filter": "status='active' XOR status='active'"}, "invalid_filter_field"),
        ({"filter": "dateLastModified>'yesterday'"}, "invalid_filter_field"),
        ({"sort": "shoeSize"}, sort),
        ({"fields": "shoeSize"}, "invalid_selection_field"),
        ({"fields": "sourcedId,shoeSize"}, "invalid_selection_field"),
        *(({"limit": value}, BAD) for value in ("0", "-1", "many", "1.5", "")),
        *(({"offset": value}, BAD) for value in ("-1", "far", "")),
        ({"orderBy": "up"}, BAD),
    ]
    for operation in operations(service):
        for query, minor in wrong:
            if operation.is_single and "fields" not in query:
                continue
            refuses(operation, await ask(operation, **query), 400, minor)


@pytest.mark.parametrize("service", FILES)
async def test_no_text_a_caller_can_send_breaks_the_provider(ask, service):
    """Bytes PostgreSQL does not store, instants and numbers beyond its range, offsets beyond an integer."""
    texts = ["\x00", "\x1f", "\U0010ffff", "'", "\\", "%", "a" * 5000]
    for operation in operations(service):
        asked: list[dict[str, Any]] = [{"fields": text} for text in texts]
        for place in ("a%00b", "%FF%ED%A0%80", "a" * 300) if operation.parents else ():
            asked += [{"ids": dict.fromkeys(operation.parents, place), "raw": raw} for raw in ("", "?fields=sourcedId")]
        if not operation.is_single:
            asked += [{"filter": f"sourcedId='{text}'", "sort": "status"} for text in texts]
            asked += [{"filter": f"sourcedId~'{text}'"} for text in texts]
            asked += [{"sort": text} for text in texts]
            signs = SIGNS if operation.path.count("/") == 1 else (">",)
            asked += [{"filter": f"dateLastModified{sign}'{value}'"} for value in INSTANTS for sign in signs]
            asked += [{"offset": value} for value in ("2147483648", str(2**62), str(2**63), "9" * 400)]
            asked += [{"limit": value} for value in ("2147483647", "2147483648", "9" * 400)]
            asked += [{"raw": raw} for raw in ("?filter=%FF", "?sort=%ED%A0%80", "?fields=%FF", "?limit")]
            numbers = [name for name, each in operation.properties().items() if each.get("type") == "number"]
            for value in ("NaN", "sNaN", "Infinity", "1e999999", "-1e400", "1_0", "٣"):
                asked += [{"filter": f"{name}>'{value}'"} for name in numbers]
        for query in asked:
            answer = await ask(operation, **query)
            assert answer.status_code in {200, 400, 404}, (answer.request.url, answer.text)
            operation.validate(answer.status_code, answer.json(), selected="fields" in str(answer.request.url))


@pytest.mark.parametrize("service", FILES)
async def test_each_operation_opens_with_its_scopes_and_no_other(ask, sync, service):  # noqa: F811
    for operation in operations(service):
        refuses(operation, await ask(operation, headers={}), 401, "unauthorisedrequest")
        for scope in every_scope():
            answer = await ask(operation, headers=sync.as_vendor("A", scope=scope))
            if scope in operation.scopes:
                assert answer.status_code == (404 if operation.is_single else 200), (operation, scope)
            else:
                refuses(operation, answer, 403, "forbidden")


@pytest.mark.parametrize("service", FILES)
async def test_a_path_or_a_method_the_standard_does_not_have_is_refused_in_its_shape(sync, reader, service):  # noqa: F811
    first = next(operations(service))
    answer = await sync.client.get(f"{first.base}/shoes", headers=reader)
    refuses(first, answer, 404, "unknownobject")
    answer = await sync.client.patch(f"{first.base}{first.path.partition('{')[0].rstrip('/')}", headers=reader)
    assert answer.status_code in {404, 405}
    first.validate(answer.status_code, answer.json())
