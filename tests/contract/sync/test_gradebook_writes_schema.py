"""Every writing operation of the official gradebook file: answers good and bad against its schemas."""

import json

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from deploy.local.plan import REPOSITORY
from tests.contract.sync.test_gradebook_schema import SCOPES, official
from tests.integration.sync.conftest import sync  # noqa: F401  # the fixture of the running service
from tests.integration.sync.gradebook_packages import assessment_lines, gradebook_files
from tests.integration.sync.packages import make_package, school_files
from tests.integration.sync.stage import VENDOR_SCOPE

BASE = "/ims/oneroster/gradebook/v1p2"
PREFIX = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
NAMES = (
    *("gradebook.createput", "gradebook.createpost", "gradebook.delete"),
    *("assessment.createput", "assessment.delete"),
)
WRITING = " ".join(PREFIX + name for name in NAMES)
IDS = {
    "classSourcedId": "A-lop1",
    "academicSessionSourcedId": "HK1",
    "lineItemSourcedId": "A-bt",
    "schoolSourcedId": "A",
}
VERBS = ("put", "post", "delete")


@pytest.fixture
async def writer(sync):  # noqa: F811  # the fixture
    await sync.put_schools("A")
    vendor = sync.as_vendor("A", scope=f"{VENDOR_SCOPE} {SCOPES} {WRITING}")
    for package in (make_package({**school_files("A"), **gradebook_files("A")}), assessment_lines("A")):
        assert (await sync.imported(package, vendor, mode="auto"))["state"] == "committed"
    return vendor


def writing(document):
    return [(verb, path) for path, verbs in sorted(document["paths"].items()) for verb in VERBS if verb in verbs]


def check(document, verb, path, answer, status):
    """The answer has the status, and the body the operation's schema for it; without a schema, none."""
    assert answer.status_code == status, (verb, path, answer.text)
    content = document["paths"][path][verb]["responses"][str(status)].get("content")
    if content is None:
        assert answer.content == b"", (verb, path)
        return
    schema = content["application/json"]["schema"]
    whole = {"$ref": "#/$defs/answer", "$defs": {"answer": schema}, "components": document["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(answer.json())


async def send(sync, verb, path, headers, body=None, **ids):  # noqa: F811
    place = BASE + path.format(**{"sourcedId": "moi", **IDS, **ids})
    return await sync.client.request(verb, place, headers=headers, json=None if verb == "delete" else body)


def test_every_writing_operation_of_the_standard_is_ours_and_none_beside():
    ours = json.loads((REPOSITORY / "docs/openapi/sync.json").read_text(encoding="utf-8"))
    offered = {
        (verb, path.removeprefix(BASE))
        for path, verbs in ours["paths"].items()
        for verb in VERBS
        if path.startswith(BASE) and verb in verbs
    }
    assert offered == set(writing(official("gradebook")))


async def test_what_is_refused_is_refused_in_the_words_of_the_standard(sync, writer):  # noqa: F811
    document = official("gradebook")
    reader = sync.as_vendor("A", scope=f"{VENDOR_SCOPE} {SCOPES}")
    for verb, path in writing(document):
        check(document, verb, path, await send(sync, verb, path, {}, {}), 401)
        check(document, verb, path, await send(sync, verb, path, reader, {}), 403)
        if verb == "delete":
            check(document, verb, path, await send(sync, verb, path, writer), 404)
            continue
        check(document, verb, path, await send(sync, verb, path, writer, {}), 422)
        if verb == "post":
            gone = dict.fromkeys(IDS, "khong-co")
            noun = path.rsplit("/", 1)[-1]
            check(document, verb, path, await send(sync, verb, path, writer, {noun: []}, **gone), 404)


async def test_what_is_read_may_be_put_posted_and_deleted_with_the_answers_of_the_standard(sync, writer):  # noqa: F811
    document = official("gradebook")
    for verb, path in writing(document):
        collection = path.split("/")[-1] if verb == "post" else path.split("/")[1]
        read = await sync.read(f"{BASE}/{collection}", writer, limit="1", filter="status='active'")
        (record,) = read[collection]
        match verb:
            case "put":
                body = {_noun(collection): record | {"sourcedId": "moi"}}
                check(document, verb, path, await send(sync, verb, path, writer, body), 201)
            case "post":
                body = {collection: [record]}
                check(document, verb, path, await send(sync, verb, path, writer, body), 201)
            case _:
                check(document, verb, path, await send(sync, verb, path, writer), 204)


def _noun(collection):
    return "category" if collection == "categories" else collection.removesuffix("s")
