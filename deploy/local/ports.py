"""The ports of the stack, all derived from the gateway's, and the check that they are ours to take."""

import os
import socket
from dataclasses import dataclass

from deploy.local.errors import StackError

HOST = "127.0.0.1"
SERVICES = ("gateway", "sync", "materials", "reporting")
HIGHEST_OFFSET = 13


@dataclass(frozen=True, slots=True)
class Ports:
    """`gateway` P; the other services, PostgreSQL, NATS and its monitor follow; workers start at P+10."""

    gateway: int

    def __post_init__(self) -> None:
        if not 1024 <= self.gateway <= 65535 - HIGHEST_OFFSET:
            raise StackError(f"PORT must lie between 1024 and {65535 - HIGHEST_OFFSET}, not {self.gateway}.")

    def service(self, name: str) -> int:
        return self.gateway + SERVICES.index(name)

    def worker(self, name: str) -> int:
        return self.gateway + 10 + SERVICES.index(name)

    @property
    def postgres(self) -> int:
        return self.gateway + 4

    @property
    def nats(self) -> int:
        return self.gateway + 5

    @property
    def nats_monitor(self) -> int:
        return self.gateway + 6

    def uses(self) -> dict[int, str]:
        """Every port with what it is for."""
        return {
            **{self.service(name): name for name in SERVICES},
            self.postgres: "PostgreSQL",
            self.nats: "NATS",
            self.nats_monitor: "NATS monitor",
            **{self.worker(name): f"{name} worker" for name in SERVICES},
        }


def require_free(uses: dict[int, str]) -> None:
    """Raise `StackError` naming every taken port. Whatever answers there is not ours and is never talked to."""
    taken = [f"{port} ({use})" for port, use in sorted(uses.items()) if not is_free(port)]
    if taken:
        raise StackError(
            f"Port taken by another program: {', '.join(taken)}.\n"
            "Stop that program, or move every port of this stack: make run PORT=18080"
        )


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections of an earlier run that linger in TIME_WAIT are no reason to refuse.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports nobody uses at this moment, all different."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        ports: list[int] = [probe.getsockname()[1] for probe in probes]
        return ports
    finally:
        for probe in probes:
            probe.close()


def free_block() -> int:
    """A gateway port whose whole block is free, below the range the kernel gives to outgoing connections."""
    size = HIGHEST_OFFSET + 1
    blocks = range(20_000, 32_000 - size, size)
    # Processes that ask at the same moment begin at different places.
    first = os.getpid() % len(blocks)
    for turn in range(len(blocks)):
        start = blocks[(first + turn) % len(blocks)]
        if all(is_free(port) for port in Ports(start).uses()):
            return start
    raise StackError("No block of free ports was found between 20000 and 32000.")
