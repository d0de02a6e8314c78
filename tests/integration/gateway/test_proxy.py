import json
import re
import socket
import threading

import httpx
import pytest

from services.gateway.proxy.failures import FAILURES
from tests.integration.gateway.conftest import StartGateway
from tests.integration.gateway.raw import raw_request
from tests.integration.gateway.upstream import Upstream
from tests.support.tokens import TestSigner

ECHO = "/sync/v1/echo"


@pytest.fixture
def bearer(signer: TestSigner) -> dict[str, str]:
    return signer.bearer(scope="sync.read")


def header_lines(seen: dict[str, object], name: str) -> list[str]:
    lines = seen["headers"]
    assert isinstance(lines, list)
    return [value for key, value in lines if key == name]


def test_the_target_arrives_as_the_client_wrote_it(client: httpx.Client, bearer: dict[str, str]):
    seen = client.get(httpx.URL("/sync/v1/a%2Fb/%C4%91?x=%20y&x=2&empty="), headers=bearer).json()
    assert seen["target"] == "/sync/v1/a%2Fb/%C4%91?x=%20y&x=2&empty="


@pytest.mark.parametrize("path", ["/sync/v1/echo", "/sync", "/ims/oneroster/rostering/v1p2/schools"])
def test_each_prefix_leads_to_its_service(client: httpx.Client, bearer: dict[str, str], path: str):
    assert client.get(path, headers=bearer).json()["target"] == path


