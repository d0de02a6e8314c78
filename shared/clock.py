"""Time: always UTC-aware, always taken from a clock that was handed in.

Receipt times come from the database (`shared.db.unit_of_work.UnitOfWork.now`), so that every instance agrees.
"""

from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def rfc3339(instant: datetime) -> str:
    """An instant as the contracts write it: UTC, `Z`, milliseconds. Raises ValueError for a naive time."""
    if instant.tzinfo is None:
        raise ValueError("a naive time has no place in a contract")
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
