"""A supervisor in a process of its own: `python -m deploy.local run` as a person starts it, or with stand-ins.

Fixture
    whole_stack        the four services, their workers and the demo, once per test worker; the main job is played
"""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.plan import REPOSITORY
from deploy.local.ports import HOST, Ports, free_block
from deploy.local.state import State, kept_secrets

AT_MOST_SECONDS = 180.0


class Supervised:
    """A supervisor on the state folder `folder`, with its output in a file beside it."""

    def __init__(self, folder: Path, ports: Ports, *arguments: str) -> None:
        self.folder = folder
        self.ports = ports
        self._output = folder.with_suffix(".out")
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=REPOSITORY,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def gateway_url(self) -> str:
        return f"http://{HOST}:{self.ports.gateway}"

    def demo(self) -> dict[str, Any]:
        """`demo.json`."""
        found: dict[str, Any] = json.loads((self.folder / "demo.json").read_text())
        return found

    def until_running(self) -> "Supervised":
        until(lambda: "Running." in self.output or self.process.poll() is not None)
        assert self.process.poll() is None, self.output
        return self

    def end(self, *signals: signal.Signals) -> int:
        for number in signals:
            self.process.send_signal(number)
        return self.process.wait(AT_MOST_SECONDS)

    def kill(self) -> None:
        """Kill the supervisor itself, then wait until everything it started is gone."""
        self.process.kill()
        self.process.wait()
        until(lambda: not self.children())

    def children(self) -> dict[int, str]:
        """Processes that belong to the state folder with their command lines, the supervisor itself left out."""
        return {pid: name for pid, name in _processes_of(self.folder).items() if pid != self.process.pid}

    def admin_url(self, database: str) -> str:
        """PostgreSQL's superuser on `database`, for asyncpg."""
        password = kept_secrets(State(self.folder)).superuser
        return f"postgresql://postgres:{password}@{HOST}:{self.ports.postgres}/{database}"


@contextlib.contextmanager
def ended_with_the_test(stack: Supervised) -> Iterator[Supervised]:
    try:
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.end(signal.SIGTERM)
        until(lambda: not stack.children())


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder PostgreSQL's account can reach too: pytest's own are private to the user."""
    with tempfile.TemporaryDirectory(prefix="lien-thong-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def whole_stack() -> Iterator[Supervised]:
    with open_folder() as folder:
        ports = Ports(free_block())
        arguments = ("deploy.local", "--run-dir", str(folder / "run"), "run", "--port", str(ports.gateway))
        with ended_with_the_test(Supervised(folder / "run", ports, *arguments)) as stack:
            yield stack.until_running()


def until(happened: Callable[[], bool]) -> None:
    """Return as soon as it happened; fail when it does not for so long that it never will."""
    deadline = time.monotonic() + AT_MOST_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def _processes_of(folder: Path) -> dict[int, str]:
    found = {}
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            # PostgreSQL's children rename themselves, but live in the data folder.
            if str(folder) in command or str((place / "cwd").readlink()).startswith(str(folder)):
                found[int(place.name)] = command
    return found
