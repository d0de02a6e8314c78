"""What reporting is, and what one of its processes holds open."""

from services.reporting.consumers.materials import on_material_approved, on_material_withdrawn
from services.reporting.consumers.orgs import on_org_changed
from services.reporting.consumers.rosters import on_roster_committed
from services.reporting.settings import ReportingSettings
from services.reporting.storage.tables import Base
from shared.contracts.materials_v1 import MaterialApproved, MaterialWithdrawn
from shared.contracts.sync_v1 import OrgChanged, RosterCommitted
from shared.messaging.consumer import Consumer
from shared.messaging.topology import ConsumerSpec
from shared.service import Runtime, Service, build_runtime

# One durable per noun, so that a roster that cannot be applied does not hold up the org tree.
SERVICE = Service(
    name="reporting",
    settings=ReportingSettings,
    metadata=Base.metadata,
    consumers=(
        Consumer(
            spec=ConsumerSpec(durable="reporting-orgs", stream="SYNC", filter_subjects=("sync.org.>",)),
            handlers={OrgChanged: on_org_changed},
        ),
        Consumer(
            spec=ConsumerSpec(durable="reporting-rosters", stream="SYNC", filter_subjects=("sync.roster.>",)),
            handlers={RosterCommitted: on_roster_committed},
        ),
        Consumer(
            spec=ConsumerSpec(
                durable="reporting-materials", stream="MATERIALS", filter_subjects=("materials.material.>",)
            ),
            handlers={MaterialApproved: on_material_approved, MaterialWithdrawn: on_material_withdrawn},
        ),
    ),
)


def build(settings: ReportingSettings, *, role: str) -> Runtime:
    """Everything one process needs, built once; `role` is `api` or `worker`."""
    return build_runtime(SERVICE.name, settings, role=role)
