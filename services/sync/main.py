"""The API process of the sync service: `python -m services.sync.main`."""

from fastapi import FastAPI

from services.sync.api.oneroster_answers import SHAPERS
from services.sync.api.routers import ROUTERS
from services.sync.bootstrap import SERVICE, box_of, build, uploads_of
from services.sync.settings import SyncSettings
from services.sync.storage.listing import ListingIndex
from services.sync.usecases.scope import scope_of
from shared.auth.tokens import TokenVerifier
from shared.failpoints import arm
from shared.http.app import AppParts
from shared.http.app import create_app as create_shared_app
from shared.http.server import serve
from shared.logs import configure_logs
from shared.service import Runtime
from shared.telemetry import configure_telemetry


def create_app(
    settings: SyncSettings, runtime: Runtime | None = None, verifier: TokenVerifier | None = None
) -> FastAPI:
    """Closing the application's lifespan closes the runtime."""
    app = create_shared_app(
        runtime or build(settings, role="api"),
        AppParts(
            title="Liên Thông: sync",
            description="Rosters from LMS vendors: checked, compared, committed to the education database.",
            routers=ROUTERS,
            scope_of=scope_of,
            body_limits=dict.fromkeys(("/sync/v1/imports", "/sync/v1/registry"), settings.max_upload_bytes),
            shapers=SHAPERS,
            verifier=verifier,
        ),
    )
    app.state.uploads = uploads_of(settings)
    app.state.listings = ListingIndex()
    app.state.box = box_of(settings)
    app.state.allow_private_addresses = settings.allow_private_addresses
    return app


def main() -> None:
    settings = SyncSettings()
    configure_logs(SERVICE.name, settings.log_level)
    configure_telemetry(SERVICE.name, settings.otel_exporter_otlp_endpoint)
    arm(settings.failpoint)
    serve(create_app(settings), host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
