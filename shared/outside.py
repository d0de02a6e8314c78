"""Calls to systems that others run: bounded in time and size, never redirected, never into the own network.

A name is looked up once, its addresses are judged, and the connection goes to the address that was judged: a name that
points somewhere else a moment later changes nothing.
"""

import asyncio
import email.utils
import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

import httpx

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_CONNECT_SECONDS = 10.0


class Failure(StrEnum):
    ADDRESS = "address"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TOO_LARGE = "tooLarge"


class OutsideError(Exception):
    """No answer could be had. `detail` names the kind of fault and never holds a secret."""

    def __init__(self, failure: Failure, detail: str = "") -> None:
        super().__init__(f"{failure}: {detail}")
        self.failure = failure
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes

    def retry_after(self, now: float) -> float | None:
        """Seconds to wait, from either form of Retry-After (RFC 9110); `now` is seconds since 1970."""
        given = self.headers.get("retry-after", "").strip()
        if given.isdigit():
            return float(given)
        try:
            return max(0.0, email.utils.parsedate_to_datetime(given).timestamp() - now)
        except ValueError:
            return None


def is_private(address: str) -> bool:
    """Whether an IP address belongs to no public network, also when it is dressed up as another."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_private(str(ip.ipv4_mapped))
        if ip in _NAT64 or ip.sixtofour is not None or ip.teredo is not None:
            return True
    return not ip.is_global or ip.is_multicast


def checked_url(url: str, *, allow_private: bool) -> SplitResult:
    """A URL a connector may be given: http or https, a host, no user, no fragment. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError("scheme, host, user or fragment")
    _ = parts.port  # raises for a number that is none
    try:
        refused = not allow_private and is_private(parts.hostname)
    except ValueError:
        refused = not allow_private and parts.hostname.rstrip(".").lower() == "localhost"
    if refused:
        raise ValueError("private address")
    return parts


class _Pinned(httpx.AsyncHTTPTransport):
    """Connects to an address that was judged; TLS still checks the name."""

    def __init__(self, *, allow_private: bool) -> None:
        super().__init__(retries=0)
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        address = await self._address_of(host, request.url.port or (443 if request.url.scheme == "https" else 80))
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        return await super().handle_async_request(request)

    async def _address_of(self, host: str, port: int) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as failure:
            raise OutsideError(Failure.UNREACHABLE, "name not found") from failure
        addresses = [str(each[4][0]) for each in sorted(found, key=lambda each: each[0] is not socket.AF_INET)]
        if not self._allow_private and any(map(is_private, addresses)):
            raise OutsideError(Failure.ADDRESS, "private address")
        return addresses[0]


class Outside:
    """One client per host: connections are kept by address, and two hosts of one address must not share them."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        most_bytes: int,
        seconds: float,
    ) -> Answer:
        """The whole answer, whatever its status. Raises `OutsideError`."""
        client = self._client_for(urlsplit(url).netloc)
        try:
            async with (
                asyncio.timeout(seconds),
                client.stream(method, url, headers=dict(headers), content=content) as response,
            ):
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > most_bytes:
                        raise OutsideError(Failure.TOO_LARGE, str(most_bytes))
                return Answer(response.status_code, response.headers, bytes(body))
        except (TimeoutError, httpx.TimeoutException) as failure:
            raise OutsideError(Failure.TIMEOUT, f"{seconds:g} s") from failure
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as failure:
            raise OutsideError(Failure.UNREACHABLE, type(failure).__name__) from failure

    def _client_for(self, host: str) -> httpx.AsyncClient:
        if host not in self._clients:
            self._clients[host] = httpx.AsyncClient(
                transport=_Pinned(allow_private=self._allow_private),
                timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
                follow_redirects=False,
                trust_env=False,
            )
        return self._clients[host]

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()


@asynccontextmanager
async def outside(*, allow_private: bool) -> AsyncIterator[Outside]:
    opened = Outside(allow_private=allow_private)
    try:
        yield opened
    finally:
        await opened.close()
