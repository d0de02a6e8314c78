"""Which account the database and the message server run as, and which paths it can reach.

PostgreSQL refuses to run as root. When root starts the stack, PostgreSQL and nats-server drop to an existing account.
The services stay with the person who started them: their interpreter and their virtual environment often lie in that
person's private home, where no other account could read them, and they own nothing but `.run/data`.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """The account to drop to; None when the stack already runs as an ordinary user. Raises `StackError`."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise StackError(f"Started as root, but none of the accounts {', '.join(CANDIDATES)} exists to run PostgreSQL as.")


def can_reach(path: Path, account: Account | None) -> bool:
    """Whether `account` may walk to `path` and read it; None asks for nobody and is always true."""
    if account is None:
        return True
    resolved = path.resolve()
    return all(_allows(place, account, stat.S_IXOTH) for place in resolved.parents) and _allows(
        resolved, account, stat.S_IROTH
    )


def _allows(place: Path, account: Account, bit: int) -> bool:
    found = place.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & (bit << 6))
    if found.st_gid == account.gid:
        return bool(found.st_mode & (bit << 3))
    return bool(found.st_mode & bit)


def hand_over(path: Path, account: Account | None) -> None:
    """Make `path` (a file or a folder without content of others) the account's own."""
    if account is not None:
        os.chown(path, account.uid, account.gid)
