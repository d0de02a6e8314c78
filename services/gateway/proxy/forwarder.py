"""One call through the proxy: streams both ways, holds no body in memory, ends when either side leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from multidict import CIMultiDict
from opentelemetry import trace
from starlette.types import Receive, Scope, Send
from yarl import URL

from services.gateway.proxy.failures import FAILURES, too_slow, unreachable
from services.gateway.proxy.headers import has_body, request_headers, response_headers
from services.gateway.proxy.routes import Upstream
from shared.logs import logger

log = logger(__name__)

_BUFFER = 256 * 1024
_MAX_HEADER = 64 * 1024
# Below the 75 s after which our services close an idle connection, so that it is never us who write into a closed one.
_KEEP_ALIVE_SECONDS = 30.0
_OURS_TO_SAY = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_tracer = trace.get_tracer(__name__)


class Forwarder:
    """Holds the connections to the services.

    `silence_seconds` is how long a service may be silent, before the answer or in it, while it is its turn; time spent
    waiting for the client does not count.
    """

    def __init__(self, *, connect_seconds: float, silence_seconds: float, trusted: frozenset[str]) -> None:
        self._connect_seconds = connect_seconds
        self._silence_seconds = silence_seconds
        self._trusted = trusted
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connections exist inside this block."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS, ttl_dns_cache=10),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds),
            auto_decompress=False,
            skip_auto_headers=_OURS_TO_SAY,
            read_bufsize=_BUFFER,
            max_line_size=_MAX_HEADER,
            max_field_size=_MAX_HEADER,
        )
        try:
            yield
        finally:
            await self._session.close()

    async def forward(self, upstream: Upstream, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise `upstream.unreachable` (502) or `upstream.too_slow` (504) while the answer has not begun."""
        assert self._session is not None, "calls come only inside `opened`"
        call = _Call(upstream, receive, send, self._silence_seconds)
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        # The path as the client wrote it: decoding and encoding again would make another resource of `%2F`.
        url = URL(upstream.url + scope["raw_path"].decode("latin-1") + query, encoded=True)
        with _tracer.start_as_current_span(f"proxy {upstream.name}", kind=trace.SpanKind.CLIENT):
            await call.run(self._session, scope, url, request_headers(scope, self._trusted))


class _ClientLeftError(Exception):
    """The client closed its connection while it was sending."""


class _Call:
    def __init__(self, upstream: Upstream, receive: Receive, send: Send, silence_seconds: float) -> None:
        self._upstream = upstream
        self._receive = receive
        self._send = send
        self._silence_seconds = silence_seconds
        self._patience = asyncio.timeout(None)
        self._task = asyncio.current_task()
        self._watch: asyncio.Task[None] | None = None
        self._client_left = False
        self._body_failure: Exception | None = None
        self._started = False
        self._finished = False

    async def run(self, session: aiohttp.ClientSession, scope: Scope, url: URL, headers: CIMultiDict[str]) -> None:
        body = self._body() if has_body(scope["headers"]) else None
        try:
            async with self._patience:
                if body is None:
                    self._sent()
                async with session.request(
                    scope["method"], url, headers=headers, data=body, allow_redirects=False
                ) as answer:
                    await self._relay(answer)
        except asyncio.CancelledError:
            if not self._client_left or self._task is None or self._task.uncancel() > 0:
                raise
            self._count("client_left")
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            self._failed(failure)
        finally:
            if self._watch is not None:
                self._watch.cancel()

    async def _body(self) -> AsyncIterator[bytes]:
        """The client's body, piece by piece, as fast as the service takes it."""
        more = True
        while more:
            self._wait_for_client()
            try:
                message = await self._receive()
            except Exception as failure:
                # aiohttp would turn it into a failed connection; it is the guard's refusal of an oversized body.
                self._body_failure = failure
                raise
            if message["type"] == "http.disconnect":
                self._client_left = True
                raise _ClientLeftError
            more = message.get("more_body", False)
            self._wait_for_service()
            if message.get("body"):
                yield message["body"]
        self._sent()

    def _sent(self) -> None:
        """The request is complete: from here on the service has to speak, and the client can only leave."""
        self._wait_for_service()
        self._watch = asyncio.create_task(self._until_client_leaves())

    async def _until_client_leaves(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        # uvicorn says so, too, once the answer is complete.
        if not self._finished and self._task is not None:
            self._client_left = True
            self._task.cancel()

    async def _relay(self, answer: aiohttp.ClientResponse) -> None:
        start = {
            "type": "http.response.start",
            "status": answer.status,
            "headers": response_headers(answer.raw_headers, self._upstream.url),
        }
        await self._send(start)
        self._started = True
        more = True
        while more:
            self._wait_for_service()
            piece = await answer.content.readany()
            more = bool(piece) and not answer.content.at_eof()
            self._wait_for_client()
            self._finished = not more
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    def _wait_for_service(self) -> None:
        self._patience.reschedule(asyncio.get_running_loop().time() + self._silence_seconds)

    def _wait_for_client(self) -> None:
        self._patience.reschedule(None)

    def _failed(self, failure: Exception) -> None:
        if self._client_left:
            self._count("client_left")
            return
        if self._body_failure is not None and not self._started:
            raise self._body_failure
        # A connection that cannot be made in time is as good as none; silence on one that stands is slowness.
        slow = isinstance(failure, TimeoutError) and not isinstance(failure, aiohttp.ConnectionTimeoutError)
        reason = "too_slow" if slow else "unreachable"
        log.warning(
            "upstream_failed", upstream=self._upstream.name, reason=reason, cut=self._started, error=repr(failure)
        )
        if self._started:
            # Returning with the answer unfinished makes uvicorn cut the connection: the client sees it is incomplete.
            self._count("cut")
            return
        self._count(reason)
        raise (too_slow if slow else unreachable)(self._upstream.name) from failure

    def _count(self, reason: str) -> None:
        FAILURES.labels(self._upstream.name, reason).inc()
