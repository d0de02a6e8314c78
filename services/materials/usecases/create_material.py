"""A teacher puts a new material into the library of their school, as a draft."""

from services.materials.domain.material import Draft, ReceivedFile
from services.materials.domain.review import State
from services.materials.storage import materials, orgs
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.tables import Material, MaterialVersion, StoredFile, VersionFile
from services.materials.usecases.grants import require_member, school_unknown, scope_of
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


async def create_material(uow: UnitOfWork, principal: Principal, draft: Draft, file: ReceivedFile) -> MaterialRecord:
    """Version 1 of a new material, with one file that already lies in the content store."""
    await admit_author(uow, principal, draft.school_sourced_id)
    now = await uow.now()
    school = draft.school_sourced_id
    material = Material(
        id=new_id(), school_sourced_id=school, latest_number=1, approved_number=None, version=1, created_at=now
    )
    version = MaterialVersion(
        id=new_id(),
        material_id=material.id,
        school_sourced_id=school,
        number=1,
        state=State.DRAFT.value,
        author=principal.subject,
        title=draft.title,
        description=draft.description,
        type=draft.type.value,
        subject=draft.subject,
        grades=list(draft.grades),
        language=draft.language,
        licence=draft.licence.value,
        sources=list(draft.sources),
        created_at=now,
    )
    received = StoredFile(sha256=file.sha256, size=file.size, media_type=file.kind.media_type, created_at=now)
    content = await materials.remember_content(uow.session, received)
    named = VersionFile(
        version_id=version.id, position=1, school_sourced_id=school, name=file.name, sha256=content.sha256
    )
    for row in (material, version, named):  # no relationships between the classes: the order is said here
        uow.session.add(row)
        await uow.session.flush()
    return MaterialRecord(material, version, named, content)
