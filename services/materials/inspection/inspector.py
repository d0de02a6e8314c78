"""The parent's side: start a child for a file, wait for its answer as long as it may take, and believe nothing else."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Self

from services.materials.inspection import answers
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import Inspection, Limits
from shared.errors import AppError, unavailable
from shared.logs import logger

log = logger(__name__)

_ROOT = Path(__file__).resolve().parents[3]
_CHILD = "services.materials.inspection.child"


class Inspector:
    """At most `parallel` children at a time; the others wait their turn."""

    def __init__(self, limits: Limits | None = None, *, parallel: int = 2) -> None:
        self._limits = limits or Limits()
        self._turns = asyncio.Semaphore(parallel)

    async def inspect(self, path: Path) -> Inspection:
        """What the file at `path` is.

        Raises the refusal with its exact reason (invalid), `file.too_costly` when the child went beyond its limits or
        died of the file, `file.damaged` when our reader stumbled over it, `inspection.unavailable` when no child could
        be started.
        """
        async with self._turns:
            said = await self._ask(path)
        if said is not None and said.found is not None:
            return answers.found(said.found)
        if said is not None and said.refused is not None:
            raise answers.refused(said.refused)
        if said is not None and said.stumbled is not None:
            log.error("inspection_stumbled", failure=said.stumbled)
            raise refusal("file.damaged")
        raise refusal("file.too_costly")

    async def _ask(self, path: Path) -> answers.Answer | None:
        """Its answer, None when it gave none in time, one too long, or none that is ours. It is dead afterwards."""
        async with _Mouth() as mouth:
            process = await self._start(path, mouth.words)
            said = None
            try:
                async with asyncio.timeout(self._limits.wall_seconds):
                    said = await mouth.listen(answers.ANSWER_LIMIT)
                    if said is not None:
                        await process.wait()
            except TimeoutError:
                said = None
            finally:
                # Before anything is waited for: one that has more to say than we read would never end by itself.
                _end(process)
                await process.wait()
        answer = None if said is None or process.returncode != 0 else answers.read(said)
        if answer is None:
            log.warning("inspection_ended_early", returncode=process.returncode)
        return answer

    async def _start(self, path: Path, words: int) -> asyncio.subprocess.Process:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as failure:
            raise _not_started() from failure
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                _CHILD,
                json.dumps(asdict(self._limits)),
                stdin=descriptor,
                stdout=words,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=_ROOT,
                # Nothing of ours: no secret, no proxy, no address.
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,
            )
        except OSError as failure:
            raise _not_started() from failure
        finally:
            os.close(descriptor)


class _Mouth:
    """A pipe of our own instead of one of asyncio's: a process is then over when it is dead, whoever holds its pipe."""

    def __init__(self) -> None:
        ear, self.words = os.pipe()
        self._ear = os.fdopen(ear, "rb", buffering=0)
        self._reader = asyncio.StreamReader()
        self._transport: asyncio.ReadTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._reader), self._ear)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._let_go()
        if self._transport is not None:
            self._transport.close()

    async def listen(self, limit: int) -> bytes | None:
        """All it says until nobody holds the other end, None when that is more than `limit` bytes."""
        self._let_go()
        said = bytearray()
        while block := await self._reader.read(65536):
            said += block
            if len(said) > limit:
                return None
        return bytes(said)

    def _let_go(self) -> None:
        """Our own hold on the child's end."""
        if self.words >= 0:
            os.close(self.words)
            self.words = -1


def _end(process: asyncio.subprocess.Process) -> None:
    """The child and whatever it may have started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _not_started() -> AppError:
    return unavailable(
        "inspection.unavailable",
        vi="Chưa kiểm tra được tệp lúc này. Hãy gửi lại sau.",
        en="Files cannot be checked right now. Send it again later.",
        retry_after=30,
    )
