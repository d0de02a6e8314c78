"""Telling a database that is away or busy from a statement that is wrong."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# SQLSTATE classes: connection, resources, operator intervention; then single states: not accepting connections,
# serialisation failure, deadlock, lock time-out.
_CLASSES = ("08", "53", "57")
_STATES = frozenset({"55000", "40001", "40P01", "55P03"})


def is_transient(failure: BaseException) -> bool:
    """Whether the same work may succeed when it is simply done again a little later."""
    if isinstance(failure, PoolTimeoutError | ConnectionError | TimeoutError):
        return True
    if not isinstance(failure, DBAPIError):
        return False
    state = str(getattr(failure.orig, "sqlstate", None) or "")
    return (
        failure.connection_invalidated
        or isinstance(failure, OperationalError | InterfaceError)
        or state.startswith(_CLASSES)
        or state in _STATES
    )