@pytest.mark.parametrize("path", ["/synchronise", "/ims", "/nothing", "/materialsx/1"])
def test_a_path_that_only_begins_alike_is_not_proxied(client: httpx.Client, bearer: dict[str, str], path: str):
    answer = client.get(path, headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (404, "path.unknown")


def test_what_is_public_of_the_library_needs_no_token_and_harvesters_may_ask_by_post(
    start_gateway: StartGateway, upstream: Upstream
):
    with start_gateway(materials_url=upstream.url) as address, httpx.Client(base_url=address, timeout=20) as client:
        for path in ("/oai?verb=Identify", "/library/feed.atom", "/library/x/files/1", "/robots.txt"):
            assert client.get(path).json()["target"] == path
        asked = client.post("/oai", data={"verb": "Identify"}).json()
        assert (asked["method"], asked["target"]) == ("POST", "/oai")
        assert client.post("/oai", content=b"x" * 20_000).status_code == 413
        for method, path in (("POST", "/library/x"), ("PUT", "/oai"), ("DELETE", "/library/x"), ("GET", "/materials")):
            assert client.request(method, path).status_code == 401
        for path in ("/oaix", "/libraryx", "/library/../materials/v1/materials"):
            assert client.get(httpx.URL(path)).status_code in {400, 401, 404}


def test_an_lms_needs_no_token_and_sends_forms(start_gateway: StartGateway, upstream: Upstream):
    with start_gateway(materials_url=upstream.url) as address, httpx.Client(base_url=address, timeout=20) as client:
        for method, path in (
            ("GET", "/lti/jwks"),
            ("GET", "/lti/login?iss=x"),
            ("POST", "/lti/login"),
            ("POST", "/lti/launch"),
        ):
            asked = client.request(method, path).json()
            assert (asked["method"], asked["target"]) == (method, path)
        assert client.post("/lti/launch", content=b"x" * 600_000).status_code == 413
        for method, path in (("PUT", "/lti/launch"), ("DELETE", "/lti/jwks"), ("GET", "/materials/v1/lti/platforms")):
            assert client.request(method, path).status_code == 401


def test_uploads_tell_what_they_can_do_to_anybody_and_fail_as_tus_clients_read_it(
    start_gateway: StartGateway, upstream: Upstream
):
    with start_gateway(materials_url=upstream.url) as address, httpx.Client(base_url=address, timeout=20) as client:
        for path in ("/materials/v1/uploads", "/materials/v1/uploads/7"):
            assert client.options(path).json()["target"] == path
            refused = client.post(path)
            assert (refused.status_code, refused.headers["Tus-Resumable"]) == (401, "1.0.0")
            assert refused.text.startswith("token.missing: ")
            assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert client.options("/materials/v1/materials").status_code == 401


def test_files_of_strangers_are_answered_under_their_own_host_and_nothing_else_is(
    start_gateway: StartGateway, upstream: Upstream, bearer: dict[str, str]
):
    with (
        start_gateway(materials_url=upstream.url, content_url="https://Hoc-Lieu.example") as address,
        httpx.Client(base_url=address, timeout=20) as client,
    ):
        there = {"Host": "hoc-lieu.example"}
        path = "/content/v1/abc/B%C3%A0i.html?signature=x"
        assert client.get(path, headers=there).json()["target"] == path
        for target in ("/materials/v1/materials", "/oauth2/token", "/docs", "/", "/content/../materials/v1/materials"):
            assert client.get(target, headers=there | bearer).status_code in {400, 404}
        assert client.post(path, headers=there).status_code == 404
        here = client.get(path, headers=bearer)
        assert (here.status_code, here.json()["code"]) == (404, "path.unknown")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_method_and_body_arrive(client: httpx.Client, bearer: dict[str, str], method: str):
    seen = client.request(method, ECHO, headers=bearer, content=b"hello").json()
    assert (seen["method"], seen["bytes"]) == (method, 5)


def test_a_chunked_body_arrives_whole(client: httpx.Client, bearer: dict[str, str]):
    seen = client.post(ECHO, headers=bearer, content=iter([b"one", b"two"])).json()
    assert seen["bytes"] == 6
    assert header_lines(seen, "transfer-encoding") == ["chunked"]
    assert not header_lines(seen, "content-length")


def test_hop_by_hop_headers_end_here_in_both_directions(client: httpx.Client, bearer: dict[str, str]):
    hops = {"Connection": "keep-alive, X-Mine", "X-Mine": "1", "TE": "trailers", "Proxy-Authorization": "secret"}
    seen = client.get(ECHO, headers=bearer | hops | {"X-End": "2"}).json()
    arrived = {name for name, _ in seen["headers"]}
    assert arrived.isdisjoint({"x-mine", "te", "proxy-authorization"})
    assert header_lines(seen, "x-end") == ["2"]
    answer = client.get("/sync/v1/headers", headers=bearer)
    assert {"x-private", "keep-alive"}.isdisjoint(answer.headers)


def test_repeated_headers_survive_in_both_directions(client: httpx.Client, bearer: dict[str, str]):
    answer = client.get("/sync/v1/headers", headers=bearer)
    assert answer.headers.get_list("link") == ['</a>; rel="next"', '</b>; rel="last"']
    assert len(answer.headers.get_list("date")) == 1
    twice = [*bearer.items(), ("Accept", "a/b"), ("Accept", "c/d")]
    seen = client.get(ECHO, headers=twice).json()
    assert header_lines(seen, "accept") == ["a/b", "c/d"]


def test_conditional_and_partial_requests_pass(client: httpx.Client, bearer: dict[str, str]):
    unchanged = client.get("/sync/v1/part", headers=bearer | {"If-None-Match": '"7"'})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", '"7"')
    part = client.get("/sync/v1/part", headers=bearer | {"Range": "bytes=2-5"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"2345", "bytes 2-5/10")


def test_head_tells_the_length_and_sends_no_body(client: httpx.Client, bearer: dict[str, str]):
    answer = client.head("/sync/v1/part", headers=bearer)
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "10", b"")
    assert client.get("/sync/v1/part", headers=bearer).content == b"0123456789"


def test_a_redirect_into_the_inside_becomes_relative(client: httpx.Client, bearer: dict[str, str]):
    answer = client.get("/sync/v1/redirect", headers=bearer)
    assert (answer.status_code, answer.headers["location"]) == (307, "/sync/v1/elsewhere")


def test_the_service_learns_who_called_and_how(client: httpx.Client, bearer: dict[str, str]):
    claims = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Real-IP": "6.6.6.6"}
    seen = client.get(ECHO, headers=bearer | claims).json()
    assert header_lines(seen, "x-forwarded-for") == ["127.0.0.1"]
    assert header_lines(seen, "x-forwarded-proto") == ["http"]
    assert header_lines(seen, "x-forwarded-host") == [client.base_url.netloc.decode()]
    assert not header_lines(seen, "forwarded")
    assert not header_lines(seen, "x-real-ip")
    assert header_lines(seen, "authorization") == [bearer["Authorization"]]


def test_a_trusted_reverse_proxy_is_believed(start_gateway: StartGateway, upstream: Upstream, bearer: dict[str, str]):
    told = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9", "X-Forwarded-Proto": "https"}
    with start_gateway(sync_url=upstream.url, trusted_proxies="127.0.0.1") as address:
        seen = httpx.get(address + ECHO, headers=bearer | told).json()
    assert header_lines(seen, "x-forwarded-for") == ["203.0.113.9"]
    assert header_lines(seen, "x-forwarded-proto") == ["https"]


def test_one_correlation_id_goes_all_the_way_and_back(client: httpx.Client, bearer: dict[str, str]):
    answer = client.get(ECHO, headers=bearer | {"X-Correlation-Id": "push-42"})
    assert header_lines(answer.json(), "x-correlation-id") == ["push-42"]
    assert answer.headers.get_list("x-correlation-id") == ["push-42"]
    made = client.get(ECHO, headers=bearer)
    assert header_lines(made.json(), "x-correlation-id") == [made.headers["x-correlation-id"]]


def test_a_trace_is_carried_on_or_begun(client: httpx.Client, bearer: dict[str, str]):
    trace = "0af7651916cd43dd8448eb211c80319c"
    seen = client.get(ECHO, headers=bearer | {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}).json()
    assert [line.split("-")[1] for line in header_lines(seen, "traceparent")] == [trace]
    (begun,) = header_lines(client.get(ECHO, headers=bearer | {"traceparent": "junk"}).json(), "traceparent")
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", begun)


def test_a_service_that_is_down_is_a_502_that_says_so_in_both_languages(client: httpx.Client, signer: TestSigner):
    answer = client.get("/materials/v1/materials", headers=signer.bearer() | {"Accept-Language": "en"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (502, "upstream.unreachable")
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["correlationId"] == answer.headers["x-correlation-id"]
    assert problem["upstream"] == "materials"
    assert "không kết nối được" in problem["messages"]["vi"]
    assert "cannot be reached" in problem["title"]
    assert int(answer.headers["retry-after"]) >= 1


def test_oneroster_paths_fail_in_the_shape_of_oneroster(start_gateway: StartGateway, nobody: str, signer: TestSigner):
    with start_gateway(sync_url=nobody) as address:
        path = f"{address}/ims/oneroster/rostering/v1p2/schools"
        away, stranger = httpx.get(path, headers=signer.bearer()), httpx.get(path)
    for answer, status, minor in ((away, 502, "server_busy"), (stranger, 401, "unauthorisedrequest")):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
        fields = answer.json()["imsx_CodeMinor"]["imsx_codeMinorField"]
        assert answer.json()["imsx_codeMajor"] == "failure"
        assert [field["imsx_codeMinorFieldValue"] for field in fields] == [minor]
        assert answer.json()["imsx_description"].startswith("Liên Thông: ")


def test_a_service_that_stays_silent_is_a_504(start_gateway: StartGateway, upstream: Upstream, bearer: dict[str, str]):
    upstream.left.clear()
    with start_gateway(sync_url=upstream.url, upstream_seconds=0.2) as address:
        answer = httpx.post(f"{address}/sync/v1/slow", headers=bearer, content=b"x" * 1000)
    assert (answer.status_code, answer.json()["code"]) == (504, "upstream.too_slow")
    assert upstream.left.wait(20), "the call to the service was not given up"


def test_an_answer_that_breaks_off_is_cut_and_never_completed(
    start_gateway: StartGateway, upstream: Upstream, bearer: dict[str, str]
):
    with (
        start_gateway(sync_url=upstream.url, upstream_seconds=0.2) as address,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        httpx.get(f"{address}/sync/v1/stall", headers=bearer)


def test_a_client_that_leaves_ends_the_call_to_the_service(
    client: httpx.Client, upstream: Upstream, bearer: dict[str, str]
):
    upstream.left.clear()
    with client.stream("GET", "/sync/v1/stall", headers=bearer) as answer:
        assert answer.status_code == 200
    assert upstream.left.wait(20), "the service was left alone with the call"


def test_a_client_that_leaves_before_the_answer_ends_the_call_too(
    gateway: str, upstream: Upstream, bearer: dict[str, str]
):
    before = _left_so_far()
    upstream.left.clear()
    upstream.seen.clear()
    place = httpx.URL(gateway)
    with socket.create_connection((place.host, place.port or 80)) as connection:
        head = f"GET /sync/v1/slow HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer['Authorization']}\r\n\r\n"
        connection.sendall(head.encode())
        assert _reaches(lambda: bool(upstream.seen))
    assert upstream.left.wait(20), "the service was left alone with the call"
    assert _reaches(lambda: _left_so_far() > before)


def test_a_refusal_before_the_body_is_read_reaches_the_client(client: httpx.Client, bearer: dict[str, str]):
    body = (b"x" * 65536 for _ in range(8))
    answer = client.post("/sync/v1/imports/refuse", headers=bearer, content=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "test.refused")
    assert client.get(ECHO, headers=bearer).status_code == 200


@pytest.mark.parametrize(
    ("path", "declared"),
    [("/sync/v1/imports", 3 * 2**30), ("/materials/v1/materials", 2**30), ("/sync/v1/orgs", 2**20 + 1)],
)
def test_a_declared_length_above_the_limit_is_refused_before_a_byte_is_read(
    gateway: str, upstream: Upstream, bearer: dict[str, str], path: str, declared: int
):
    upstream.seen.clear()
    head = f"POST {path} HTTP/1.1\nHost: x\nAuthorization: {bearer['Authorization']}\nContent-Length: {declared}\n\n"
    answer = raw_request(gateway, head)
    assert (answer.status, answer.json()["code"]) == (413, "body.too_large")
    assert not upstream.seen


def test_a_body_that_grows_above_the_limit_is_refused_on_the_way(client: httpx.Client, bearer: dict[str, str]):
    answer = client.post("/sync/v1/orgs", headers=bearer, content=(b"x" * 65536 for _ in range(32)))
    assert (answer.status_code, answer.json()["code"]) == (413, "body.too_large")


def test_calls_at_the_same_time_do_not_mix(client: httpx.Client, bearer: dict[str, str]):
    wrong: list[str] = []

    def call(number: int) -> None:
        body = json.dumps(number).encode() * 100
        seen = client.post(f"/sync/v1/{number}", headers=bearer, content=body).json()
        if (seen["target"], seen["bytes"]) != (f"/sync/v1/{number}", len(body)):
            wrong.append(str(seen))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_calls_are_counted_by_prefix_and_never_by_path(client: httpx.Client, bearer: dict[str, str]):
    client.get("/sync/v1/very-special-school", headers=bearer)
    metrics = client.get("/metrics").text
    assert 'route="/sync"' in metrics
    assert "very-special-school" not in metrics


def _left_so_far() -> float:
    return FAILURES.labels("sync", "client_left")._value.get()


def _reaches(condition) -> bool:
    ticks = threading.Event()
    return any(condition() or ticks.wait(0.02) for _ in range(1000))


DISCOVERY = "/ims/oneroster/rostering/v1p2/discovery/imsorv1p2_rostering_openapi3_v1p0.json"


def test_discovery_documents_of_oneroster_are_read_without_a_token(client: httpx.Client):
    assert client.get(DISCOVERY).json()["target"] == DISCOVERY
    assert client.post(DISCOVERY).status_code == 401
    for path in ("/ims/oneroster/rostering/v1p2/users", "/ims/oneroster/rostering/v1p2/discovery/%2e%2e/users"):
        assert client.get(path).status_code == 401
