"""Settings of the gateway, from the environment."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from shared.settings import ServiceSettings

MIB = 1024 * 1024


class GatewaySettings(ServiceSettings):
    sync_url: str = Field(description="Where the sync service listens, e.g. `http://sync:8000`.")
    materials_url: str
    reporting_url: str

    signing_key_file: Path = Field(description="EC P-256 private key (PEM) that signs access tokens.")
    previous_signing_key_file: Path | None = Field(
        default=None, description="The key before it, still published while its last tokens live."
    )
    token_seconds: int = Field(default=900, ge=60, le=3600, description="Life of an access token.")
    token_requests_per_minute: int = Field(default=600, ge=1, description="Per caller's address.")
    token_failures_per_minute: int = Field(default=20, ge=1, description="Wrong secrets, per client and address.")

    trusted_proxies: str = Field(
        default="", description="Addresses, comma separated, of reverse proxies whose X-Forwarded-* is believed."
    )
    upstream_connect_seconds: float = Field(default=3.0, gt=0)
    upstream_seconds: float = Field(default=60.0, gt=0, description="Longest silence of a service before 504.")

    content_url: str | None = Field(
        default=None,
        description="Address for files: another host than PUBLIC_URL's, the same gateway.",
    )
    max_import_bytes: int = Field(default=2048 * MIB, description="Body of POST /sync/v1/imports.")
    max_material_bytes: int = Field(default=64 * MIB, description="Body of POST /materials/v1/materials.")

    max_tus_bytes: int = Field(default=5 * 1024 * MIB, description="One request below /materials/v1/uploads.")

    @property
    def trusted(self) -> frozenset[str]:
        return frozenset(part.strip() for part in self.trusted_proxies.split(",") if part.strip())

    @property
    def content_host(self) -> str | None:
        """The host, with its port where it has one, under which content is answered and nothing else."""
        return urlsplit(self.content_url).netloc.lower() if self.content_url else None

    @property
    def upstreams(self) -> dict[str, str]:
        """Base addresses by service."""
        return {"sync": self.sync_url, "materials": self.materials_url, "reporting": self.reporting_url}
