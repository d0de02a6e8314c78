"""The API process of the materials service."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.materials.api import routes, tus
from services.materials.api.links import Links
from services.materials.api.routers import READ_LIMITS, ROUTERS, public_shapers
from services.materials.bootstrap import SERVICE, build, build_lti_tool, build_repository, build_spool, build_store
from services.materials.inspection.inspector import Inspector
from services.materials.settings import MaterialsSettings
from services.materials.storage.packed_files import PackedFiles
from services.materials.storage.search.tantivy_index import TantivyIndex
from services.materials.usecases.grants import scope_of
from services.materials.usecases.keep_index import IndexKeeper
from shared import failpoints
from shared.auth.tokens import TokenVerifier
from shared.http import app as http_app
from shared.http.app import AppParts
from shared.http.server import serve
from shared.logs import configure_logs
from shared.service import Runtime
from shared.telemetry import configure_telemetry


def create_app(
    settings: MaterialsSettings, runtime: Runtime | None = None, *, verifier: TokenVerifier | None = None
) -> FastAPI:
    """The application; `runtime` and `verifier` are built from the settings unless handed in."""
    runtime = runtime or build(settings, role="api")
    store, repository = build_store(settings, runtime.engine), build_repository(settings)
    parts = AppParts(
        title="Materials",
        description="The material library: made by teachers, passed by the subject group, approved by the head.",
        routers=ROUTERS,
        scope_of=scope_of,
        body_limits={routes.MATERIALS: settings.max_upload_bytes, tus.UPLOADS: settings.max_tus_bytes, **READ_LIMITS},
        shapers={tus.UPLOADS: tus.shape, **public_shapers(repository, runtime.clock)},
        checks={"files": store.ready},
        verifier=verifier,
        lifespan=following,
    )
    app = http_app.create_app(runtime, parts)
    app.state.content_store, app.state.packed_files, app.state.repository = store, PackedFiles(store), repository
    app.state.index_keeper = IndexKeeper(app.state.units, TantivyIndex())
    app.state.links = Links(settings.content_url, settings.content_key, app.state.runtime.clock)
    app.state.lti_tool = build_lti_tool(settings, app.state.runtime.clock)
    app.state.spool, app.state.max_tus_bytes = build_spool(settings), settings.max_tus_bytes
    app.state.inspector = Inspector(parallel=settings.parallel_inspections)
    return app


@asynccontextmanager
async def following(app: FastAPI) -> AsyncIterator[None]:
    """The search index is built and kept fresh while the process lives."""
    task = asyncio.create_task(app.state.index_keeper.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await app.state.lti_tool.outside.close()


def main() -> None:
    settings = MaterialsSettings()
    configure_logs(SERVICE.name, settings.log_level)
    configure_telemetry(SERVICE.name, settings.otel_exporter_otlp_endpoint or None)
    failpoints.arm(settings.failpoint)
    serve(create_app(settings), host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
