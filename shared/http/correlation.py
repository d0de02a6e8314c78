"""One id for one cause, from the first request through every event it leads to; plus the access log and metrics.

`X-Correlation-Id` is taken over when it is short and plain, made otherwise, and always answered. W3C `traceparent` is
carried on by the OpenTelemetry API whether or not an exporter is configured.
"""

import re
import time

from opentelemetry import context, propagate
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problems import Problems
from shared.ids import new_id
from shared.logs import correlation_id, logger

log = logger("http")

HEADER = "x-correlation-id"
_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})

REQUESTS = Counter("http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "http_request_seconds",
    "Time to the last byte of the answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)


def correlation_of(headers: Headers) -> str:
    given = headers.get(HEADER, "")
    return given if _PLAIN.fullmatch(given) else str(new_id())


class Correlation:
    """Outermost, so that also a crash leaves as a problem document that carries the id."""

    def __init__(self, app: ASGIApp, *, problems: Problems | None = None) -> None:
        self.app = app
        self._problems = problems or Problems({})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlation = correlation_of(headers)
        status = 0
        started = time.perf_counter()

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = correlation
            await send(message)

        token = correlation_id.set(correlation)
        trace = context.attach(propagate.extract(dict(headers)))
        try:
            await self.app(scope, receive, with_id)
        except Exception as failure:
            if status:  # the answer has begun: all that is left is to cut the connection
                raise
            await self._problems.answer(Request(scope), failure)(scope, receive, with_id)
        finally:
            context.detach(trace)
            _account(scope, status, time.perf_counter() - started)
            correlation_id.reset(token)


def _account(scope: Scope, status: int, seconds: float) -> None:
    if scope["path"] in _QUIET:
        return
    # The template, never the path: ids in labels would make a time series each.
    route = getattr(scope.get("route"), "path", None) or "unmatched"
    REQUESTS.labels(scope["method"], route, status).inc()
    SECONDS.labels(scope["method"], route).observe(seconds)
    log.info("request", method=scope["method"], route=route, status=status, milliseconds=round(seconds * 1000, 1))
