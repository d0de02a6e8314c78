"""What no honest client sends is refused before anything else sees it."""

import json
from typing import Any

import pytest

from shared.http.guard import MAX_HEADERS, Guard

HOST = (b"host", b"kit")


async def _send(headers, path="/x", chunks=(b"",)):
    """The status and code a guarded application answers; 200 when the request gets through."""
    sent: list[dict[str, Any]] = []
    pending = list(chunks)

    async def application(_scope, receive, send):
        while True:
            message = await receive()
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def receive():
        body = pending.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(pending)}

    async def send(message):
        sent.append(message)

    guard = Guard(application, default_limit=10, body_limits={"/up": 100, "/upper": 50})
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": headers,
        "query_string": b"",
        "server": ("k", 80),
    }
    await guard(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"]).get("code")


async def test_an_ordinary_request_gets_through():
    assert await _send([HOST, (b"content-length", b"10")]) == (200, None)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [HOST, HOST],
        [HOST, (b"content-length", b"3"), (b"content-length", b"3")],
        [HOST, (b"content-length", b"3"), (b"transfer-encoding", b"chunked")],
        [HOST, (b"content-length", b"-1")],
        [HOST, (b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked")],
    ],
    ids=["no host", "two hosts", "two lengths", "length and chunked", "negative length", "any letter case"],
)
async def test_contradicting_headers_are_refused(headers):
    assert await _send(headers) == (400, "request.malformed")


async def test_too_many_or_too_large_headers_are_refused():
    many = [HOST, *[(b"x-%d" % number, b"1") for number in range(MAX_HEADERS)]]
    assert await _send(many) == (431, "headers.too_large")
    assert await _send([HOST, (b"x", b"1" * 40_000)]) == (431, "headers.too_large")


async def test_a_declared_length_above_the_limit_is_refused_before_a_byte_is_read():
    assert await _send([HOST, (b"content-length", b"1073741824")], chunks=()) == (413, "body.too_large")


async def test_the_longest_matching_prefix_sets_the_limit():
    assert await _send([HOST, (b"content-length", b"80")], "/up") == (200, None)
    assert await _send([HOST, (b"content-length", b"80")], "/upper") == (413, "body.too_large")
