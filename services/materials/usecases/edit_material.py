"""The author works on a draft: metadata, files, and a new version beside the one in use."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from services.materials.domain.material import Metadata
from services.materials.domain.review import State
from services.materials.storage import files, materials
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.tables import METADATA, MaterialVersion
from services.materials.usecases.create_material import SCOPE, columns_of, require_known, whole
from services.materials.usecases.grants import material_unknown, reader_of, require_member
from services.materials.usecases.held_files import file_unknown
from services.materials.usecases.review_material import VersionCheck
from services.materials.usecases.take_in import ReceivedFile, put_file
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import conflict, forbidden
from shared.ids import new_id

MAX_FILES = 200
# While one of these is the newest version, it is the one to work on.
_UNFINISHED = frozenset({State.DRAFT, State.SUBMITTED, State.PASSED})


async def start_version(
    uow: UnitOfWork, who: Principal, material_id: UUID, metadata: Metadata | None, check: VersionCheck
) -> MaterialRecord:
    """A new draft with the metadata and files of the newest version; the version in use stays in use.

    `metadata` replaces what the newest version says. Raises `version.unfinished` while the newest is still under way.
    """
    record = await _own(uow, who, material_id, check)
    material, newest = record.material, record.version
    if State(newest.state) in _UNFINISHED:
        raise conflict(
            "version.unfinished",
            vi=f"Phiên bản {newest.number} còn ở trạng thái '{newest.state}'; hãy hoàn tất hoặc rút lại trước.",
            en=f"Version {newest.number} is still '{newest.state}'; finish it or take it back first.",
            number=newest.number,
            state=newest.state,
        )
    if metadata is not None:
        await require_known(uow, metadata)
    number = await materials.newest_number(uow.session, material_id) + 1
    version = MaterialVersion(
        id=new_id(),
        material_id=material_id,
        school_sourced_id=material.school_sourced_id,
        number=number,
        state=State.DRAFT.value,
        author=who.subject,
        created_at=await uow.now(),
        **(_copied(newest) if metadata is None else columns_of(metadata)),
    )
    uow.session.add(version)
    await uow.session.flush()
    await files.copy_files(uow.session, newest.id, version.id)
    material.latest_number, material.latest_author, material.withdrawn_at = number, who.subject, None
    material.version += 1
    await uow.session.flush()
    return await whole(uow, material, version)


def _copied(version: MaterialVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in METADATA}


async def change_metadata(
    uow: UnitOfWork, who: Principal, material_id: UUID, metadata: Metadata, check: VersionCheck
) -> MaterialRecord:
    """What the draft says from now on."""

    async def change(record: MaterialRecord) -> None:
        await require_known(uow, metadata)
        for name, value in columns_of(metadata).items():
            setattr(record.version, name, value)

    return await _change_draft(uow, who, material_id, check, change)


async def add_file(
    uow: UnitOfWork, who: Principal, material_id: UUID, file: ReceivedFile, check: VersionCheck
) -> MaterialRecord:
    """One more file for the draft, behind the others; it already lies in the content store."""

    async def change(record: MaterialRecord) -> None:
        if len(record.files) >= MAX_FILES:
            raise conflict(
                "version.too_many_files",
                vi=f"Một phiên bản có nhiều nhất {MAX_FILES} tệp.",
                en=f"A version has at most {MAX_FILES} files.",
                maxFiles=MAX_FILES,
            )
        await put_file(uow, record.version, file)

    return await _change_draft(uow, who, material_id, check, change)


async def remove_file(
    uow: UnitOfWork, who: Principal, material_id: UUID, position: int, check: VersionCheck
) -> MaterialRecord:
    """Take a file out of the draft. Raises `file.unknown`."""

    async def change(record: MaterialRecord) -> None:
        if not await files.remove_file(uow.session, record.version.id, position):
            raise file_unknown()

    return await _change_draft(uow, who, material_id, check, change)


async def rename_file(
    uow: UnitOfWork, who: Principal, material_id: UUID, position: int, name: str, check: VersionCheck
) -> MaterialRecord:
    """Another name for a file of the draft; `name` is checked. Raises `file.unknown`."""

    async def change(record: MaterialRecord) -> None:
        if not await files.rename_file(uow.session, record.version.id, position, name):
            raise file_unknown()

    return await _change_draft(uow, who, material_id, check, change)


async def admit_to_draft(uow: UnitOfWork, who: Principal, material_id: UUID) -> None:
    """Raise unless the caller may change this draft; asked before a file is taken in."""
    record = await _own(uow, who, material_id, lambda _: None)
    _require_draft(record)


async def _change_draft(
    uow: UnitOfWork,
    who: Principal,
    material_id: UUID,
    check: VersionCheck,
    change: Callable[[MaterialRecord], Awaitable[None]],
) -> MaterialRecord:
    record = await _own(uow, who, material_id, check)
    _require_draft(record)
    await change(record)
    record.material.version += 1
    await uow.session.flush()
    uow.session.expire_all()
    await uow.session.refresh(record.material)
    await uow.session.refresh(record.version)
    return await whole(uow, record.material, record.version)


async def _own(uow: UnitOfWork, who: Principal, material_id: UUID, check: VersionCheck) -> MaterialRecord:
    """The newest version, which the caller wrote; locked."""
    who.require_scope(SCOPE)
    record = await materials.find(uow.session, material_id, await reader_of(uow, who), lock=True)
    if record is None:
        raise material_unknown()
    require_member(who, record.material.school_sourced_id)
    check(record.material.version)
    named = {entry.get("subject") for entry in record.version.authors}
    if who.subject not in {record.version.author, *named}:
        raise forbidden(
            "material.author_only",
            vi="Chỉ tác giả mới được sửa học liệu này.",
            en="Only its author may change this material.",
        )
    return record


def _require_draft(record: MaterialRecord) -> None:
    if record.version.state != State.DRAFT.value:
        raise conflict(
            "version.immutable",
            vi="Phiên bản đã trình thì không sửa được nữa. Hãy tạo phiên bản mới.",
            en="A version that was submitted no longer changes. Start a new version.",
            state=record.version.state,
        )
