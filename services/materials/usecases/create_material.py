"""A teacher puts a new material into the library of their school, as a draft."""

from typing import Any

from services.materials.domain.material import Draft, Metadata
from services.materials.domain.review import State
from services.materials.storage import files, materials, orgs
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.tables import Material, MaterialVersion
from services.materials.usecases.grants import require_member, school_unknown, scope_of
from services.materials.usecases.requirements import check_requirements
from services.materials.usecases.take_in import ReceivedFile, put_file
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import conflict
from shared.ids import new_id

SCOPE = "materials.write"


async def admit_author(uow: UnitOfWork, principal: Principal, school: str) -> None:
    """Raise unless the caller may put a material into this school's library; asked before the file is taken in."""
    principal.require_scope(SCOPE)
    known = await orgs.school(uow.session, school)
    if known is None or not (await scope_of(uow, principal)).covers(school):
        raise school_unknown()
    require_member(principal, school)
    if known.valid_to is not None and known.valid_to < await orgs.today(uow.session):
        raise conflict(
            "school.ended",
            vi="Trường này đã ngừng hoạt động; kho học liệu chỉ còn để xem.",
            en="This school has ended; its library can only be read.",
            validTo=known.valid_to.isoformat(),
        )


async def create_material(
    uow: UnitOfWork, principal: Principal, draft: Draft, file: ReceivedFile | None
) -> MaterialRecord:
    """Version 1 of a new material; `file` already lies in the content store, None when files follow one by one."""
    await admit_author(uow, principal, draft.school_sourced_id)
    await require_known(uow, draft.metadata)
    now = await uow.now()
    material = Material(
        id=new_id(),
        school_sourced_id=draft.school_sourced_id,
        latest_number=1,
        latest_author=principal.subject,
        version=1,
        created_at=now,
    )
    version = MaterialVersion(
        id=new_id(),
        material_id=material.id,
        school_sourced_id=draft.school_sourced_id,
        number=1,
        state=State.DRAFT.value,
        author=principal.subject,
        created_at=now,
        **columns_of(draft.metadata),
    )
    for row in (material, version):  # no relationships between the classes: the order is said here
        uow.session.add(row)
        await uow.session.flush()
    if file is not None:
        await put_file(uow, version, file)
    return await whole(uow, material, version)


async def require_known(uow: UnitOfWork, metadata: Metadata) -> None:
    """Raise `material.requirements_mismatch` unless the curriculum has the requirements that were named."""
    subjects = (metadata.subject, *metadata.other_subjects)
    await check_requirements(uow, metadata.requirements, subjects=subjects, grades=metadata.grades, under="")


def columns_of(metadata: Metadata) -> dict[str, Any]:
    """What a version's row holds of its metadata."""
    return {
        "title": metadata.title,
        "description": metadata.description,
        "type": metadata.type.value,
        "subject": metadata.subject,
        "other_subjects": list(metadata.other_subjects),
        "grades": list(metadata.grades),
        "requirements": list(metadata.requirements),
        "language": metadata.language,
        "authors": [{"name": each.name, "subject": each.subject} for each in metadata.authors],
        "licence": metadata.licence or "",
        "sources": list(metadata.sources),
        "rights_statement": metadata.rights_statement,
        "duration_seconds": metadata.duration_seconds,
    }


async def whole(uow: UnitOfWork, material: Material, version: MaterialVersion) -> MaterialRecord:
    """The record as it now is, files and review read anew."""
    held = await files.files_of(uow.session, [version.id])
    steps = await materials.steps_of(uow.session, version.id)
    return MaterialRecord(material, version, held.get(version.id, ()), steps)
