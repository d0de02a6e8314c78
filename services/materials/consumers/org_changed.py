"""`sync.org.changed.v1`"""

from services.materials.usecases.project_org import project_org
from shared.contracts.sync_v1 import OrgChanged
from shared.db.unit_of_work import UnitOfWork


async def on_org_changed(uow: UnitOfWork, data: OrgChanged) -> None:
    await project_org(uow, data)
