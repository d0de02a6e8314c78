"""The environment of each process of a service: the same names that compose sets (settings come from nowhere else)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.ports import HOST, SERVICES, Ports
from deploy.local.state import Secrets, State

# What a Python process needs from the person's own environment; everything else is ours to say.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
# What the person may change for all processes at once.
ADJUSTABLE = {"LOG_LEVEL": "info", "OTEL_EXPORTER_OTLP_ENDPOINT": ""}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything the environments are derived from. `outer` is the supervisor's own environment."""

    ports: Ports
    secrets: Secrets
    state: State
    outer: Mapping[str, str]

    @property
    def gateway_url(self) -> str:
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def content_url(self) -> str:
        """Another origin at the gateway's own port: to a browser the name of the host makes the difference."""
        return f"http://localhost:{self.ports.gateway}"

    def of_service(self, name: str) -> dict[str, str]:
        """For the API, the worker and the operator commands of service `name`."""
        return (
            _inherited(self.outer)
            | {variable: self.outer.get(variable, default) for variable, default in ADJUSTABLE.items()}
            | {
                "PYTHONUNBUFFERED": "1",
                "ENVIRONMENT": "embedded",
                "HOST": HOST,
                "PORT": str(self.ports.service(name)),
                "WORKER_PORT": str(self.ports.worker(name)),
                "DATABASE_URL": self._database(name, "app"),
                "MIGRATION_DATABASE_URL": self._database(name, "owner"),
                "NATS_URL": f"nats://{name}:{self.secrets.nats[name]}@{HOST}:{self.ports.nats}",
                "NATS_MONITOR_URL": f"http://{HOST}:{self.ports.nats_monitor}",
                "PUBLIC_URL": self.gateway_url,
                "TOKEN_ISSUER": self.gateway_url,
                "TOKEN_AUDIENCE": "urn:lien-thong:api",
                "JWKS_URL": f"{self.gateway_url}/oauth2/jwks",
                "DATA_DIR": str(self.state.data(name)),
                "FAILPOINT": "",
            }
            | (self._only_gateway() if name == "gateway" else {})
            | ({"CONTENT_URL": self.content_url} if name in {"gateway", "materials"} else {})
            | ({"CONTENT_KEY": self.secrets.content, "LTI_KEY": self.secrets.lti} if name == "materials" else {})
            | ({"CONNECTOR_KEY": self.secrets.connectors} if name == "sync" else {})
            # A provider, or an LMS, on the same machine may be tried.
            | ({"ALLOW_PRIVATE_ADDRESSES": "true"} if name in {"sync", "materials"} else {})
        )

    def of_demo(self) -> dict[str, str]:
        """The gateway's, so that the demo can register its clients, with the address and the state folder."""
        return self.of_service("gateway") | {"GATEWAY_URL": self.gateway_url, "RUN_DIR": str(self.state.root)}

    def _only_gateway(self) -> dict[str, str]:
        upstreams = {
            f"{name.upper()}_URL": f"http://{HOST}:{self.ports.service(name)}" for name in SERVICES if name != "gateway"
        }
        return upstreams | {"SIGNING_KEY_FILE": str(self.state.signing_key)}

    def _database(self, service: str, part: str) -> str:
        role = f"{service}_{part}"
        return f"postgresql+asyncpg://{role}:{self.secrets.database[role]}@{HOST}:{self.ports.postgres}/{service}"


def _inherited(outer: Mapping[str, str]) -> dict[str, str]:
    return {name: outer[name] for name in INHERITED if name in outer} or {"PATH": os.defpath}
