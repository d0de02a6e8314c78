"""Named steps at which a test can make the process kill itself, to prove what survives a crash.

Armed once at start from the setting `FAILPOINT`; never armed in production.
"""

import os
import signal

_armed: set[str] = set()


def arm(name: str | None) -> None:
    """Kill the process with SIGKILL when it reaches the step `name`. None disarms everything."""
    _armed.clear()
    if name:
        _armed.add(name)


def failpoint(name: str) -> None:
    if name in _armed:
        os.kill(os.getpid(), signal.SIGKILL)
