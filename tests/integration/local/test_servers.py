"""PostgreSQL and nats-server as the stack and the tests start them."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import nats
import nats.errors
import pytest
from nats.aio.client import Client

from deploy.local.accounts import Account, can_reach, hand_over, unprivileged_account
from deploy.local.ephemeral import ThrowAwayNats, run_apart
from deploy.local.nats import NatsServer, account_of
from deploy.local.ports import SERVICES, free_ports
from deploy.local.postgres import PostgresServer
from deploy.local.processes import start
from deploy.local.programs import find_programs
from deploy.local.state import State
from tests.support.stack import Databases


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lien-thong-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def postgres(folder: Path) -> PostgresServer:
    account = unprivileged_account()
    place = folder / "postgres"
    place.mkdir(mode=0o700)
    hand_over(place, account)
    programs = find_programs(account, folder)
    server = PostgresServer(programs, place, free_ports(1)[0], "secret", account, folder / "log", unsafe=True)
    assert server.create()
    assert not server.create(), "an existing cluster is kept"
    return server


def test_a_server_left_over_from_a_crash_is_stopped_before_the_next_starts(postgres: PostgresServer) -> None:
    leftover = start(postgres.program())
    run_apart(postgres.wait_until_ready(leftover))

    postgres.end_leftover()

    assert leftover.popen.wait() == 0, "an orderly stop"
    assert not (postgres.data / "postmaster.pid").exists()


def test_a_pid_file_that_names_another_program_by_now_does_not_stop_the_start(postgres: PostgresServer) -> None:
    pid_file = postgres.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{postgres.data}\n")
    hand_over(pid_file, postgres.account)

    postgres.end_leftover()
    child = start(postgres.program())
    try:
        run_apart(postgres.wait_until_ready(child))
        assert child.running()
    finally:
        child.stop_now()


async def test_a_service_role_is_neither_owner_nor_above_row_level_security(
    pg_admin_url: str, databases: Databases
) -> None:
    database = databases.empty("sync")
    connection = await asyncpg.connect(pg_admin_url)
    try:
        roles = await connection.fetch(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles "
            "WHERE rolname LIKE 'sync_%'"
        )
        assert {row["rolname"] for row in roles} == {"sync_app", "sync_owner"}
        assert not any(value for row in roles for value in tuple(row)[1:])
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(_plain(database.app_url).replace("sync_app", "materials_app"))
    finally:
        await connection.close()
        databases.drop(database)


async def test_a_clone_holds_what_its_template_holds_and_ends_with_its_test(databases: Databases) -> None:
    template = databases.empty("sync")
    await _execute(template.owner_url, "CREATE TABLE word (text text)", "GRANT INSERT, SELECT ON word TO sync_app")
    clone = databases._create("sync", template.name)
    await _execute(clone.app_url, "INSERT INTO word VALUES ('only in the clone')")

    other = await asyncpg.connect(_plain(template.owner_url))
    assert await other.fetch("SELECT * FROM word") == []
    await other.close()

    for database in (clone, template):
        databases.drop(database)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(_plain(clone.app_url))


async def test_a_service_publishes_only_its_own_subjects_and_changes_only_its_own_stream(
    clean_streams: None, nats_url_for: Callable[[str], str]
) -> None:
    refusals: list[str] = []
    sync = await _connect(nats_url_for("sync"), refusals)
    try:
        jetstream = sync.jetstream(timeout=0.5)
        await jetstream.add_stream(name="SYNC", subjects=["sync.>"])
        assert (await jetstream.publish("sync.roster.committed.v1", b"{}")).stream == "SYNC"
        assert not refusals
        with pytest.raises(nats.errors.TimeoutError):
            await jetstream.publish("reporting.submission.accepted.v1", b"{}")
        with pytest.raises(nats.errors.TimeoutError):
            await jetstream.delete_stream("MATERIALS")
        assert ["permissions violation for publish" in refusal.lower() for refusal in refusals] == [True, True]
    finally:
        await sync.close()


async def test_a_service_reads_the_stream_of_another(clean_streams: None, nats_url_for: Callable[[str], str]) -> None:
    sync, reporting = await _connect(nats_url_for("sync")), await _connect(nats_url_for("reporting"))
    try:
        await sync.jetstream().add_stream(name="SYNC", subjects=["sync.>"])
        await sync.jetstream().publish("sync.roster.committed.v1", b"one")
        subscription = await reporting.jetstream().pull_subscribe("sync.>", durable="reporting")
        (message,) = await subscription.fetch(1)
        assert message.data == b"one"
        await message.ack_sync()
    finally:
        await sync.close()
        await reporting.close()


async def test_streams_survive_a_killed_message_server(own_nats: ThrowAwayNats) -> None:
    client = await _connect(own_nats.url("sync"))
    await client.jetstream().add_stream(name="SYNC", subjects=["sync.>"])
    await client.jetstream().publish("sync.roster.committed.v1", b"kept")
    await client.close()
    own_nats.kill()
    own_nats.start()
    client = await _connect(own_nats.url("sync"))
    assert (await client.jetstream().stream_info("SYNC")).state.messages == 1
    await client.close()


def test_the_shipped_message_server_syncs_every_write(folder: Path) -> None:
    place = folder / "nats"
    place.mkdir()
    account = unprivileged_account()
    port, monitor = free_ports(2)
    accounts = {"LIEN_THONG": account_of(dict.fromkeys(SERVICES, "secret"))}
    server = NatsServer(find_programs(account, folder), place, port, monitor, accounts, account, folder / "log")
    assert server.configuration()["jetstream"]["sync_interval"] == "always"
    server.program()
    assert stat.S_IMODE((place / "nats.conf").stat().st_mode) == 0o600, "it holds passwords"


@pytest.mark.skipif(os.geteuid() != 0, reason="NOTICE: only root hands over files; run as root to see this")
def test_files_of_the_servers_move_out_of_a_private_home(folder: Path) -> None:
    account = unprivileged_account()
    assert account is not None
    home = folder / "home"
    home.mkdir(mode=0o700)
    state = State(home / "clone" / ".run", system=folder / "system")
    state.create()
    assert not can_reach(state.root, account)

    place = state.server_folder("postgres", account)

    assert place.is_relative_to(folder / "system")
    assert (state.root / "postgres").resolve() == place
    assert place.stat().st_uid == account.uid
    assert state.server_folder("postgres", account) == place
    assert state.programs_folder(account).is_relative_to(folder / "system")
    state.remove()
    assert not place.exists()
    assert not state.root.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="NOTICE: only root drops privileges; run as root to see this")
def test_binaries_in_a_private_home_are_copied_to_where_the_account_can_run_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = unprivileged_account()
    monkeypatch.setattr("deploy.local.programs.can_reach", _reaches_only(folder))

    programs = find_programs(account, folder / "programs")
    assert programs.postgres.is_relative_to(folder / "programs")
    assert programs.nats_server.is_relative_to(folder / "programs")
    place = folder / "postgres"
    place.mkdir()
    hand_over(place, account)
    server = PostgresServer(programs, place, free_ports(1)[0], "secret", account, folder / "log", unsafe=True)
    assert server.create(), "the copy finds its libraries"
    shutil.rmtree(place)


def _reaches_only(folder: Path) -> Callable[[Path, Account | None], bool]:
    return lambda path, _account: path.is_relative_to(folder)


def _plain(url: str) -> str:
    return url.replace("+asyncpg", "")


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(_plain(url))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _connect(url: str, refusals: list[str] | None = None) -> Client:
    async def remember(error: Exception) -> None:
        if refusals is not None:
            refusals.append(str(error))

    return await nats.connect(url, error_cb=remember, allow_reconnect=False)
