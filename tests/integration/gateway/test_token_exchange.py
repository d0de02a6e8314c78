from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.gateway.domain.scopes import SCOPES_OF_ROLE, in_order
from tests.support.tokens import TestSigner

Credentials = tuple[str, str]
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
SUBJECT = "urn:lien-thong:token-type:subject"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture
def portal(new_client: Callable[..., Credentials]) -> Credentials:
    return new_client("--scope", "reporting.read", "--token-exchange")


@pytest.fixture
def person(admin: Callable[..., Any]) -> Callable[..., None]:
    def add(subject: str, *posts: tuple[str, str]) -> None:
        for org, role in posts:
            admin("person-add", "--subject", subject, "--org", org, "--role", role)

    return add


def exchange(client: httpx.Client, credentials: Credentials, subject: str, **parameters: str) -> httpx.Response:
    form = {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": SUBJECT}
    return client.post("/oauth2/token", data=form | parameters, auth=credentials)


def refused(answer: httpx.Response, error: str) -> bool:
    return (answer.status_code, answer.json()["error"]) == (400, error)


async def test_a_person_gets_their_units_roles_and_the_scopes_of_the_roles(
    client: httpx.Client, portal: Credentials, person: Callable[..., None], signer: TestSigner
):
    person("ht-01", ("S1", "head"), ("S1", "teacher"))
    answer = exchange(client, portal, "ht-01").json()
    assert (answer["issued_token_type"], answer["token_type"]) == (ACCESS_TOKEN, "Bearer")
    principal = await signer.verifier().verify(answer["access_token"])
    assert (principal.kind, principal.subject, principal.client_id) == ("user", "ht-01", portal[0])
    assert principal.orgs == {"S1"}
    assert principal.roles == {"head", "teacher"}
    assert principal.scopes == SCOPES_OF_ROLE["head"] | SCOPES_OF_ROLE["teacher"] == set(answer["scope"].split())


def test_asked_scopes_are_cut_down_to_those_of_the_roles(
    client: httpx.Client, portal: Credentials, person: Callable[..., None]
):
    person("gv-01", ("S1", "teacher"))
    asked = "materials.read materials.catalogue reporting.manage"
    assert exchange(client, portal, "gv-01", scope=asked).json()["scope"] == "materials.read"
    assert refused(exchange(client, portal, "gv-01", scope="reporting.manage"), "invalid_scope")


def test_a_head_here_and_teacher_there_must_say_where(
    client: httpx.Client, portal: Credentials, person: Callable[..., None], signer: TestSigner
):
    person("ht-02", ("S1", "head"), ("S2", "teacher"))
    assert refused(exchange(client, portal, "ht-02"), "invalid_request")
    assert exchange(client, portal, "ht-02", org="S2").json()["scope"] == in_order(SCOPES_OF_ROLE["teacher"])
    assert refused(exchange(client, portal, "ht-02", org="S3"), "invalid_request")


async def test_the_same_role_at_two_units_needs_no_choice(
    client: httpx.Client, portal: Credentials, person: Callable[..., None], signer: TestSigner
):
    person("cb-01", ("S1", "data_officer"), ("S2", "data_officer"))
    token = exchange(client, portal, "cb-01").json()["access_token"]
    assert (await signer.verifier().verify(token)).orgs == {"S1", "S2"}


def test_only_a_client_with_the_right_may_speak_for_persons(
    client: httpx.Client, new_client: Callable[..., Credentials], person: Callable[..., None]
):
    person("ht-03", ("S1", "head"))
    assert refused(exchange(client, new_client("--scope", "sync.read"), "ht-03"), "unauthorized_client")


def test_an_unknown_person_is_refused_with_what_to_do(client: httpx.Client, portal: Credentials):
    answer = exchange(client, portal, "nobody")
    assert refused(answer, "invalid_request")
    assert "person-add" in answer.json()["error_description"]


def test_a_role_taken_away_is_gone_from_the_next_token(
    client: httpx.Client, portal: Credentials, person: Callable[..., None], admin: Callable[..., Any]
):
    person("gv-02", ("S1", "teacher"))
    assert exchange(client, portal, "gv-02").status_code == 200
    admin("person-remove", "--subject", "gv-02", "--org", "S1", "--role", "teacher")
    assert refused(exchange(client, portal, "gv-02"), "invalid_request")


@pytest.mark.parametrize("kind", [ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"])
def test_registered_types_are_taken_with_a_plain_subject_only(
    client: httpx.Client, portal: Credentials, person: Callable[..., None], signer: TestSigner, kind: str
):
    person("gv-03", ("S1", "teacher"))
    assert exchange(client, portal, "gv-03", subject_token_type=kind).status_code == 200
    assert refused(exchange(client, portal, signer.token(sub="gv-03"), subject_token_type=kind), "invalid_request")


def test_what_is_not_offered_is_refused(client: httpx.Client, portal: Credentials, person: Callable[..., None]):
    person("gv-04", ("S1", "teacher"))
    saml = "urn:ietf:params:oauth:token-type:saml2"
    assert refused(exchange(client, portal, "gv-04", subject_token_type=saml), "invalid_request")
    assert refused(exchange(client, portal, "gv-04", requested_token_type=saml), "invalid_request")
    assert refused(exchange(client, portal, "gv-04", actor_token="x"), "invalid_request")
    assert refused(exchange(client, portal, "gv-04", audience="urn:other"), "invalid_target")
    assert exchange(client, portal, "gv-04", audience="urn:lien-thong:api").status_code == 200
    assert refused(exchange(client, portal, ""), "invalid_request")
