"""What compose hands to PostgreSQL and nats-server, on the real programs."""

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import asyncpg
import pytest

from deploy.local.accounts import hand_over, unprivileged_account
from deploy.local.ephemeral import run_apart
from deploy.local.nats import NatsServer
from deploy.local.ports import HOST, free_ports
from deploy.local.postgres import PostgresServer
from deploy.local.processes import Program, start
from deploy.local.programs import find_programs
from shared.errors import AppError
from shared.messaging.bus import connect_bus
from shared.messaging.topology import declare_topology
from shared.worker import canary_check, sync_always_check
from tests.architecture.compose import COMPOSE, example, resolved
from tests.architecture.sources import REPOSITORY, SERVICES
from tests.contract.events import services

PASSWORDS = {name: f"p{index}{name.lower()}" for index, name in enumerate(example()) if name.endswith("_PASSWORD")}


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="lien-thong-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _own(place, account):
    place.mkdir(mode=0o700)
    hand_over(place, account)
    return place


@pytest.fixture
def cluster(folder):
    """A new cluster, made as compose's image makes it, with init.sh run in it once."""
    account = unprivileged_account()
    password = PASSWORDS["POSTGRES_PASSWORD"]
    place, port = _own(folder / "postgres", account), free_ports(1)[0]
    server = PostgresServer(find_programs(account, folder), place, port, password, account, folder / "log", unsafe=True)
    server.create()
    child = start(server.program())
    try:
        run_apart(server.wait_until_ready(child))
        psql = server.programs.initdb.parent
        subprocess.run(
            ["sh", REPOSITORY / "deploy" / "postgres" / "init.sh"],
            env=PASSWORDS
            | {"PATH": f"{psql}:{os.defpath}", "POSTGRES_USER": "postgres"}
            | {"PGHOST": HOST, "PGPORT": str(port), "PGPASSWORD": password},
            check=True,
        )
        yield server
    finally:
        child.stop_now()


async def test_each_service_gets_a_database_and_two_roles_that_reach_nothing_else(cluster):
    async def connect(role, database):
        password = PASSWORDS[f"{role.upper()}_PASSWORD"]
        return await asyncpg.connect(host=HOST, port=cluster.port, user=role, password=password, database=database)

    for service in SERVICES:
        owner = await connect(f"{service}_owner", service)
        await owner.execute("CREATE TABLE thing (id int)")
        await owner.close()
        app = await connect(f"{service}_app", service)
        for forbidden in ("CREATE TABLE other (id int)", "SELECT * FROM thing", "DROP TABLE thing"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(forbidden)
        flags = await app.fetchrow(
            "SELECT bool_or(rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole) AS mighty, count(*) AS roles "
            "FROM pg_roles WHERE rolname LIKE $1",
            f"{service}%",
        )
        assert (flags["mighty"], flags["roles"]) == (False, 2)
        await app.close()
    for stranger in ("materials_app", "materials_owner"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connect(stranger, "sync")


def test_the_cluster_is_made_like_that_of_the_embedded_stack():
    arguments = resolved(COMPOSE.read_text(), example())["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    embedded = (REPOSITORY / "deploy" / "local" / "postgres.py").read_text()
    assert [one for one in arguments.split() if f'"{one}"' not in embedded] == []


@pytest.fixture
def message_server(folder):
    """nats-server with compose's own configuration; only ports and folder are ours."""
    account = unprivileged_account()
    place, (port, monitor) = _own(folder / "nats", account), free_ports(2)
    text = (REPOSITORY / "deploy" / "nats.conf").read_text()
    for there, here in (
        ("port: 4222", f"port: {port}"),
        ("http: 8222", f"http: {monitor}"),
        ("store_dir: /data", f'store_dir: "{place}"'),
    ):
        assert there in text
        text = text.replace(there, here)
    configuration = place / "nats.conf"
    configuration.write_text(text)
    configuration.chmod(0o644)
    server = NatsServer(find_programs(account, folder), place, port, monitor, {}, account, folder / "nats.log")
    child = start(
        Program(
            name="nats",
            argv=[str(server.programs.nats_server), "-c", str(configuration)],
            environment={"PATH": os.defpath} | PASSWORDS,
            log=server.log,
            cwd=place,
            account=account,
        )
    )
    try:
        run_apart(server.wait_until_ready(child))
        yield server
    finally:
        child.stop_now()


async def test_every_service_can_declare_its_streams_and_publish_only_its_own_subjects(message_server):
    async with contextlib.AsyncExitStack() as opened:
        buses = {}
        for name in SERVICES:
            password = PASSWORDS[f"{name.upper()}_NATS_PASSWORD"]
            buses[name] = await connect_bus(f"nats://{name}:{password}@{HOST}:{message_server.port}", name)
            opened.push_async_callback(buses[name].close)
        for name in SERVICES:
            await declare_topology(buses[name].jetstream, name, [], max_bytes=1024**3)
        for name, service in services().items():
            specs = [consumer.spec for consumer in service.consumers]
            await declare_topology(buses[name].jetstream, name, specs, max_bytes=1024**3)
            await canary_check(buses[name], name)()
            acknowledged = await buses[name].publish(f"{name}.thing.happened.v1", b"{}", {})
            assert acknowledged.stream == name.upper()
        await sync_always_check(message_server.monitor_url)()
        buses["sync"].jetstream._timeout = 1
        with pytest.raises(AppError) as refused:
            await buses["sync"].publish("reporting.submission.accepted.v1", b"{}", {})
        assert refused.value.code == "bus.denied"


@pytest.fixture
def environment_folder(tmp_path):
    for name in ("create.sh", "production.env.example"):
        shutil.copy(REPOSITORY / "deploy" / "env" / name, tmp_path)
    return tmp_path


def _create(folder):
    return subprocess.run(
        ["sh", folder / "create.sh", "https://lt.example.vn"], capture_output=True, text=True, check=False
    )


def test_fresh_secrets_are_private_complete_and_all_different(environment_folder):
    made = _create(environment_folder)
    assert made.returncode == 0, made.stderr
    path = environment_folder / "production.env"
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    values = dict(line.split("=", maxsplit=1) for line in lines)
    assert values.keys() == example().keys()
    assert values["PUBLIC_URL"] == "https://lt.example.vn"
    passwords = [value for name, value in values.items() if name.endswith("_PASSWORD")]
    assert len(set(passwords)) == len(passwords)
    assert all(value[0].isalpha() and value.isalnum() and len(value) == 49 for value in passwords)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (environment_folder / "signing.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_existing_secrets_are_never_overwritten(environment_folder):
    (environment_folder / "production.env").write_text("precious")
    made = _create(environment_folder)
    assert made.returncode == 1
    assert (environment_folder / "production.env").read_text() == "precious"
    assert not (environment_folder / "signing.pem").exists()
