import contextlib
from collections.abc import Callable

import httpx

from deploy.local.ephemeral import throw_away_servers
from services.gateway.main import create_app
from services.gateway.settings import GatewaySettings
from tests.integration.gateway.serving import served
from tests.integration.gateway.upstream import Upstream
from tests.support.stack import Databases
from tests.support.tokens import TestSigner


def test_with_the_database_away_calls_pass_and_new_tokens_wait(
    settings_for: Callable[..., GatewaySettings],
    upstream: Upstream,
    signer: TestSigner,
):
    with contextlib.ExitStack() as opened:
        servers = opened.enter_context(throw_away_servers())
        database = Databases(servers.addresses, 0).clone("gateway")
        settings = settings_for(sync_url=upstream.url, database_url=database.app_url)
        address = opened.enter_context(served(create_app(settings)))
        client = opened.enter_context(httpx.Client(base_url=address, timeout=20))
        request = {"grant_type": "client_credentials"}
        assert client.post("/oauth2/token", data=request, auth=("nobody", "x")).status_code == 401
        servers.postgres.stop_now()

        assert client.get("/sync/v1/echo", headers=signer.bearer()).status_code == 200
        assert client.get("/sync/v1/echo").status_code == 401
        assert client.get("/oauth2/jwks").status_code == 200
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").json()["checks"]["database"] != "ok"

        answer = client.post("/oauth2/token", data=request, auth=("nobody", "x"))
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert "retry-after" in answer.headers
