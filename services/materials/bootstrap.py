"""Builds what a process of the materials service holds open."""

import datetime as dt

from sqlalchemy.ext.asyncio import AsyncEngine

from services.materials.consumers.evidence_changed import on_evidence_changed
from services.materials.consumers.org_changed import on_org_changed
from services.materials.domain.repository import Repository
from services.materials.inspection.scanner import Clamd
from services.materials.settings import MaterialsSettings
from services.materials.storage.content import ContentStore
from services.materials.storage.content_lock import content_lock
from services.materials.storage.local_folder import LocalFolder
from services.materials.storage.s3_bucket import Bucket, S3Bucket
from services.materials.storage.schema import Base
from services.materials.storage.spool import Spool
from services.materials.usecases.ask_reviewers import keep_panel
from services.materials.usecases.lti_launch import sweep_sessions
from services.materials.usecases.lti_tool import LtiTool
from services.materials.usecases.scan_files import scan_files
from services.materials.usecases.sweep_files import GRACE, sweep_files
from services.materials.usecases.uploads import sweep_uploads
from shared.clock import Clock
from shared.contracts.reporting_v1 import EvidenceChanged
from shared.contracts.sync_v1 import OrgChanged
from shared.messaging.consumer import Consumer
from shared.messaging.topology import ConsumerSpec
from shared.outside import Outside
from shared.service import Runtime, Service, build_runtime
from shared.worker import Job

SERVICE = Service(
    name="materials",
    settings=MaterialsSettings,
    metadata=Base.metadata,
    consumers=(
        Consumer(
            spec=ConsumerSpec(durable="materials-orgs", stream="SYNC", filter_subjects=("sync.org.>",)),
            handlers={OrgChanged: on_org_changed},
        ),
        Consumer(
            spec=ConsumerSpec(
                durable="materials-evidence", stream="REPORTING", filter_subjects=("reporting.evidence.>",)
            ),
            handlers={EvidenceChanged: on_evidence_changed},
        ),
    ),
)

PANEL_EVERY = dt.timedelta(minutes=1)
SCAN_EVERY = dt.timedelta(seconds=10)
SWEEP_EVERY = dt.timedelta(hours=6)


def build(settings: MaterialsSettings, *, role: str) -> Runtime:
    return build_runtime(SERVICE.name, settings, role=role)


def build_store(settings: MaterialsSettings, engine: AsyncEngine) -> ContentStore:
    if settings.content_store == "local":
        return LocalFolder(settings.data_dir / "files")
    assert settings.s3_bucket is not None
    assert settings.s3_access_key is not None
    assert settings.s3_secret_key is not None
    bucket = Bucket(
        name=settings.s3_bucket,
        region=settings.s3_region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key.get_secret_value(),
        endpoint=settings.s3_endpoint,
        public_endpoint=settings.s3_public_endpoint,
        prefix=settings.s3_prefix,
        path_style=settings.s3_path_style,
    )
    return S3Bucket(bucket, settings.data_dir / "files" / "incoming", content_lock(engine))


def build_spool(settings: MaterialsSettings) -> Spool:
    return Spool(settings.data_dir / "files" / "uploads")


def build_lti_tool(settings: MaterialsSettings, clock: Clock) -> LtiTool:
    return LtiTool.of(
        settings.public_url,
        settings.library_name,
        key=settings.lti_key,
        clock=clock,
        outside=Outside(allow_private=settings.allow_private_addresses),
        allow_private=settings.allow_private_addresses,
    )


def build_repository(settings: MaterialsSettings) -> Repository:
    return Repository.at(
        settings.public_url, settings.library_name, domain=settings.library_domain, email=settings.library_email
    )


async def _panel(runtime: Runtime) -> None:
    await keep_panel(runtime.units)


PANEL_JOB = Job("keep-panel", PANEL_EVERY, _panel)


def scan_jobs(settings: MaterialsSettings, store: ContentStore) -> list[Job]:
    """None where no scanner is configured: files then show as not scanned."""
    if settings.clamd_host is None:
        return []
    scanner = Clamd(settings.clamd_host, settings.clamd_port)

    async def scan(runtime: Runtime) -> None:
        await scan_files(runtime.units, store, scanner)

    return [Job("scan-files", SCAN_EVERY, scan)]


def sweep_job(store: ContentStore, spool: Spool) -> Job:
    async def sweep(runtime: Runtime) -> None:
        await sweep_files(runtime.units, store, older_than=runtime.clock.now() - GRACE)
        await sweep_uploads(runtime.units, spool)
        await sweep_sessions(runtime.units, runtime.clock.now())

    return Job("sweep-files", SWEEP_EVERY, sweep)
