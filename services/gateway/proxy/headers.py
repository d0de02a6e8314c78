"""Which headers travel through the proxy, and what it adds (RFC 9110 section 7.6)."""

from collections.abc import Iterable, Sequence

from multidict import CIMultiDict
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from shared.http.correlation import HEADER as CORRELATION
from shared.ids import new_id
from shared.logs import correlation_id

RawHeaders = Iterable[tuple[bytes, bytes]]

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Set anew for the service: what a stranger claims about where he comes from is worth nothing.
_REPLACED = frozenset(
    {
        b"host",
        b"expect",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"traceparent",
        b"tracestate",
        CORRELATION.encode(),
    }
)
# uvicorn writes its own.
_ANSWERED_ANEW = frozenset({b"date", b"server"})

_trace_context = TraceContextTextMapPropagator()


def request_headers(scope: Scope, trusted: frozenset[str]) -> CIMultiDict[str]:
    """The client's end-to-end headers in their order, repeated ones kept, plus ours.

    `trusted` are the addresses of reverse proxies whose `X-Forwarded-*` is believed.
    """
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    dropped = _HOP_BY_HOP | _REPLACED | _named_by_connection(headers)
    kept = CIMultiDict[str]((_text(name), _text(value)) for name, value in headers if name not in dropped)
    kept["X-Forwarded-For"] = client_address(scope, trusted)
    kept["X-Forwarded-Proto"] = _forwarded(scope, trusted, b"x-forwarded-proto") or scope["scheme"]
    host = _forwarded(scope, trusted, b"x-forwarded-host") or _value(headers, b"host")
    if host:
        kept["X-Forwarded-Host"] = host
    kept["X-Correlation-Id"] = correlation_id.get() or ""
    kept.update(_trace_headers())
    return kept


def response_headers(raw: Sequence[tuple[bytes, bytes]], origin: str) -> list[tuple[bytes, bytes]]:
    """The service's end-to-end headers in their order, repeated ones kept.

    An absolute `Location` below `origin`, the service's own address, becomes relative: nobody outside can reach it.
    """
    lowered = [(name.lower(), value) for name, value in raw]
    dropped = _HOP_BY_HOP | _ANSWERED_ANEW | _named_by_connection(lowered)
    inside = origin.encode()
    return [
        (name, value.removeprefix(inside) if name == b"location" else value)
        for name, value in lowered
        if name not in dropped
    ]


def client_address(scope: Scope, trusted: frozenset[str]) -> str:
    """Where the call comes from: the peer, or what a trusted reverse proxy says about its own peer."""
    peer = scope["client"][0] if scope.get("client") else ""
    if peer in trusted:
        # The last address is the one the trusted proxy saw itself; those before it are anybody's claims.
        forwarded = _value(scope["headers"], b"x-forwarded-for").rpartition(",")[2].strip()
        return forwarded or peer
    return peer


def has_body(headers: RawHeaders) -> bool:
    """Whether the request announces a body."""
    for name, value in headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")):
            return True
    return False


def _forwarded(scope: Scope, trusted: frozenset[str], name: bytes) -> str:
    peer = scope["client"][0] if scope.get("client") else ""
    return _value(scope["headers"], name) if peer in trusted else ""


def _named_by_connection(headers: RawHeaders) -> frozenset[bytes]:
    named = [value for name, value in headers if name == b"connection"]
    return frozenset(option.strip().lower() for value in named for option in value.split(b","))


def _value(headers: RawHeaders, wanted: bytes) -> str:
    return next((_text(value) for name, value in headers if name == wanted), "")


def _text(raw: bytes) -> str:
    """Text that leaves as it came: what aiohttp sends is UTF-8, so bytes that are UTF-8 survive exactly."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _trace_headers() -> dict[str, str]:
    carrier: dict[str, str] = {}
    _trace_context.inject(carrier)
    if "traceparent" not in carrier:
        # Nobody has begun a trace: begin one, unsampled, so that the services' logs of this call belong together.
        # Time-ordered ids of ours serve as well as random ones; the last half of one is random.
        trace = new_id().hex
        carrier["traceparent"] = f"00-{trace}-{trace[16:]}-00"
    return carrier
