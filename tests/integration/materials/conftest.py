from collections.abc import AsyncIterator

import httpx
import pytest

from services.materials.bootstrap import build
from services.materials.settings import MaterialsSettings
from tests.integration.materials.shelf import CONTENT_URL, Library, build_app, settle_city


@pytest.fixture
def settings(database, nats_url_for, tmp_path) -> MaterialsSettings:
    fresh = database("materials")
    return MaterialsSettings(
        environment="embedded",
        database_url=fresh.app_url,
        migration_database_url=fresh.owner_url,
        nats_url=nats_url_for("materials"),
        data_dir=tmp_path / "data",
        max_upload_bytes=256 * 1024,
        content_url=CONTENT_URL,
        content_key="k" * 32,
        lti_key="l" * 32,
        allow_private_addresses=True,
    )


@pytest.fixture
async def library(settings) -> AsyncIterator[Library]:
    runtime = build(settings, role="api")
    app = build_app(settings, runtime)
    await settle_city(runtime.units)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://materials.test") as client,
    ):
        yield Library(client, runtime, settings)
