"""The API process: `python -m services.reporting.main`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.reporting.api import campaigns, submissions, templates
from services.reporting.bootstrap import SERVICE, build
from services.reporting.settings import ReportingSettings
from services.reporting.usecases.access import scope_of
from services.reporting.usecases.load_data import load_data
from shared import failpoints
from shared.auth.tokens import TokenVerifier
from shared.db.scope import EVERYTHING
from shared.http import app as kit
from shared.http.server import serve
from shared.logs import configure_logs
from shared.service import Runtime
from shared.telemetry import configure_telemetry


def create_app(
    settings: ReportingSettings, runtime: Runtime | None = None, verifier: TokenVerifier | None = None
) -> FastAPI:
    """The application. Its start loads the templates that came with this version of the service."""
    runtime = runtime or build(settings, role="api")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with runtime.units.begin(EVERYTHING) as uow:
            await load_data(uow)
        yield

    parts = kit.AppParts(
        title="Liên Thông · reporting",
        description="Periodic reports: campaigns with a deadline, submissions prefilled from the other services.",
        routers=[templates.router, campaigns.router, submissions.router],
        scope_of=scope_of,
        verifier=verifier,
        lifespan=lifespan,
    )
    return kit.create_app(runtime, parts)


def main() -> None:
    settings = ReportingSettings()
    configure_logs(SERVICE.name, settings.log_level)
    configure_telemetry(SERVICE.name, settings.otel_exporter_otlp_endpoint)
    failpoints.arm(settings.failpoint)
    serve(create_app(settings), host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
