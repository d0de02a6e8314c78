import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from httpx import USE_CLIENT_DEFAULT
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact

from services.gateway.domain.scopes import SCOPES
from tests.integration.gateway.conftest import StartGateway
from tests.integration.gateway.upstream import Upstream

NewClient = Callable[..., tuple[str, str]]
CLIENT_CREDENTIALS = {"grant_type": "client_credentials"}


def ask(client: httpx.Client, credentials: tuple[str, str] | None, **parameters: str) -> httpx.Response:
    return client.post("/oauth2/token", data=CLIENT_CREDENTIALS | parameters, auth=credentials or USE_CLIENT_DEFAULT)


def refused(answer: httpx.Response, status: int, error: str) -> bool:
    document = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    # RFC 6749 allows these characters only.
    assert all(" " <= letter <= "~" and letter not in '"\\' for letter in document["error_description"])
    assert document["messages"]["vi"] != document["messages"]["en"]
    return (answer.status_code, document["error"]) == (status, error)


def test_basic_gets_a_token_that_every_service_understands(client: httpx.Client, new_client: NewClient):
    credentials = new_client("--scope", "sync.read sync.import", "--org", "S1", "--org", "S2")
    answer = ask(client, credentials)
    document = answer.json()
    assert answer.status_code == 200
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert {name: document[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": "sync.import sync.read",
    }
    token = document["access_token"]
    keys: Any = client.get("/oauth2/jwks").json()
    header = extract_compact(token.encode()).protected
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": keys["keys"][0]["kid"]}
    claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["ES256"]).claims
    assert claims["sub"] == claims["client_id"] == credentials[0]
    assert (claims["orgs"], claims["roles"], claims["scope"]) == (["S1", "S2"], [], document["scope"])
    assert (claims["aud"], claims["exp"] - claims["iat"]) == ("urn:lien-thong:api", 900)
    assert client.get("/sync/v1/echo", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_two_tokens_are_never_the_same(client: httpx.Client, new_client: NewClient):
    credentials = new_client("--scope", "sync.read")
    assert len({ask(client, credentials).json()["access_token"] for _ in range(5)}) == 5


def test_the_form_may_carry_the_credentials(client: httpx.Client, new_client: NewClient):
    client_id, secret = new_client("--scope", "sync.read")
    assert ask(client, None, client_id=client_id, client_secret=secret).status_code == 200


@pytest.mark.parametrize("encode", [quote_plus, str], ids=["urlencoded", "plain"])
def test_basic_takes_special_characters_urlencoded_and_plain(
    client: httpx.Client, new_client: NewClient, encode: Callable[[str], str]
):
    secret = "a+b%2Fc:d&e=f g/" + "z9" * 16
    client_id, _ = new_client("--scope", "sync.read", "--secret-from-stdin", stdin=secret + "\n")
    pair = base64.b64encode(f"{encode(client_id)}:{encode(secret)}".encode()).decode()
    answer = client.post("/oauth2/token", data=CLIENT_CREDENTIALS, headers={"Authorization": f"Basic {pair}"})
    assert answer.status_code == 200


def test_a_wrong_secret_and_an_unknown_client_look_alike(client: httpx.Client, new_client: NewClient):
    client_id, secret = new_client("--scope", "sync.read")
    answers = [ask(client, (client_id, secret + "x")), ask(client, ("nobody-at-all", secret)), ask(client, None)]
    for answer in answers:
        assert refused(answer, 401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")
    described = {answer.json()["error_description"] for answer in answers}
    assert len(described) == 1


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer abc", "Basic /w=="])
def test_credentials_that_cannot_be_read_are_no_credentials(client: httpx.Client, header: str):
    answer = client.post("/oauth2/token", data=CLIENT_CREDENTIALS, headers={"Authorization": header})
    assert refused(answer, 401, "invalid_client")


def test_a_scope_is_given_exactly_or_refused(client: httpx.Client, new_client: NewClient):
    credentials = new_client("--scope", "sync.read sync.import")
    assert ask(client, credentials, scope="sync.read").json()["scope"] == "sync.read"
    for asked in ("sync.read sync.orgs", "sync.orgs", "no.such", "sync.read\tsync.orgs"):
        assert refused(ask(client, credentials, scope=asked), 400, "invalid_scope")


def test_faulty_requests_are_told_apart(client: httpx.Client, new_client: NewClient):
    credentials = new_client("--scope", "sync.read")
    other = client.post("/oauth2/token", data={"grant_type": "password"}, auth=credentials)
    assert refused(other, 400, "unsupported_grant_type")
    assert refused(client.post("/oauth2/token", data={"scope": "x"}, auth=credentials), 400, "invalid_request")
    assert refused(client.post("/oauth2/token", json=CLIENT_CREDENTIALS, auth=credentials), 400, "invalid_request")
    assert refused(ask(client, credentials, client_secret=credentials[1]), 400, "invalid_request")
    assert refused(ask(client, credentials, client_id="another"), 400, "invalid_request")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"grant_type=client_credentials&grant_type=client_credentials", b"grant_type=%ff"):
        answer = client.post("/oauth2/token", content=body, headers=form, auth=credentials)
        assert refused(answer, 400, "invalid_request")
    assert refused(client.get("/oauth2/token"), 405, "invalid_request")
    assert refused(client.post("/oauth2/token", content=b"x" * 20_000, headers=form), 413, "invalid_request")


def test_an_empty_parameter_counts_as_left_out(client: httpx.Client, new_client: NewClient):
    assert ask(client, new_client("--scope", "sync.read"), scope="").json()["scope"] == "sync.read"


def test_both_secrets_open_while_a_client_changes_over(
    client: httpx.Client, new_client: NewClient, admin: Callable[..., Any]
):
    client_id, first = new_client("--scope", "sync.read")
    second = admin("client-secret-rotate", "--id", client_id)["clientSecret"]
    assert [ask(client, (client_id, secret)).status_code for secret in (first, second)] == [200, 200]
    third = admin("client-secret-rotate", "--id", client_id)["clientSecret"]
    assert [ask(client, (client_id, secret)).status_code for secret in (first, second, third)] == [401, 200, 200]
    fourth = admin("client-secret-rotate", "--id", client_id, "--overlap-days", "0")["clientSecret"]
    assert [ask(client, (client_id, secret)).status_code for secret in (second, third, fourth)] == [401, 401, 200]


def test_a_disabled_client_gets_nothing_until_it_is_enabled_again(
    client: httpx.Client, new_client: NewClient, admin: Callable[..., Any]
):
    credentials = new_client("--scope", "sync.read")
    admin("client-disable", "--id", credentials[0])
    assert refused(ask(client, credentials), 401, "invalid_client")
    admin("client-disable", "--id", credentials[0], "--undo")
    assert ask(client, credentials).status_code == 200


def test_wrong_secrets_are_slowed_down_without_locking_others_out(
    start_gateway: StartGateway, upstream: Upstream, new_client: NewClient
):
    victim, other = new_client("--scope", "sync.read"), new_client("--scope", "sync.read")
    with (
        start_gateway(sync_url=upstream.url, token_failures_per_minute=3) as address,
        httpx.Client(base_url=address) as client,
    ):
        wrong = [ask(client, (victim[0], "wrong")).status_code for _ in range(4)]
        assert wrong == [401, 401, 401, 429]
        blocked = ask(client, victim)
        assert refused(blocked, 429, "temporarily_unavailable")
        assert 1 <= int(blocked.headers["retry-after"]) <= 20
        assert ask(client, other).status_code == 200


def test_a_right_secret_makes_up_for_wrong_ones(start_gateway: StartGateway, new_client: NewClient):
    credentials = new_client("--scope", "sync.read")
    with start_gateway(token_failures_per_minute=3) as address, httpx.Client(base_url=address) as client:
        for _ in range(5):
            assert ask(client, (credentials[0], "wrong")).status_code == 401
            assert ask(client, (credentials[0], "wrong")).status_code == 401
            assert ask(client, credentials).status_code == 200


def test_one_address_cannot_ask_without_end(start_gateway: StartGateway, new_client: NewClient):
    credentials = new_client("--scope", "sync.read")
    with start_gateway(token_requests_per_minute=2) as address, httpx.Client(base_url=address) as client:
        assert [ask(client, credentials).status_code for _ in range(3)] == [200, 200, 429]


def test_the_discovery_document_is_complete(client: httpx.Client):
    answer = client.get("/.well-known/oauth-authorization-server")
    document = answer.json()
    issuer = document["issuer"]
    assert document == {
        "issuer": "http://gateway.test",
        "token_endpoint": f"{issuer}/oauth2/token",
        "jwks_uri": f"{issuer}/oauth2/jwks",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["none"],
        "grant_types_supported": ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "service_documentation": f"{issuer}/docs",
        "ui_locales_supported": ["vi", "en"],
    }


def test_only_public_halves_of_keys_are_published(client: httpx.Client):
    (key,) = client.get("/oauth2/jwks").json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
