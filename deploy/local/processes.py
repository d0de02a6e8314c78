"""Child processes that cannot outlive us.

Each child gets a session of its own (Ctrl-C in the terminal reaches only the supervisor), drops to its account, and
asks the kernel for a signal at our death. The order matters: changing the account clears the death signal, and a
parent that died before the request would never be noticed, so the child looks at its parent last.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.accounts import Account

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.02
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Program:
    """How to start one long-running process and how to end it.

    `death_signal` is what the kernel sends when the supervisor dies, `stop_signal` what an orderly stop sends; after
    `grace` seconds the process group is killed. Without `log` the child writes to our own terminal.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None
    ready_url: str | None = None
    cwd: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace: float = 20.0


@dataclass(slots=True)
class Child:
    """A started program. The parent polls: eight children five times a second cost nothing and need no handlers."""

    program: Program
    popen: subprocess.Popen[bytes] = field(repr=False)

    @property
    def name(self) -> str:
        return self.program.name

    def running(self) -> bool:
        return self.popen.poll() is None

    async def ended(self, within: float | None = None) -> int | None:
        """The exit code, or None when it still runs after `within` seconds."""
        deadline = None if within is None else time.monotonic() + within
        while self.running():
            if deadline is not None and time.monotonic() >= deadline:
                return None
            await asyncio.sleep(_POLL_SECONDS)
        return self.popen.returncode

    async def stop(self) -> None:
        """Ask, wait, then kill; whatever the child started in its group goes with it."""
        self.signal(self.program.stop_signal)
        await self.ended(self.program.grace)
        self.kill()
        await self.ended()

    def stop_now(self) -> None:
        """As `stop`, for callers without an event loop."""
        self.signal(self.program.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(self.program.grace)
        self.kill()
        self.popen.wait()

    def signal(self, number: signal.Signals) -> None:
        if self.running():
            self.popen.send_signal(number)

    def kill(self) -> None:
        # The group outlives its leader when the child left children of its own.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)


def start(program: Program) -> Child:
    """Start `program`. Call it from the main thread: the kernel watches the thread that forked, not the process."""
    account = program.account
    with contextlib.ExitStack() as opened:
        output = None
        if program.log is not None:
            output = opened.enter_context(_fresh(program.log).open("wb"))
        popen = subprocess.Popen(  # noqa: S603  # the programs are our own, from a table in this package
            list(program.argv),
            env=dict(program.environment),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_tie_to(os.getpid(), program.death_signal),  # noqa: PLW1509  # one thread, one system call
        )
    return Child(program, popen)


def _fresh(log: Path) -> Path:
    """Keep the log of the last start beside the new one, so that neither grows for ever."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    return log


def _tie_to(parent: int, death_signal: signal.Signals) -> Callable[[], None]:
    def tie() -> None:
        die_with_parent(death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def die_with_parent(death_signal: signal.Signals) -> None:
    """Ask the kernel to send this process `death_signal` when its parent dies (Linux `prctl(2)`)."""
    if _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def tail(log: Path | None, lines: int = 20) -> str:
    """The last lines of a log, for an error message."""
    if log is None or not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
