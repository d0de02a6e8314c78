"""The port of the virus scanner, and clamd behind it (the INSTREAM command of ClamAV's daemon)."""

import asyncio
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.errors import unavailable

_CHUNK = 1024 * 1024
_END = struct.pack(">I", 0)


@dataclass(frozen=True, slots=True)
class Scan:
    """`signature` names what was found in an infected content; `not_scanned` means the scanner would not look at it."""

    state: Literal["clean", "infected", "not_scanned"]
    signature: str | None = None


class Scanner(Protocol):
    async def scan(self, content: AsyncIterator[bytes]) -> Scan:
        """Look at a content. Raises `scanner.unavailable` when it cannot be reached: try again later."""


class Clamd:
    """One connection for each content; the scanner's own size limit makes a content `not_scanned`."""

    def __init__(self, host: str, port: int, *, seconds: float = 600.0) -> None:
        self._host = host
        self._port = port
        self._seconds = seconds

    async def scan(self, content: AsyncIterator[bytes]) -> Scan:
        try:
            async with asyncio.timeout(self._seconds):
                return _understood(await self._ask(content))
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as failure:
            raise unavailable(
                "scanner.unavailable",
                vi="Chưa liên lạc được với phần mềm quét virus.",
                en="The virus scanner cannot be reached.",
                retry_after=60,
            ) from failure

    async def _ask(self, content: AsyncIterator[bytes]) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(b"zINSTREAM\0")
            try:
                async for block in content:
                    for start in range(0, len(block), _CHUNK):
                        part = block[start : start + _CHUNK]
                        writer.write(struct.pack(">I", len(part)) + part)
                        await writer.drain()
                writer.write(_END)
                await writer.drain()
            except ConnectionError:
                pass  # beyond its size limit the scanner says so and hangs up: what it said is still to be read
            return await reader.readuntil(b"\0")
        finally:
            writer.close()


def _understood(said: bytes) -> Scan:
    words = said.rstrip(b"\0").decode("utf-8", "replace").strip()
    if words.endswith("FOUND"):
        return Scan("infected", words.removeprefix("stream:").removesuffix("FOUND").strip() or "unknown")
    return Scan("clean") if words.endswith("OK") else Scan("not_scanned")
