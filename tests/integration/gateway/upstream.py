"""A stand-in for the services behind the proxy: a real ASGI application that tells what reached it."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

PIECE = bytes(range(256)) * 256
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]


class Upstream:
    """`seen` holds what arrived; `left` is set when a caller went away while an answer was due."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.left = threading.Event()
        self.url = ""
        self.openapi: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "Stand-in"}, "paths": {}}
        self._handlers: dict[str, Handler] = {
            "echo": self._echo,
            "upload": self._upload,
            "refuse": self._refuse,
            "download": self._download,
            "headers": self._headers,
            "slow": self._slow,
            "stall": self._stall,
            "redirect": self._redirect,
            "part": self._part,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
                if kind == "lifespan.shutdown":
                    return
        if scope["path"] == "/openapi.json":
            await _answer(send, 200, json.dumps(self.openapi).encode())
            return
        self.seen.append(
            {
                "method": scope["method"],
                "target": scope["raw_path"].decode()
                + ("?" if scope["query_string"] else "")
                + scope["query_string"].decode(),
                "headers": [(name.decode(), value.decode()) for name, value in scope["headers"]],
            }
        )
        await self._handlers.get(scope["path"].rsplit("/", 1)[-1], self._echo)(scope, receive, send)

    async def _echo(self, _: Scope, receive: Receive, send: Send) -> None:
        size, digest = await _read(receive)
        await _answer(send, 200, json.dumps({**self.seen[-1], "bytes": size, "sha256": digest}).encode())

    async def _upload(self, _: Scope, receive: Receive, send: Send) -> None:
        size, digest = await _read(receive)
        await _answer(send, 201, json.dumps({"bytes": size, "sha256": digest}).encode())

    async def _refuse(self, _: Scope, _receive: Receive, send: Send) -> None:
        await _answer(send, 409, b'{"code": "test.refused"}')

    async def _download(self, scope: Scope, _: Receive, send: Send) -> None:
        left = int(parse_qs(scope["query_string"].decode())["bytes"][0])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(left).encode())]})
        while left:
            piece = PIECE[:left]
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})

    async def _headers(self, _: Scope, _receive: Receive, send: Send) -> None:
        headers = [
            (b"link", b'</a>; rel="next"'),
            (b"link", b'</b>; rel="last"'),
            (b"connection", b"X-Private"),
            (b"x-private", b"1"),
            (b"keep-alive", b"timeout=5"),
            (b"etag", b'"7"'),
        ]
        await _answer(send, 200, b"{}", headers)

    async def _slow(self, _: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()

    async def _stall(self, _: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await self._slow({}, receive, send)

    async def _redirect(self, _: Scope, _receive: Receive, send: Send) -> None:
        await _answer(send, 307, b"", [(b"location", f"{self.url}/sync/v1/elsewhere".encode())])

    async def _part(self, scope: Scope, _: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if headers.get(b"if-none-match") == b'"7"':
            await _answer(send, 304, b"", [(b"etag", b'"7"')])
        elif headers.get(b"range") == b"bytes=2-5":
            await _answer(send, 206, b"2345", [(b"content-range", b"bytes 2-5/10")])
        else:
            body = b"" if scope["method"] == "HEAD" else b"0123456789"
            start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]}
            await send(start)
            await send({"type": "http.response.body", "body": body})


async def _read(receive: Receive) -> tuple[int, str]:
    size, digest, more = 0, hashlib.sha256(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        size += len(message.get("body", b""))
        digest.update(message.get("body", b""))
        more = message.get("more_body", False)
    return size, digest.hexdigest()


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    length = [] if status in {204, 304} else [(b"content-length", str(len(body)).encode())]
    start = {"type": "http.response.start", "status": status, "headers": [*length, *(headers or [])]}
    await send(start)
    await send({"type": "http.response.body", "body": body})
