"""Settings common to every service, read from the environment once at start and passed on.

Importing this module reads nothing. No secret has a default: a process without its passwords does not start.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    environment: Literal["embedded", "production"] = "production"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    worker_port: int = Field(default=8001, ge=1, le=65535)

    database_url: SecretStr
    migration_database_url: SecretStr | None = Field(
        default=None, description="Owner of the schema; needed by `shared.ops … migrate` only."
    )
    database_pool_size: int = Field(default=10, ge=1)
    nats_url: SecretStr
    nats_monitor_url: str | None = Field(default=None, description="For readiness: is `sync_interval: always` set?")
    stream_max_bytes: int = Field(
        default=1024**3, description="Size of this service's event stream; a full one refuses."
    )
    data_dir: Path = Path("data")

    public_url: str = Field(default="http://127.0.0.1:8080", description="The gateway as the world sees it.")
    token_issuer: str = ""
    token_audience: str = "urn:lien-thong:api"  # noqa: S105  # a name, not a secret
    jwks_url: str = ""

    max_body_bytes: int = Field(default=1024 * 1024, description="Of a JSON body; uploads carry their own limit.")
    log_level: str = "info"
    failpoint: str | None = None
    otel_exporter_otlp_endpoint: str | None = None

    @property
    def issuer(self) -> str:
        return self.token_issuer or self.public_url

    @property
    def jwks(self) -> str:
        return self.jwks_url or f"{self.public_url}/oauth2/jwks"
