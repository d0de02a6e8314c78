"""Settings of the sync service, from the environment."""

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class SyncSettings(ServiceSettings):
    max_upload_bytes: int = Field(default=256 * 1024 * 1024, description="Largest accepted package, packed.")
    max_unpacked_bytes: int = Field(default=4 * 1024**3, description="Largest accepted package, unpacked.")
    parallel_imports: int = Field(default=2, ge=1, description="Imports one worker validates or commits at a time.")
    retry_days: int = Field(default=30, ge=1, description="How long refused rows wait for what they lack.")
    undecided_days: int = Field(default=30, ge=1, description="How long a ready or held import waits for a decision.")
    connector_key: SecretStr | None = Field(
        default=None, min_length=32, description="Encrypts the secrets of the connectors, which are off without it."
    )
    allow_private_addresses: bool = Field(
        default=False, description="Connectors may call addresses of private networks: tests and demonstrations."
    )
    parallel_pulls: int = Field(default=2, ge=1, description="Providers one worker reads at a time.")
