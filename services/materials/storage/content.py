"""The port of the content store: files under the SHA-256 of their bytes, stored once, never overwritten.

The database says which files are used; the store knows only contents. A file arrives before the row that uses it, so a
crash in between leaves an orphan, which the worker sweeps.
"""

import datetime as dt
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Kept:
    """A file now in the store; `sha256` is hexadecimal, `size` in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a file is to be answered by a store that answers itself; `disposition` is the whole header."""

    media_type: str
    disposition: str


HASH = re.compile(r"[0-9a-f]{64}")


def require_hash(sha256: str) -> None:
    """Raise ValueError for what could be another path."""
    if not HASH.fullmatch(sha256):
        raise ValueError("not a SHA-256 in hexadecimal")


class Incoming(Protocol):
    """A file on its way in. Nothing of it remains unless `keep` was reached."""

    @property
    def size(self) -> int:
        """Bytes received so far."""

    async def write(self, block: bytes) -> None: ...

    async def settled(self) -> Path:
        """Where all that has been received lies now, for readers that need a path."""

    async def keep(self) -> Kept:
        """Make it durable and part of the store. Call once, after the last `write`."""


class ContentStore(Protocol):
    def incoming(self) -> AbstractAsyncContextManager[Incoming]: ...

    async def adopt(self, path: Path, sha256: str) -> None:
        """Make a complete local file part of the store under its hash; safe to repeat, the file itself stays."""

    async def size(self, sha256: str) -> int | None:
        """Bytes of a file, None when the store does not hold it."""

    def read(self, sha256: str, start: int, length: int) -> AsyncIterator[bytes]:
        """A stretch of a file in blocks of bounded size; `start` and `length` in bytes."""

    def address(self, sha256: str, wanted: Wanted) -> str | None:
        """Where whoever has the address reads the file from the store itself, for minutes; None where nobody can."""

    async def ready(self) -> None:
        """Raise unless files can be written."""

    def idle_since(self, moment: dt.datetime) -> AsyncIterator[list[str]]:
        """Files nobody handed in after `moment`, in batches."""

    async def remove_if_idle(self, sha256: str, moment: dt.datetime) -> bool:
        """Remove a file unless somebody handed it in after `moment`, also at this very instant."""

    async def drop_unfinished(self, moment: dt.datetime) -> int:
        """Remove what began to arrive before `moment` and was never kept; how many."""
