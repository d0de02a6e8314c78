"""What the sync service is made of."""

from services.sync.domain.archive import ArchiveLimits
from services.sync.settings import SyncSettings
from services.sync.storage.connector_tables import Base
from services.sync.storage.uploads import Uploads
from services.sync.usecases.push_feed import FeedWork
from services.sync.usecases.work_pulls import PullWork
from shared.clock import Clock
from shared.secret_box import SecretBox
from shared.service import Runtime, Service, build_runtime

# It listens to nobody: it is where the other services' knowledge of schools and rosters begins.
SERVICE = Service(name="sync", settings=SyncSettings, metadata=Base.metadata)


def build(settings: SyncSettings, *, role: str) -> Runtime:
    return build_runtime(SERVICE.name, settings, role=role)


def uploads_of(settings: SyncSettings) -> Uploads:
    limits = ArchiveLimits(packed_bytes=settings.max_upload_bytes, unpacked_bytes=settings.max_unpacked_bytes)
    return Uploads(settings.data_dir, limits)


def box_of(settings: SyncSettings) -> SecretBox:
    """Where the connectors' secrets are kept."""
    return SecretBox(settings.connector_key, setting="CONNECTOR_KEY", code="connector.noKey")


def feeds_of(settings: SyncSettings, clock: Clock) -> FeedWork:
    return FeedWork(box_of(settings), clock, settings.allow_private_addresses)


def pulls_of(settings: SyncSettings, clock: Clock) -> PullWork:
    return PullWork(
        uploads=uploads_of(settings),
        box=box_of(settings),
        folder=settings.data_dir / "pulls",
        clock=clock,
        allow_private=settings.allow_private_addresses,
        parallel=settings.parallel_pulls,
    )
