"""`/livez` (the process runs), `/readyz` (each dependency by name), `/metrics` (Prometheus text)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from shared.errors import AppError
from shared.service import Runtime

Check = Callable[[], Awaitable[None]]
CHECK_SECONDS = 3.0


def database_check(runtime: Runtime) -> Check:
    async def check() -> None:
        async with runtime.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    return check


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """A check passes by returning and fails by raising; its name appears in the answer either way."""
    router = APIRouter(include_in_schema=False)

    @router.get("/livez")
    async def livez() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @router.get("/readyz")
    async def readyz() -> Response:
        results = dict(zip(checks, await asyncio.gather(*(_run(check) for check in checks.values())), strict=True))
        ready = all(result == "ok" for result in results.values())
        return JSONResponse({"ready": ready, "checks": results}, status_code=200 if ready else 503)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _run(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except AppError as failure:
        return failure.code
    except Exception as failure:  # noqa: BLE001  # whatever breaks a dependency is its state, not ours
        return type(failure).__name__
    return "ok"
