"""The one HTTP request the supervisor makes: is this process ready? A client library would cost it half a second."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is 0 when nothing answered."""

    status: int
    body: str


async def get(url: str) -> Answer:
    """GET a plain `http://host:port/path`, read to the end of the connection. Never raises for network reasons."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await _get(url)
    except (OSError, TimeoutError, ValueError, IndexError) as error:
        return Answer(0, str(error))


async def _get(url: str) -> Answer:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return Answer(int(head.split(maxsplit=2)[1]), body.decode(errors="replace"))
    finally:
        writer.close()
