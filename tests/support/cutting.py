"""A wire between a client and a server that breaks, once or more, after so many bytes of the client's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_BLOCK = 16 * 1024


@dataclass
class Wire:
    """`breaks` says after how many bytes (in all, of all connections) it breaks; `broken` counts how often it did."""

    host: str
    port: int
    breaks: list[int]
    sent: int = 0
    broken: int = 0
    url: str = ""
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(self.host, self.port)
        back = asyncio.create_task(_pour(there_reader, writer))
        self._tasks.add(back)
        try:
            while block := await reader.read(_BLOCK):
                self.sent += len(block)
                if self.breaks and self.sent >= self.breaks[0]:
                    self.breaks.pop(0)
                    self.broken += 1
                    there_writer.transport.abort()
                    writer.transport.abort()
                    break
                there_writer.write(block)
                await there_writer.drain()
        except OSError:
            pass
        finally:
            back.cancel()
            there_writer.close()
            writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(_BLOCK):
            writer.write(block)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def wire(target: str, breaks: Sequence[int]) -> AsyncIterator[Wire]:
    """To the server at the address `target`; `Wire.url` is what the client is given instead."""
    parts = urlsplit(target)
    assert parts.hostname is not None
    assert parts.port is not None
    made = Wire(parts.hostname, parts.port, list(breaks))
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
