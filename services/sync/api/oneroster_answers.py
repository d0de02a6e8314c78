"""How the OneRoster provider answers: lists streamed from their own transaction, `Link`, warnings, errors."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from services.sync.domain.oneroster import V1_1
from services.sync.domain.oneroster_gradebook import RESOURCES_BASE
from services.sync.usecases.read_roster import RosterPage
from shared.errors import AppError, Kind, Language
from shared.http.problems import problem_headers

PRODUCT = "Liên Thông"
_HELD_BYTES = 1024 * 1024
# COPY hands over a few rows at a time; each piece sent costs as much as reading some hundreds of them.
_PIECE_BYTES = 128 * 1024
# A reader who takes nothing for so long loses the connection: it holds a transaction.
_PATIENCE_SECONDS = 30.0
_FAULTS_TOLD = 10


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


def links_of(request: Request, public_url: str, limit: int, offset: int) -> Callable[[int], str]:
    """The `Link` header for a total: `next`, `prev`, `first`, `last`, absolute URLs, one `rel` each."""
    url = public_url + request.url.path
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"limit", "offset"}]

    def links(total: int) -> str:
        places = {"first": 0, "last": (max(total, 1) - 1) // limit * limit}
        if offset + limit < total:
            places["next"] = offset + limit
        if offset > 0:
            places["prev"] = max(0, offset - limit)
        return ", ".join(
            f'<{url}?{urlencode([*kept, ("limit", limit), ("offset", place)])}>; rel="{rel}"'
            for rel, place in places.items()
        )

    return links


def warning(minor: str, description: str) -> dict[str, str]:
    """An entry of 1.1's `statusInfoSet` beside data."""
    return {
        "imsx_codeMajor": "success",
        "imsx_severity": "warning",
        "imsx_codeMinor": minor,
        "imsx_description": f"{PRODUCT}: {description}",
    }


_MINOR_OF_CODE = {
    "filter.invalid": "invalid_filter_field",
    # Only the resources service has a word for it; 1.1 has one too, but there it is a warning.
    "sort.invalid": "invalid_filter_field",
    "fields.unknown": "invalid_selection_field",
}
_MINOR_OF_STATUS = {
    401: "unauthorisedrequest",
    403: "forbidden",
    404: "unknownobject",
    429: "server_busy",
    503: "server_busy",
}


def _judged(error: AppError, status: int) -> tuple[int, str]:
    """HTTP status and codeMinor: a bad query is 400, a record that is not as it should be 422."""
    is_query = not error.code.startswith(("record.", "school.", "org."))
    code = 400 if error.kind is Kind.INVALID and status == 422 and is_query else status
    minor = _MINOR_OF_CODE.get(error.code) or _MINOR_OF_STATUS.get(
        code, "invaliddata" if code < 500 else "internal_server_error"
    )
    return code, minor


def _described(error: AppError, language: Language) -> str:
    """The standard has one text and no list of faults: the first ones are told in it, each with its place."""
    told = [f"{each.pointer}: {each.text.of(language)} [{each.code}]" for each in error.errors[:_FAULTS_TOLD]]
    return " ".join([error.text.of(language), *told])


def oneroster_error(error: AppError, status: int, language: Language) -> Response:
    """The status object of 1.2, unwrapped."""
    return _status_object(error, language, *_judged(error, status))


def oneroster_resources_error(error: AppError, status: int, language: Language) -> Response:
    """The status object of 1.2 with the words of its resources service."""
    code, minor = _judged(error, status)
    return _status_object(error, language, code, "invalid_sort_field" if error.code == "sort.invalid" else minor)


def _status_object(error: AppError, language: Language, code: int, minor: str) -> Response:
    body: Mapping[str, Any] = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": f"{PRODUCT}: {_described(error, language)}",
        "imsx_CodeMinor": {
            "imsx_codeMinorField": [{"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}]
        },
    }
    return JSONResponse(body, status_code=code, headers=problem_headers(error, code, language))


def oneroster_1_1_error(error: AppError, status: int, language: Language) -> Response:
    """The status object of 1.1, in its `statusInfoSet`."""
    code, minor = _judged(error, status)
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
