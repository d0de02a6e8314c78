from services.reporting.usecases.project import follow_material, forget_material
from shared.contracts.materials_v1 import MaterialApproved, MaterialWithdrawn
from shared.db.unit_of_work import UnitOfWork


async def on_material_approved(uow: UnitOfWork, data: MaterialApproved) -> None:
    await follow_material(uow, data)


async def on_material_withdrawn(uow: UnitOfWork, data: MaterialWithdrawn) -> None:
    await forget_material(uow, data)
