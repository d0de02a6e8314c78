from collections.abc import AsyncIterator

import httpx
import pytest

from services.reporting.bootstrap import build
from services.reporting.main import create_app
from services.reporting.settings import ReportingSettings
from shared.service import Runtime
from tests.integration.reporting.stage import City
from tests.support.tokens import TestSigner


@pytest.fixture
def settings(database, nats_url_for, tmp_path) -> ReportingSettings:
    return ReportingSettings(
        environment="embedded",
        database_url=database("reporting").app_url,
        nats_url=nats_url_for("reporting"),
        data_dir=tmp_path,
    )


@pytest.fixture
async def runtime(settings) -> Runtime:
    return build(settings, role="api")


@pytest.fixture
async def city(settings, runtime) -> AsyncIterator[City]:
    """The API in this process on a database of its own; closing it closes the runtime."""
    app = create_app(settings, runtime, TestSigner().verifier())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://reporting.test") as http,
    ):
        yield City(runtime.units, http)
