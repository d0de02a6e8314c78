"""Settings of the materials service, beyond those every service has."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from shared.settings import ServiceSettings


class MaterialsSettings(ServiceSettings):
    """`data_dir` holds the content store; API and worker need the same folder."""

    max_upload_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1, description="Of one multipart upload: the file and its metadata."
    )
    max_tus_bytes: int = Field(default=5 * 1024**3, ge=1, description="Of one resumable upload (tus).")
    content_store: Literal["local", "s3"] = Field(
        default="local", description="Where files are kept: the folder below DATA_DIR, or a bucket."
    )
    s3_bucket: str | None = Field(default=None, description="Name of the bucket; it must be there.")
    s3_endpoint: str | None = Field(default=None, description="Address of an S3-compatible server; AWS without.")
    s3_public_endpoint: str | None = Field(
        default=None,
        description="The server as browsers reach it: downloads are then sent there by signed links of 15 minutes.",
    )
    s3_region: str = "us-east-1"
    s3_access_key: str | None = None
    s3_secret_key: SecretStr | None = None
    s3_prefix: str = Field(
        default="", pattern=r"^([A-Za-z0-9._-]+/)*$", description="In front of every key, with a slash at its end."
    )
    s3_path_style: bool = Field(default=True, description="Bucket in the path; false: in the host name.")
    content_url: str | None = Field(
        default=None, description="Address for content: another host than the API's, answered by the same gateway."
    )
    content_key: SecretStr | None = Field(default=None, min_length=32, description="Signs the links to content.")
    lti_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Seals the keys of the library as an LTI tool and signs its logins; LMS cannot open it without.",
    )
    allow_private_addresses: bool = Field(
        default=False, description="LMS may live in private networks and without https: tests and demonstrations."
    )
    clamd_host: str | None = Field(
        default=None, description="Virus scanner (ClamAV's clamd); files are not scanned without."
    )
    clamd_port: int = Field(default=3310, ge=1, le=65535)
    parallel_inspections: int = Field(
        default=2, ge=1, description="Files one process looks at at a time, each in a child process with limits."
    )
    library_name: str = Field(
        default="Kho học liệu số dùng chung", description="Name of the public library, for harvesters and readers."
    )
    library_email: str | None = Field(default=None, description="Whom harvesters write to; postmaster@ by default.")
    library_domain: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z][A-Za-z0-9-]*)+$",
        description="Name in the identifiers of records (`oai:<domain>:<id>`), for good; PUBLIC_URL's host by default.",
    )

    @model_validator(mode="after")
    def _bucket_is_whole(self) -> Self:
        named = {"S3_BUCKET": self.s3_bucket, "S3_ACCESS_KEY": self.s3_access_key, "S3_SECRET_KEY": self.s3_secret_key}
        missing = [name for name, value in named.items() if not value]
        if self.content_store == "s3" and missing:
            raise ValueError(f"CONTENT_STORE=s3 needs {', '.join(missing)}")
        return self
