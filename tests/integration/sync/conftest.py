from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from services.sync.bootstrap import SERVICE
from services.sync.main import create_app
from shared.service import build_runtime
from tests.integration.sync.stage import Sync, settings_for
from tests.support.stack import Database
from tests.support.tokens import TestSigner


@pytest.fixture
async def sync(database: Callable[[str], Database], tmp_path: Path) -> AsyncIterator[Sync]:
    settings = settings_for(database("sync"), tmp_path / "data")
    signer = TestSigner()
    runtime = build_runtime(SERVICE.name, settings, role="test")
    app = create_app(settings, runtime, verifier=signer.verifier())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sync.test") as client,
    ):
        yield Sync(client, runtime, settings, signer)
