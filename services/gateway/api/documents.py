"""The services' OpenAPI documents, fetched when somebody asks and kept for a while."""

import asyncio
import time
from collections.abc import Callable, Mapping

import httpx

from services.gateway.api.merged_openapi import Document, merge
from shared.logs import logger

log = logger(__name__)

_FRESH_SECONDS = 60.0
# A service that was away is asked again soon: it is probably just starting.
_INCOMPLETE_SECONDS = 3.0
_FETCH_SECONDS = 3.0


class Documents:
    """`own` makes the gateway's document, `urls` are the services' base addresses by name."""

    def __init__(
        self, own: Callable[[], Document], urls: Mapping[str, str], client: httpx.AsyncClient, *, public_url: str
    ) -> None:
        self._own = own
        self._urls = urls
        self._client = client
        self._public_url = public_url
        self._lock = asyncio.Lock()
        self._merged: Document = {}
        self._until = float("-inf")

    async def merged(self) -> Document:
        """The one document. A service that does not answer is named in `x-unavailable` and is no error."""
        async with self._lock:
            if time.monotonic() >= self._until:
                await self._refresh()
            return self._merged

    async def _refresh(self) -> None:
        found = await asyncio.gather(*(self._fetch(name, url) for name, url in self._urls.items()))
        documents = {"gateway": self._own(), **dict(zip(self._urls, found, strict=True))}
        self._merged = merge(documents, public_url=self._public_url)
        seconds = _INCOMPLETE_SECONDS if None in found else _FRESH_SECONDS
        self._until = time.monotonic() + seconds

    async def _fetch(self, name: str, url: str) -> Document | None:
        try:
            answer = await self._client.get(f"{url.rstrip('/')}/openapi.json", timeout=_FETCH_SECONDS)
            answer.raise_for_status()
            document = answer.json()
        except (httpx.HTTPError, ValueError) as failure:
            log.warning("openapi_unavailable", upstream=name, error=type(failure).__name__)
            return None
        return document if isinstance(document, dict) else None
