"""Settings of the materials service, beyond those every service has."""

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class MaterialsSettings(ServiceSettings):
    """`data_dir` holds the content store; API and worker need the same folder."""

    max_upload_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1, description="Of one multipart upload: the file and its metadata."
    )
    max_tus_bytes: int = Field(default=5 * 1024**3, ge=1, description="Of one resumable upload (tus).")
    content_url: str | None = Field(
        default=None, description="Address for content: another host than the API's, answered by the same gateway."
    )
    content_key: SecretStr | None = Field(default=None, min_length=32, description="Signs the links to content.")
    clamd_host: str | None = Field(
        default=None, description="Virus scanner (ClamAV's clamd); files are not scanned without."
    )
    clamd_port: int = Field(default=3310, ge=1, le=65535)
    oai_email: str = Field(default="admin@localhost", description="Whom harvesters of the shared library write to.")
    parallel_inspections: int = Field(
        default=2, ge=1, description="Files one process looks at at a time, each in a child process with limits."
    )
