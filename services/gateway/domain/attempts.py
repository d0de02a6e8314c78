"""How often the token endpoint may be tried: token buckets in memory, one per address and per client at an address.

Wrong secrets are counted per client *and* address: counted per client alone, a stranger could lock a vendor out.
The buckets of one process are its own; several gateways allow as many times as much, which is still a bound.
"""

from collections import OrderedDict
from dataclasses import dataclass

from services.gateway.domain.oauth_errors import too_many_attempts

_MAX_KEYS = 10_000
_MINUTE = 60.0


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Allowance:
    """`per_minute` takes a minute for each key, refilled evenly; unused ones are kept up to one minute's worth."""

    def __init__(self, per_minute: int) -> None:
        self._capacity = float(per_minute)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Seconds until one may be taken; 0 when it may be now. Takes nothing."""
        missing = 1.0 - self._filled(key, now).level
        return max(0.0, missing * _MINUTE / self._capacity)

    def take(self, key: str, now: float) -> None:
        self._filled(key, now).level -= 1.0

    def forget(self, key: str) -> None:
        self._buckets.pop(key, None)

    def _filled(self, key: str, now: float) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._capacity, now)
            if len(self._buckets) > _MAX_KEYS:
                self._buckets.popitem(last=False)
        bucket.level = min(self._capacity, bucket.level + (now - bucket.at) * self._capacity / _MINUTE)
        bucket.at = now
        self._buckets.move_to_end(key)
        return bucket


class Attempts:
    """The two limits of the token endpoint. `now` is seconds of a monotonic clock."""

    def __init__(self, *, requests_per_minute: int, failures_per_minute: int) -> None:
        self._requests = Allowance(requests_per_minute)
        self._failures = Allowance(failures_per_minute)

    def begin(self, address: str, now: float) -> None:
        """Count one request from `address`. Raises `oauth.too_many_attempts` (limited)."""
        _refuse(self._requests.wait(address, now))
        self._requests.take(address, now)

    def check(self, address: str, client_id: str, now: float) -> None:
        """Raise `oauth.too_many_attempts` when too many secrets of this client were wrong lately."""
        _refuse(self._failures.wait(_pair(address, client_id), now))

    def failed(self, address: str, client_id: str, now: float) -> None:
        self._failures.take(_pair(address, client_id), now)

    def succeeded(self, address: str, client_id: str) -> None:
        self._failures.forget(_pair(address, client_id))


def _pair(address: str, client_id: str) -> str:
    return f"{address} {client_id[:200]}"


def _refuse(seconds: float) -> None:
    if seconds > 0:
        raise too_many_attempts(seconds)
