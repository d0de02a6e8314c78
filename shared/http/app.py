"""The FastAPI application of a service: one factory, so that all of them behave alike."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import httpx
from fastapi import APIRouter, FastAPI

from shared.auth.tokens import KeySource, TokenVerifier
from shared.http.correlation import Correlation
from shared.http.guard import Guard
from shared.http.health import Check, database_check, health_router
from shared.http.problems import Problems, Shaper
from shared.http.unit_of_work import ScopeOf
from shared.service import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppParts:
    """What differs between the services' applications.

    `scope_of` says which schools a caller may see; `body_limits` raise the body limit (bytes) for upload paths;
    `shapers` give paths of another standard its own error shape; `checks` join `/readyz`; `lifespan` runs around the
    process's life, after the runtime is open. `openapi_url` is None where the document is answered in another way.
    """

    title: str
    description: str
    routers: Sequence[APIRouter]
    scope_of: ScopeOf
    body_limits: Mapping[str, int] = field(default_factory=dict)
    shapers: Mapping[str, Shaper] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    verifier: TokenVerifier | None = None
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None
    openapi_url: str | None = "/openapi.json"


def create_app(runtime: Runtime, parts: AppParts) -> FastAPI:
    """Build the application. Closing its lifespan closes `runtime`."""
    settings = runtime.settings
    http = httpx.AsyncClient()
    verifier = parts.verifier or TokenVerifier(
        KeySource(settings.jwks, http),
        issuer=settings.issuer,
        audience=settings.token_audience,
        clock=runtime.clock,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            if parts.lifespan is None:
                yield
            else:
                async with parts.lifespan(app):
                    yield
        finally:
            await http.aclose()
            await runtime.close()

    app = FastAPI(
        title=parts.title,
        description=parts.description,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=parts.openapi_url,
        separate_input_output_schemas=False,
    )
    app.state.runtime = runtime
    app.state.units = runtime.units
    app.state.verifier = verifier
    app.state.scope_of = parts.scope_of
    problems = Problems(parts.shapers)
    problems.install(app)
    app.include_router(health_router({"database": database_check(runtime), **parts.checks}))
    for router in parts.routers:
        app.include_router(router)
    # Added last is outermost: the correlation id is there for whatever the guard refuses.
    app.add_middleware(Guard, default_limit=settings.max_body_bytes, body_limits=parts.body_limits, problems=problems)
    app.add_middleware(Correlation, problems=problems)
    return app
