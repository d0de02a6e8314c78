"""How the OneRoster provider answers: lists streamed from their own transaction, warnings, errors."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from services.sync.domain.oneroster import V1_1
from services.sync.domain.oneroster_gradebook import RESOURCES_BASE
from services.sync.usecases.read_roster import RosterPage
from shared.errors import AppError, Language
from shared.http.oneroster import PRODUCT, judged, oneroster_error, oneroster_resources_error
from shared.http.problems import problem_headers

_HELD_BYTES = 1024 * 1024
# COPY hands over a few rows at a time; each piece sent costs as much as reading some hundreds of them.
_PIECE_BYTES = 128 * 1024
# A reader who takes nothing for so long loses the connection: it holds a transaction.
_PATIENCE_SECONDS = 30.0


class StreamedList(Response):
    """The answer to a list. A small one is sent after its transaction has ended; a large one leaves while it is read.

    An error before the first byte is an error answer; later the connection is cut, so half a list never looks whole.
    """

    media_type = "application/json"

    def __init__(
        self,
        opened: Callable[[], AbstractAsyncContextManager[RosterPage]],
        wrapper: str,
        links: Callable[[int], str],
        warnings: list[dict[str, str]],
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers()
        self._opened = opened
        self._wrapper = wrapper
        self._links = links
        self._tail = f',"statusInfoSet":{json.dumps(warnings, ensure_ascii=False)}' if warnings else ""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        async with self._opened() as page:
            self.headers["X-Total-Count"] = str(page.total)
            self.headers["Link"] = self._links(page.total)
            pieces = _Pieces(self, send, f'{{"{self._wrapper}":['.encode())
            await page.copy_to(pieces.write)
        await pieces.end(f"]{self._tail}}}".encode())


class _Pieces:
    """Holds the first bytes back until there are many, then passes on pieces of a good size."""

    def __init__(self, response: Response, send: Send, head: bytes) -> None:
        self._response = response
        self._send = send
        self._held = bytearray(head)
        self._is_first = True
        self._is_started = False

    async def write(self, data: bytes) -> None:
        self._held += data[1:] if self._is_first else data  # each document comes after a comma
        self._is_first = False
        if len(self._held) > (_PIECE_BYTES if self._is_started else _HELD_BYTES):
            await self._pass_on(more=True)

    async def end(self, tail: bytes) -> None:
        self._held += tail
        if not self._is_started:
            self._response.headers["Content-Length"] = str(len(self._held))
        await self._pass_on(more=False)

    async def _pass_on(self, *, more: bool) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            if not self._is_started:
                self._is_started = True
                await self._send(
                    {
                        "type": "http.response.start",
                        "status": self._response.status_code,
                        "headers": self._response.raw_headers,
                    }
                )
            await self._send({"type": "http.response.body", "body": bytes(self._held), "more_body": more})
        self._held.clear()


def warning(minor: str, description: str) -> dict[str, str]:
    """An entry of 1.1's `statusInfoSet` beside data."""
    return {
        "imsx_codeMajor": "success",
        "imsx_severity": "warning",
        "imsx_codeMinor": minor,
        "imsx_description": f"{PRODUCT}: {description}",
    }


def oneroster_1_1_error(error: AppError, status: int, language: Language) -> Response:
    """The status object of 1.1, in its `statusInfoSet`."""
    code, minor = judged(error, status)
    entry = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_codeMinor": minor,
        "imsx_description": f"{PRODUCT}: {error.text.of(language)}",
    }
    return JSONResponse({"statusInfoSet": [entry]}, status_code=code, headers=problem_headers(error, code, language))


SHAPERS = {
    V1_1.base: oneroster_1_1_error,
    RESOURCES_BASE: oneroster_resources_error,
    "/ims/oneroster": oneroster_error,
}
