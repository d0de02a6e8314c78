"""Builds what the processes of the gateway hold open."""

from services.gateway.settings import GatewaySettings
from services.gateway.storage.tables import Base
from shared.clock import Clock
from shared.service import Runtime, Service, build_runtime

SERVICE = Service(name="gateway", settings=GatewaySettings, metadata=Base.metadata)


def build(settings: GatewaySettings, *, role: str, clock: Clock | None = None) -> Runtime:
    """`role` tells the gateway's processes apart in the database: `api`, `worker`, `admin`."""
    return build_runtime(SERVICE.name, settings, role=role, clock=clock)
