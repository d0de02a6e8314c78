from services.reporting.usecases.project import follow_org
from shared.contracts.sync_v1 import OrgChanged
from shared.db.unit_of_work import UnitOfWork


async def on_org_changed(uow: UnitOfWork, data: OrgChanged) -> None:
    await follow_org(uow, data)
