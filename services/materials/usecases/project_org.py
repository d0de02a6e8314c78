"""Keep this service's copy of the org tree."""

from services.materials.storage import orgs
from services.materials.storage.tables import Org, OrgParent
from shared.contracts.sync_v1 import OrgChanged
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id


async def project_org(uow: UnitOfWork, unit: OrgChanged) -> None:
    """Write a unit as sync says it now is, with every parent it ever had."""
    org = Org(
        sourced_id=unit.sourced_id,
        kind=unit.kind,
        level=unit.level,
        valid_from=unit.valid_from,
        valid_to=unit.valid_to,
    )
    parents = [
        OrgParent(
            id=new_id(),
            sourced_id=unit.sourced_id,
            parent_sourced_id=parent.sourced_id,
            valid_from=parent.valid_from,
            valid_to=parent.valid_to,
        )
        for parent in unit.parents
    ]
    await orgs.replace(uow.session, org, parents)
