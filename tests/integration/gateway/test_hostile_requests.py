import pytest

from tests.integration.gateway.raw import raw_request
from tests.integration.gateway.upstream import Upstream
from tests.support.tokens import TestSigner

SMUGGLED = "GET /sync/v1/smuggled HTTP/1.1\nHost: x\n\n"
HOSTILE = {
    "two Hosts": ("GET {path} HTTP/1.1\nHost: a\nHost: b\n{token}\n", 400, "request.malformed"),
    "no Host": ("GET {path} HTTP/1.1\n{token}\n", 400, "request.malformed"),
    "two lengths": (
        "POST {path} HTTP/1.1\nHost: x\n{token}Content-Length: 4\nContent-Length: 5\n\nabcd",
        400,
        "request.malformed",
    ),
    "length and chunks": (
        "POST {path} HTTP/1.1\nHost: x\n{token}Content-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n" + SMUGGLED,
        400,
        "request.malformed",
    ),
    "65 headers": (
        "GET {path} HTTP/1.1\nHost: x\n{token}" + "".join(f"X-{number}: 1\n" for number in range(63)) + "\n",
        431,
        "headers.too_large",
    ),
    "33 KiB of headers": (
        "GET {path} HTTP/1.1\nHost: x\n{token}X: " + "y" * 33 * 1024 + "\n\n",
        431,
        "headers.too_large",
    ),
}


@pytest.mark.parametrize("path", ["/sync/v1/echo", "/oauth2/jwks"])
@pytest.mark.parametrize("case", HOSTILE)
def test_what_no_honest_client_sends_is_refused(
    gateway: str, upstream: Upstream, signer: TestSigner, case: str, path: str
):
    upstream.seen.clear()
    text, status, code = HOSTILE[case]
    token = f"Authorization: {signer.bearer()['Authorization']}\n"
    answer = raw_request(gateway, text.format(path=path, token=token))
    # uvicorn's parser refuses some of it by itself, before our guard, in plain text.
    if answer.headers["content-type"].startswith("application/problem"):
        assert (answer.status, answer.json()["code"]) == (status, code)
    assert answer.status in {400, 431}
    assert not upstream.seen


def test_64_headers_are_still_welcome(gateway: str, signer: TestSigner):
    filling = "".join(f"X-{number}: 1\n" for number in range(62))
    token = signer.bearer()["Authorization"]
    answer = raw_request(gateway, f"GET /sync/v1/echo HTTP/1.1\nHost: x\nAuthorization: {token}\n{filling}\n")
    assert answer.status == 200


@pytest.mark.parametrize("path", ["/sync/../oauth2/jwks", "/sync/%2e%2e/metrics", "/sync//livez"])
def test_a_path_with_dots_is_neither_folded_nor_followed(
    gateway: str, upstream: Upstream, signer: TestSigner, path: str
):
    upstream.seen.clear()
    token = signer.bearer()["Authorization"]
    raw_request(gateway, f"GET {path} HTTP/1.1\nHost: x\nAuthorization: {token}\n\n")
    assert [seen["target"] for seen in upstream.seen] == [path]
