"""One nats-server of ours: its configuration as data, one user per service, and readiness.

A service may publish its own subjects, manage its own stream, and read every stream through consumers. Anything else
is refused by the server; a refused publish shows up as a time-out plus a message on the client's error callback.
"""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.accounts import Account, hand_over
from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.processes import Child, Program, tail
from deploy.local.programs import Programs
from deploy.local.web import get

_START_SECONDS = 30.0
_GIBIBYTE = 1024**3


def permissions(service: str) -> dict[str, Any]:
    """What the user of a service may publish and subscribe to."""
    stream = service.upper()
    publish = [
        f"{service}.>",
        f"canary.{service}",
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.STREAM.MSG.GET.*",
        "$JS.API.STREAM.CREATE.CANARY",
        f"$JS.API.STREAM.*.{stream}",
        f"$JS.API.STREAM.MSG.*.{stream}",
        "$JS.API.CONSUMER.>",
        "$JS.API.DIRECT.GET.>",
        "$JS.ACK.>",
        "$JS.FC.>",
        "_INBOX.>",
    ]
    return {"publish": {"allow": publish}, "subscribe": {"allow": ["_INBOX.>", "$JS.EVENT.ADVISORY.>"]}}


def account_of(passwords: Mapping[str, str], *, suffix: str = "", admin_password: str | None = None) -> dict[str, Any]:
    """A NATS account with JetStream and one user per service, named `<service><suffix>`; `admin` may do everything."""
    users: list[dict[str, Any]] = [
        {"user": f"{service}{suffix}", "password": password, "permissions": permissions(service)}
        for service, password in passwords.items()
    ]
    if admin_password is not None:
        users.append({"user": f"admin{suffix}", "password": admin_password})
    return {"jetstream": "enabled", "users": users}


@dataclass(frozen=True, slots=True)
class NatsServer:
    """`folder` belongs to `account` and holds the configuration and the streams.

    Streams reserve their `max_bytes` from `file_store` (bytes) when they are created.
    """

    programs: Programs
    folder: Path
    port: int
    monitor_port: int
    accounts: Mapping[str, Any]
    account: Account | None
    log: Path
    file_store: int = 8 * _GIBIBYTE

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def monitor_url(self) -> str:
        return f"http://{HOST}:{self.monitor_port}"

    def configuration(self) -> dict[str, Any]:
        return {
            "server_name": "lien-thong",
            "host": HOST,
            "port": self.port,
            "http": f"{HOST}:{self.monitor_port}",
            "max_payload": 1024**2,
            "jetstream": {
                "store_dir": str(self.store),
                # A full disk stops JetStream until a restart, with /healthz still saying ok: refuse earlier.
                "max_file_store": self.file_store,
                "max_memory_store": _GIBIBYTE // 4,
                # The default lost every acknowledged message at a power cut.
                "sync_interval": "always",
            },
            "accounts": dict(self.accounts),
        }

    def program(self) -> Program:
        """Write the configuration and say how to start the server."""
        path = self.folder / "nats.conf"
        # JSON is valid NATS configuration, and needs no quoting rules of our own.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.configuration(), file, indent=1)
        hand_over(path, self.account)
        return Program(
            name="nats",
            argv=[str(self.programs.nats_server), "-c", str(path)],
            environment={"PATH": os.defpath},
            log=self.log,
            cwd=self.folder,
            account=self.account,
        )

    async def wait_until_ready(self, child: Child) -> None:
        """Return when JetStream is up. Raises `StackError` when the server ends or takes too long."""
        deadline = time.monotonic() + _START_SECONDS
        while child.running() and time.monotonic() < deadline:
            if (await get(f"{self.monitor_url}/healthz")).status == 200:
                return
            await asyncio.sleep(0.05)
        raise StackError(f"nats-server did not start:\n{tail(self.log)}")
