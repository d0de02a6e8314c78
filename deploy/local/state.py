"""The state folder `.run/`: what is in it, who holds it, and the secrets made on the first start.

lock                 held while a stack runs
secrets.json         passwords of the database and message server, mode 600
keys/signing.pem     the gateway's ES256 private key, mode 600
logs/<process>.log   data/<service>/   postgres/   nats/   programs/
prepared.json        which code the databases and streams were last prepared for
stack.json           the port of the last start
demo.json            addresses and credentials of the demo
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from deploy.local.accounts import Account, can_reach, hand_over
from deploy.local.errors import StackError
from deploy.local.ports import SERVICES

# Root's clone may lie in a private home; the database's account then needs its files elsewhere.
SYSTEM_STATE = Path("/var/lib/lien-thong")


@dataclass(frozen=True, slots=True)
class State:
    root: Path
    system: Path = SYSTEM_STATE

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def signing_key(self) -> Path:
        return self.root / "keys" / "signing.pem"

    @property
    def demo(self) -> Path:
        return self.root / "demo.json"

    @property
    def _outside(self) -> Path:
        return self.system / hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:16]

    def data(self, service: str) -> Path:
        return self.root / "data" / service

    def create(self) -> None:
        """Make the folder, and inside it those that every process expects."""
        self.root.mkdir(parents=True, exist_ok=True)
        # Uploads lie under data/ for a while, and they are about children.
        for private in (self.root / "data", self.signing_key.parent):
            private.mkdir(mode=0o700, exist_ok=True)
        for folder in (self.logs, *(self.data(service) for service in SERVICES)):
            folder.mkdir(exist_ok=True)

    def server_folder(self, name: str, account: Account | None) -> Path:
        """A private folder of a server. Outside, with a link to it, where `account` cannot walk to the state folder."""
        place = self.root / name
        if not place.exists():
            self._make_server_folder(place, account)
        owner = account.uid if account else os.geteuid()
        if place.stat().st_uid != owner:
            raise StackError(
                f"{place} belongs to another account: this stack was first started by another user. "
                "Start it as that user, or let that user run `make run-clean`."
            )
        return place.resolve()

    def _make_server_folder(self, place: Path, account: Account | None) -> None:
        if can_reach(self.root, account):
            place.unlink(missing_ok=True)
            place.mkdir()
        else:
            outside = self._outside / place.name
            outside.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.symlink_to(outside, target_is_directory=True)
        place.chmod(0o700)
        hand_over(place.resolve(), account)

    def programs_folder(self, account: Account | None) -> Path:
        """Where binaries are copied to when `account` cannot reach the installed ones."""
        place = (self.root if can_reach(self.root, account) else self._outside) / "programs"
        place.mkdir(parents=True, exist_ok=True)
        return place

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else starts or removes this stack meanwhile. Raises `StackError`."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(
                    f"A stack is already running on {self.root}. Stop it first (Ctrl-C in its terminal)."
                ) from None
            yield

    def remove(self) -> None:
        """Delete everything, the servers' folders outside included. The caller holds the lock."""
        shutil.rmtree(self._outside, ignore_errors=True)
        shutil.rmtree(self.root)

    def read_json(self, name: str) -> dict[str, Any]:
        """The object in a file of the folder; empty when there is none."""
        path = self.root / name
        if not path.exists():
            return {}
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def write_json(self, name: str, value: dict[str, Any], *, mode: int = 0o644) -> None:
        """Replace the file in one step, so that a crash leaves the old or the new one."""
        unfinished = self.root / f"{name}.part"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=2)
            file.write("\n")
        unfinished.replace(self.root / name)


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords. The roles of a service are `<service>_owner` and `<service>_app`, its NATS user is `<service>`."""

    superuser: str
    database: dict[str, str]
    nats: dict[str, str]
    connectors: str
    content: str
    lti: str

    @classmethod
    def generate(cls) -> "Secrets":
        roles = [f"{service}_{part}" for service in SERVICES for part in ("owner", "app")]
        return cls(
            secrets.token_hex(24),
            {role: secrets.token_hex(24) for role in roles},
            # NATS reads a bare word that starts with a digit as a number; a letter in front keeps every reader honest.
            {service: "n" + secrets.token_hex(24) for service in SERVICES},
            secrets.token_hex(24),
            secrets.token_hex(24),
            secrets.token_hex(24),
        )


def kept_secrets(state: State) -> Secrets:
    """The secrets of this state folder, made on first use."""
    kept = state.read_json("secrets.json")
    fresh = asdict(Secrets.generate())
    if kept.keys() != fresh.keys():
        kept = fresh | kept
        state.write_json("secrets.json", kept, mode=0o600)
    if not state.signing_key.exists():
        _write_signing_key(state.signing_key)
    return Secrets(**kept)


def _write_signing_key(path: Path) -> None:
    pem = ECKey.generate_key("P-256").as_pem(private=True)
    unfinished = path.with_suffix(".part")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    unfinished.replace(path)
