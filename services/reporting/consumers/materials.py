from services.reporting.usecases.project import follow_material
from shared.contracts.materials_v1 import MaterialApproved
from shared.db.unit_of_work import UnitOfWork


async def on_material_approved(uow: UnitOfWork, data: MaterialApproved) -> None:
    await follow_material(uow, data)
