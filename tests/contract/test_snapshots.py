import difflib
import json
import re

import pytest
import yaml

from tests.architecture.sources import REPOSITORY, SERVICES, name_of
from tests.contract.events import asyncapi, event_types, matches
from tests.contract.snapshots import APIS, EVENTS, current, kept, refusals

NAME = re.compile(r"^(gateway|sync|materials|reporting)\.[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*\.v[1-9]\d*$")

# OAuth names its own members (RFC 6749, 7517, 8414, 8693).
OAUTH_NAMES = {
    *("access_token", "issued_token_type", "token_type", "expires_in"),
    *("token_endpoint", "jwks_uri", "scopes_supported", "response_types_supported", "grant_types_supported"),
    *("token_endpoint_auth_methods_supported", "service_documentation", "ui_locales_supported"),
}

# OneRoster names the members of its status object.
ONEROSTER_NAMES = {
    *("imsx_codeMajor", "imsx_severity", "imsx_description", "imsx_codeMinor", "imsx_CodeMinor"),
    *("imsx_codeMinorField", "imsx_codeMinorFieldName", "imsx_codeMinorFieldValue"),
}

# What an LMS sends by form (OpenID Connect, LTI 1.3).
LTI_NAMES = {"id_token", "login_hint", "target_link_uri", "client_id", "lti_message_hint"}


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    return current(tmp_path_factory.mktemp("apis"))


def test_the_snapshots_are_what_the_code_says(documents):
    different = [path for path, text in documents.items() if not path.exists() or path.read_text() != text]
    for path in different:
        before = path.read_text().splitlines() if path.exists() else []
        print(*difflib.unified_diff(before, documents[path].splitlines(), name_of(path), "the code", n=1), sep="\n")
    assert [name_of(path) for path in different] == [], "run `make snapshots` and review the difference"
    assert kept() == documents.keys()


def test_a_snapshot_of_an_event_is_not_overwritten_by_one_that_breaks_its_readers(documents):
    path = EVENTS / "sync.roster.committed.v1.json"
    schema = json.loads(documents[path])
    del schema["properties"]["learners"]
    (refusal,) = refusals(documents | {path: json.dumps(schema)})
    assert refusal == "sync.roster.committed.v1: /learners: removed"
    (gone,) = refusals({other: text for other, text in documents.items() if other != path})
    assert "the event is gone" in gone


def _made_of_a_name(operation):
    """FastAPI's own summary, the function's name in capitals, tells a caller nothing."""
    name = operation["summary"].lower().replace(" ", "_")
    return operation["operationId"].startswith(f"{name}_")


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_says_what_it_does(service, documents):
    paths = json.loads(documents[APIS / f"{service}.json"])["paths"]
    operations = [(path, verb, operation) for path, verbs in paths.items() for verb, operation in verbs.items()]
    assert operations
    assert [f"{verb} {path}" for path, verb, operation in operations if _made_of_a_name(operation)] == []
    identifiers = [operation["operationId"] for _, _, operation in operations]
    assert len(set(identifiers)) == len(identifiers)


@pytest.mark.parametrize("service", SERVICES)
def test_names_in_an_api_are_camel_case(service, documents):
    schemas = json.loads(documents[APIS / f"{service}.json"])["components"]["schemas"]
    names = [name for schema in schemas.values() for name in schema.get("properties", {})]
    assert [name for name in names if "_" in name and name not in OAUTH_NAMES | ONEROSTER_NAMES | LTI_NAMES] == []


@pytest.mark.parametrize("kind", event_types())
def test_an_event_is_named_after_its_service_noun_and_what_happened(kind):
    assert NAME.match(kind)


def test_the_events_document_refers_only_to_what_exists():
    document = asyncapi()

    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if "$ref" in node else [])
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = set(references(document))
    for reference in found:
        if reference.startswith("./"):
            assert (EVENTS / reference).exists(), reference
            continue
        node = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]
    assert found
    assert yaml.safe_load((EVENTS / "asyncapi.yaml").read_text()) == document


def test_every_event_is_in_the_catalogue():
    catalogue = (REPOSITORY / "docs" / "events.md").read_text()
    assert [kind for kind in event_types() if f"`{kind}`" not in catalogue] == []


@pytest.mark.parametrize(
    ("subject", "pattern", "expected"),
    [
        ("sync.org.changed.v1", "sync.org.>", True),
        ("sync.org.changed.v1", "sync.>", True),
        ("sync.org.changed.v1", "sync.*.changed.v1", True),
        ("sync.org.changed.v1", "sync.roster.>", False),
        ("sync.org", "sync.org.>", False),
    ],
)
def test_subjects_match_as_nats_says(subject, pattern, expected):
    assert matches(subject, pattern) is expected
