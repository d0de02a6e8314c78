"""The parent's side: start a child for a file, wait for its answer as long as it may take, and believe nothing else."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import Inspection, Limits
from shared.errors import AppError, Kind, Text, unavailable
from shared.logs import logger

log = logger(__name__)

_ROOT = Path(__file__).resolve().parents[3]
_ANSWER_LIMIT = 8 * 1024 * 1024
_CHILD = "services.materials.inspection.child"


class Inspector:
    """At most `parallel` children at a time; the others wait their turn."""

    def __init__(self, limits: Limits | None = None, *, parallel: int = 2) -> None:
        self._limits = limits or Limits()
        self._turns = asyncio.Semaphore(parallel)

    async def inspect(self, path: Path) -> Inspection:
        """What the file at `path` is.

        Raises the refusal with its exact reason (invalid), `file.too_costly` when the child went beyond its limits or
        died of the file, `inspection.unavailable` when no child could be started.
        """
        async with self._turns:
            said = await self._ask(path)
        if said is None or "costly" in said:
            raise refusal("file.too_costly")
        if "refused" in said:
            raise _refused(said["refused"])
        return Inspection.from_json(said["found"])

    async def _ask(self, path: Path) -> Mapping[str, Any] | None:
        process = await self._start(path)
        try:
            async with asyncio.timeout(self._limits.wall_seconds):
                answer = await _read_answer(process)
                await process.wait()
        except TimeoutError:
            answer = None
        finally:
            _end(process)
            await process.wait()
        if answer is None or process.returncode != 0:
            log.warning("inspection_ended_early", returncode=process.returncode)
            return None
        try:
            document: Mapping[str, Any] = json.loads(answer)
        except ValueError:
            return None
        return document

    async def _start(self, path: Path) -> asyncio.subprocess.Process:
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
                stdout=asyncio.subprocess.PIPE,
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


async def _read_answer(process: asyncio.subprocess.Process) -> bytes | None:
    """All it says, None when it says more than an answer can be."""
    assert process.stdout is not None
    said = bytearray()
    while block := await process.stdout.read(65536):
        said += block
        if len(said) > _ANSWER_LIMIT:
            return None
    return bytes(said)


def _end(process: asyncio.subprocess.Process) -> None:
    """The child and whatever it may have started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _refused(said: Mapping[str, Any]) -> AppError:
    return AppError(said["code"], Kind.INVALID, Text(said["vi"], said["en"]), details=said["details"])


def _not_started() -> AppError:
    return unavailable(
        "inspection.unavailable",
        vi="Chưa kiểm tra được tệp lúc này. Hãy gửi lại sau.",
        en="Files cannot be checked right now. Send it again later.",
        retry_after=30,
    )
