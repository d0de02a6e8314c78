"""Idempotency-Key on POST (draft-ietf-httpapi-idempotency-key-header): one key, one effect.

The answer is stored in the same transaction as the effect, so a process that dies between commit and reply loses
nothing: the retry finds the stored answer. While the first request runs, a second one gets 409; the same key with
another payload gets 422. Records are kept 30 days.
"""

import hashlib
import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.auth import Principal
from shared.errors import conflict, invalid

HEADER = "idempotency-key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("location", "etag", "content-type", "content-language")

# A transaction-level advisory lock tells "still running" from "never seen" without a row another transaction can see.
_CLAIM = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:client || ' ' || :key, 42))")
_FIND = text(
    "SELECT fingerprint, status, headers, body FROM idempotency_record WHERE client_id = :client AND key = :key"
)
_STORE = text(
    "INSERT INTO idempotency_record (client_id, key, fingerprint, status, headers, body) "
    "VALUES (:client, :key, :fingerprint, :status, CAST(:headers AS jsonb), :body)"
)


class ReplayError(Exception):
    """Carries a stored answer past the endpoint; caught by `IdempotentRoute` only."""

    def __init__(self, response: Response) -> None:
        super().__init__("stored answer")
        self.response = response


def set_body_digest(request: Request, digest: bytes) -> None:
    """Tell the fingerprint of a body that was streamed away instead of being read into memory.

    Must run before the unit of work opens: declare the dependency that receives the upload before `Uow`.
    """
    request.state.body_digest = digest


async def replay_or_claim(request: Request, session: AsyncSession, principal: Principal) -> None:
    """Called when the unit of work has opened: raises the stored answer, 409 or 422, or lets the effect happen."""
    key = _key_of(request)
    if key is None:
        return
    names = {"client": _client_of(principal), "key": key}
    if not (await session.execute(_CLAIM, names)).scalar_one():
        raise conflict(
            "idempotency.in_flight",
            vi="Yêu cầu trước với cùng Idempotency-Key còn đang chạy. Hãy chờ rồi gửi lại.",
            en="The earlier request with this Idempotency-Key is still running. Wait, then send it again.",
        )
    fingerprint = await _fingerprint(request)
    stored = (await session.execute(_FIND, names)).one_or_none()
    if stored is None:
        request.state.idempotency = names | {"fingerprint": fingerprint}
        return
    if stored.fingerprint != fingerprint:
        raise invalid(
            "idempotency.other_payload",
            vi="Idempotency-Key này đã dùng cho một yêu cầu khác. Hãy tạo khóa mới.",
            en="This Idempotency-Key was used for a different request. Make a new key.",
        )
    raise ReplayError(Response(stored.body, stored.status, {**stored.headers, REPLAYED: "true"}))


class IdempotentRoute(APIRoute):
    """The route class of every router of ours: stores the serialised answer before the unit of work commits."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await inner(request)
            except ReplayError as replay:
                return replay.response
            if getattr(request.state, "idempotency", None) is not None:
                await _store(request, response)
            return response

        return handler


async def _store(request: Request, response: Response) -> None:

    session: AsyncSession = request.state.unit_of_work.session
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    await session.execute(
        _STORE,
        request.state.idempotency
        | {"status": response.status_code, "headers": json.dumps(headers), "body": bytes(response.body)},
    )


def _key_of(request: Request) -> str | None:
    if request.method != "POST" or (given := request.headers.get(HEADER)) is None:
        return None
    # The draft defines a structured-field string; the quotes are optional here because most clients leave them out.
    key = given.strip().removeprefix('"').removesuffix('"')
    if not _KEY.fullmatch(key):
        raise invalid(
            "idempotency.key_invalid",
            vi="Idempotency-Key gồm 1 đến 255 ký tự ASCII nhìn thấy được.",
            en="An Idempotency-Key has 1 to 255 visible ASCII characters.",
        )
    return key


def _client_of(principal: Principal) -> str:
    return f"{principal.client_id} {principal.subject}"


async def _fingerprint(request: Request) -> bytes:
    digest: bytes | None = getattr(request.state, "body_digest", None)
    if digest is None:
        digest = hashlib.sha256(await request.body()).digest()
    target = f"{request.method} {request.url.path}?{request.url.query}".encode()
    return hashlib.sha256(target + b"\n" + digest).digest()
