from services.reporting.usecases.project import follow_roster
from shared.contracts.sync_v1 import RosterCommitted
from shared.db.unit_of_work import UnitOfWork


async def on_roster_committed(uow: UnitOfWork, data: RosterCommitted) -> None:
    await follow_roster(uow, data)
