"""The connection to nats-server, with its asynchronous errors made visible.

A *denied* publish looks like a time-out to the publisher; the reason arrives only at the error callback. The bus keeps
the newest refusal, so that the time-out can be reported as what it is.
"""

import asyncio
import ssl
from typing import Any
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import PubAck
from nats.js.client import JetStreamContext
from nats.js.errors import APIError
from prometheus_client import Counter

from shared.errors import AppError, Kind, Text
from shared.logs import logger

log = logger(__name__)

NATS_ERRORS = Counter("nats_errors_total", "Asynchronous errors reported by nats-server", ["kind"])

__all__ = ["Bus", "NatsError", "connect_bus"]


class Bus:
    """One connection per process. `jetstream` is nats-py's context; `publish` waits for the acknowledgement."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self.jetstream: JetStreamContext = client.jetstream(timeout=5.0)
        self.last_refusal: str | None = None

    @property
    def connected(self) -> bool:
        return self.client.is_connected

    async def publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> PubAck:
        """Publish and wait for JetStream's acknowledgement. Raises `bus.denied` or `bus.unavailable`."""
        self.last_refusal = None
        try:
            return await self.jetstream.publish(subject, payload, headers=headers)
        except (NatsTimeoutError, NoRespondersError, APIError, NatsError) as failure:
            raise self.failure_of(failure) from failure

    def failure_of(self, failure: BaseException) -> AppError:
        if self.last_refusal is not None:
            return AppError(
                "bus.denied",
                Kind.UNAVAILABLE,
                Text(
                    "Máy chủ sự kiện từ chối quyền gửi. Kiểm tra quyền của tài khoản NATS.",
                    "nats-server denied the publish. Check the permissions of the NATS account.",
                ),
                details={"refusal": self.last_refusal},
            )
        return AppError(
            "bus.unavailable",
            Kind.UNAVAILABLE,
            Text("Máy chủ sự kiện không trả lời.", "nats-server does not answer."),
            details={"reason": type(failure).__name__},
        )

    async def close(self) -> None:
        if not self.client.is_closed:
            await self.client.close()


async def connect_bus(url: str, name: str, *, wait_seconds: float = 30.0) -> Bus:
    """Connect and keep reconnecting for ever afterwards. Raises `bus.unavailable` when the first contact fails.

    `url` is `nats://user:password@host:port`, or `tls://…` for an encrypted connection.
    """
    holder: list[Bus] = []

    async def on_error(error: Exception) -> None:
        refused = "permissions violation" in str(error).lower()
        NATS_ERRORS.labels(kind="refused" if refused else type(error).__name__).inc()
        if refused and holder:
            holder[0].last_refusal = str(error)
        log.warning("nats_error", error=type(error).__name__, refused=refused, detail=str(error))

    async def on_disconnect() -> None:
        log.warning("nats_disconnected")

    async def on_reconnect() -> None:
        log.info("nats_reconnected")

    options: dict[str, Any] = {"tls": ssl.create_default_context()} if urlsplit(url).scheme == "tls" else {}
    deadline = asyncio.get_running_loop().time() + wait_seconds
    while True:
        try:
            client = await nats.connect(
                url,
                name=name,
                error_cb=on_error,
                disconnected_cb=on_disconnect,
                reconnected_cb=on_reconnect,
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.5,
                connect_timeout=2,
                **options,
            )
        except (NatsError, OSError, TimeoutError) as failure:
            if asyncio.get_running_loop().time() >= deadline:
                raise AppError(
                    "bus.unavailable",
                    Kind.UNAVAILABLE,
                    Text("Không kết nối được máy chủ sự kiện.", "nats-server cannot be reached."),
                    details={"reason": type(failure).__name__},
                ) from failure
            await asyncio.sleep(0.3)
        else:
            bus = Bus(client, name)
            holder.append(bus)
            return bus
