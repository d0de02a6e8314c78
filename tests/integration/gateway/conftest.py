"""A whole gateway on a real port, with a stand-in service behind it and a real database."""

import concurrent.futures
import contextlib
import io
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.gateway.admin import main as admin_main
from services.gateway.main import create_app
from services.gateway.settings import GatewaySettings
from tests.integration.gateway.serving import closed_port, served
from tests.integration.gateway.upstream import Upstream
from tests.support.stack import Database
from tests.support.tokens import ISSUER, TestSigner, process_key

Address = str
StartGateway = Callable[..., contextlib.AbstractContextManager[Address]]


@pytest.fixture(scope="session")
def signing_key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gateway of these tests signs with the key of `TestSigner`, so the two may issue for each other."""
    path = tmp_path_factory.mktemp("gateway") / "signing.pem"
    path.write_bytes(process_key().as_pem(private=True))
    return path


@pytest.fixture(scope="session")
def signer() -> TestSigner:
    return TestSigner()


@pytest.fixture(scope="module")
def gateway_database(module_database: Callable[[str], Database]) -> Database:
    return module_database("gateway")


@pytest.fixture(scope="module")
def settings_for(gateway_database: Database, signing_key_file: Path) -> Callable[..., GatewaySettings]:
    def settings(**changes: Any) -> GatewaySettings:
        values: dict[str, Any] = {
            "database_url": gateway_database.app_url,
            "nats_url": "nats://127.0.0.1:4222",
            "public_url": ISSUER,
            "signing_key_file": signing_key_file,
            "sync_url": "http://127.0.0.1:9",
            "materials_url": "http://127.0.0.1:9",
            "reporting_url": "http://127.0.0.1:9",
        }
        return GatewaySettings(**(values | changes))

    return settings


@pytest.fixture(scope="module")
def start_gateway(settings_for: Callable[..., GatewaySettings]) -> StartGateway:
    @contextlib.contextmanager
    def start(**changes: Any) -> Iterator[Address]:
        with served(create_app(settings_for(**changes))) as address:
            yield address

    return start


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    app = Upstream()
    with served(app) as address:
        app.url = address
        yield app


@pytest.fixture(scope="module")
def nobody() -> Iterator[Address]:
    with closed_port() as address:
        yield address


@pytest.fixture(scope="module")
def gateway(start_gateway: StartGateway, upstream: Upstream, nobody: Address) -> Iterator[Address]:
    """`/sync` and `/ims/oneroster` lead to the stand-in, behind `/materials` and `/reporting` nobody listens."""
    with start_gateway(sync_url=upstream.url, materials_url=nobody, reporting_url=nobody) as address:
        yield address


@pytest.fixture
def client(gateway: Address) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway, timeout=20) as opened:
        yield opened


@pytest.fixture
def admin(
    gateway_database: Database,
    signing_key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Any]:
    """Run one of the operator's commands: `admin("client-list")` gives what it printed, `stdin=` feeds it."""
    environment = {
        "DATABASE_URL": gateway_database.app_url,
        "NATS_URL": "nats://127.0.0.1:4222",
        "SIGNING_KEY_FILE": str(signing_key_file),
        "SYNC_URL": "http://127.0.0.1:9",
        "MATERIALS_URL": "http://127.0.0.1:9",
        "REPORTING_URL": "http://127.0.0.1:9",
    }

    def run(*arguments: str, stdin: str = "") -> Any:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        # It would take the log handlers of the whole test run away.
        monkeypatch.setattr("services.gateway.admin.configure_logs", lambda *_: None)
        capsys.readouterr()
        # In a thread, because the command runs an event loop of its own.
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            code = thread.submit(admin_main, list(arguments)).result()
        output = capsys.readouterr()
        return json.loads(output.out) if code == 0 else output.err

    return run


@pytest.fixture
def new_client(admin: Callable[..., Any]) -> Callable[..., tuple[str, str]]:
    """Register a client of a name nobody else uses; gives its id and secret."""

    def add(*options: str, stdin: str = "") -> tuple[str, str]:
        client_id = f"client-{uuid.uuid4().hex[:12]}"
        made = admin("client-add", "--id", client_id, "--name", "A test", *options, stdin=stdin)
        return client_id, made["clientSecret"]

    return add
