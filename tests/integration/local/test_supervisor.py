"""The embedded stack as a person meets it: real processes, real signals, real PostgreSQL and nats-server."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import asyncpg
import pytest

from deploy.local.accounts import unprivileged_account
from deploy.local.ephemeral import run_apart
from deploy.local.plan import REPOSITORY
from deploy.local.ports import HOST, Ports, free_block
from tests.support.supervised import AT_MOST_SECONDS, Supervised, ended_with_the_test, open_folder, until


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as place:
        yield place / "run"


def running(folder: Path, mode: str = "calm", port: int | None = None) -> AbstractContextManager[Supervised]:
    """The supervisor with stand-ins for the services."""
    ports = Ports(port or free_block())
    arguments = ("tests.support.tiny_stack", str(folder), str(ports.gateway), mode)
    return ended_with_the_test(Supervised(folder, ports, *arguments))


def test_killing_the_supervisor_leaves_no_process_behind_and_the_next_start_goes_on(folder: Path) -> None:
    with running(folder) as stack:
        stack.until_running()
        run_apart(
            _execute(stack.admin_url("sync"), "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('here')")
        )
        names = " ".join(stack.children().values())
        assert "postgres" in names
        assert "nats-server" in names
        assert names.count("tiny_stack serve") == 2
        assert len(stack.children()) > 6, "PostgreSQL's own children belong to the picture"

        stack.kill()

    with running(folder, port=stack.ports.gateway) as again:
        again.until_running()
        assert run_apart(_fetch(again.admin_url("sync"), "SELECT word FROM kept")) == "here"
        assert (folder / "counted.txt").read_text() == "prepared played "
        assert again.end(signal.SIGINT) == 0
        assert not again.children()


def test_the_second_interrupt_kills_what_ignores_the_first(folder: Path) -> None:
    with running(folder, "stubborn") as stack:
        stack.until_running()
        stack.process.send_signal(signal.SIGINT)
        until(lambda: "Stopping" in stack.output)
        assert stack.process.poll() is None
        assert stack.end(signal.SIGINT) == 0
        assert not stack.children()


def test_a_child_that_ends_by_itself_stops_the_stack_and_shows_its_last_words(folder: Path) -> None:
    with running(folder, "crash") as stack:
        assert stack.process.wait(AT_MOST_SECONDS) == 1
        assert "other ended by itself with exit code 1" in stack.output
        assert "the disk is on fire" in stack.output
        assert not stack.children()


def test_a_failed_preparation_is_shown_and_tried_again_at_the_next_start(folder: Path) -> None:
    with running(folder, "unprepared") as stack:
        assert stack.process.wait(AT_MOST_SECONDS) == 1
        assert "broken failed with exit code 1:\nno such table" in stack.output
        assert not (folder / "prepared.json").exists()
        assert not stack.children()


def test_a_taken_port_is_a_clear_error_and_nobody_talks_to_whoever_holds_it(folder: Path) -> None:
    port = free_block()
    with socket.create_server((HOST, port + 4)) as other, running(folder, port=port) as stack:
        assert stack.process.wait(AT_MOST_SECONDS) == 1
        assert f"{port + 4} (PostgreSQL)" in stack.output
        assert "make run PORT=" in stack.output
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()


def test_nobody_else_starts_or_removes_a_stack_that_runs(folder: Path) -> None:
    with running(folder) as first:
        first.until_running()
        port = str(free_block())
        for command in (
            ["-m", "tests.support.tiny_stack", str(folder), port, "calm"],
            ["-m", "deploy.local", "--run-dir", str(folder), "run", "--port", port],
            ["-m", "deploy.local", "--run-dir", str(folder), "clean"],
        ):
            refused = subprocess.run(
                [sys.executable, *command], cwd=REPOSITORY, capture_output=True, text=True, check=False
            )
            assert refused.returncode == 1
            assert "already running" in refused.stderr
        assert first.end(signal.SIGTERM) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="NOTICE: only root drops privileges; run the tests as root to see this")
def test_started_by_root_the_servers_run_as_another_account(folder: Path) -> None:
    account = unprivileged_account()
    assert account is not None
    with running(folder) as stack:
        stack.until_running()
        servers = {pid: name for pid, name in stack.children().items() if "tiny_stack" not in name}
        assert servers
        for pid in servers:
            status = Path(f"/proc/{pid}/status").read_text()
            assert f"Uid:\t{account.uid}\t{account.uid}\t{account.uid}\t{account.uid}" in status
        assert stack.end(signal.SIGTERM) == 0


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
