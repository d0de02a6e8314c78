"""Named queries over the files of versions and the contents behind them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.storage.tables import FileCheck, StoredFile, VersionFile


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file of a version, the content behind it, and what that content was found to be (None: not looked at yet)."""

    file: VersionFile
    content: StoredFile
    check: FileCheck | None


async def files_of(session: AsyncSession, version_ids: Collection[UUID]) -> Mapping[UUID, Sequence[HeldFile]]:
    """The files of these versions in their order, in one query."""
    if not version_ids:
        return {}
    statement = (
        select(VersionFile, StoredFile, FileCheck)
        .join(StoredFile, StoredFile.sha256 == VersionFile.sha256)
        .outerjoin(FileCheck, FileCheck.sha256 == VersionFile.sha256)
        .where(VersionFile.version_id.in_(version_ids))
        .order_by(VersionFile.version_id, VersionFile.position)
    )
    found: dict[UUID, list[HeldFile]] = {}
    for file, content, check in await session.execute(statement):
        found.setdefault(file.version_id, []).append(HeldFile(file, content, check))
    return found


async def remember_content(session: AsyncSession, content: StoredFile) -> StoredFile:
    """The row of a file in the content store, made by whoever comes first."""
    values = {
        "sha256": content.sha256,
        "size": content.size,
        "media_type": content.media_type,
        "created_at": content.created_at,
    }
    await session.execute(insert(StoredFile).values(values).on_conflict_do_nothing())
    return (await session.execute(select(StoredFile).where(StoredFile.sha256 == content.sha256))).scalar_one()


async def check_of(session: AsyncSession, sha256: str) -> FileCheck | None:
    return await session.get(FileCheck, sha256)


async def checks_of(session: AsyncSession, sha256s: Collection[str]) -> Mapping[str, FileCheck]:
    """What these contents were found to be; those nobody has looked at are left out."""
    rows = await session.execute(select(FileCheck).where(FileCheck.sha256.in_(sha256s)))
    return {row.sha256: row for row in rows.scalars()}


async def remember_check(session: AsyncSession, check: FileCheck) -> FileCheck:
    """What a content was found to be: written anew, but what the scanner said of it before stays."""
    values = {
        "state": check.state,
        "scan": check.scan,
        "kind": check.kind,
        "details": check.details,
        "text": check.text,
        "thumbnail_sha256": check.thumbnail_sha256,
        "attempts": check.attempts,
        "checked_at": check.checked_at,
    }
    renewed = {name: values[name] for name in ("kind", "details", "text", "thumbnail_sha256", "checked_at")}
    statement = insert(FileCheck).values(sha256=check.sha256, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["sha256"], set_=renewed))
    return (await session.execute(select(FileCheck).where(FileCheck.sha256 == check.sha256))).scalar_one()


async def unscanned(session: AsyncSession, *, attempts: int, limit: int) -> Sequence[tuple[str, int]]:
    """(sha256, bytes) of contents the scanner has not looked at, smallest first: few wait behind a large one."""
    statement = (
        select(FileCheck.sha256, StoredFile.size)
        .join(StoredFile, StoredFile.sha256 == FileCheck.sha256)
        .where(FileCheck.scan == "not_scanned", FileCheck.state == "accepted", FileCheck.attempts < attempts)
        .order_by(StoredFile.size)
        .limit(limit)
    )
    return [(row.sha256, row.size) for row in await session.execute(statement)]


async def remember_scan(session: AsyncSession, sha256: str, scan: str, signature: str | None) -> None:
    """What the scanner said; an infected content is refused from now on, wherever it is used."""
    values = {"scan": scan, "signature": signature, "attempts": FileCheck.attempts + 1}
    if scan == "infected":
        values["state"] = "refused"
    await session.execute(update(FileCheck).where(FileCheck.sha256 == sha256).values(**values))


async def texts_of(session: AsyncSession, sha256s: Collection[str]) -> Mapping[str, str]:
    """The texts of these contents."""
    rows = await session.execute(select(FileCheck.sha256, FileCheck.text).where(FileCheck.sha256.in_(sha256s)))
    return {row.sha256: row.text for row in rows}


async def add_file(session: AsyncSession, version_id: UUID, school: str, name: str, sha256: str) -> VersionFile:
    """Put a file behind the others of a draft. The version's material is locked by the caller."""
    last = select(func.coalesce(func.max(VersionFile.position), 0)).where(VersionFile.version_id == version_id)
    position = (await session.execute(last)).scalar_one() + 1
    row = VersionFile(version_id=version_id, position=position, school_sourced_id=school, name=name, sha256=sha256)
    session.add(row)
    await session.flush()
    return row


async def remove_file(session: AsyncSession, version_id: UUID, position: int) -> bool:
    """Take a file out of a draft; the others keep their positions. False when there is none at `position`."""
    statement = delete(VersionFile).where(VersionFile.version_id == version_id, VersionFile.position == position)
    result = await session.execute(statement.returning(VersionFile.position))
    return result.scalar_one_or_none() is not None


async def rename_file(session: AsyncSession, version_id: UUID, position: int, name: str) -> bool:
    statement = (
        update(VersionFile)
        .where(VersionFile.version_id == version_id, VersionFile.position == position)
        .values(name=name)
        .returning(VersionFile.position)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def copy_files(session: AsyncSession, source: UUID, target: UUID) -> None:
    """The files of one version under another as well; the contents stay where they are."""
    columns = (VersionFile.position, VersionFile.school_sourced_id, VersionFile.name, VersionFile.sha256)
    taken = select(literal(target, Uuid()), *columns).where(VersionFile.version_id == source)
    await session.execute(insert(VersionFile).from_select(["version_id", *(column.key for column in columns)], taken))


async def used_among(session: AsyncSession, sha256s: Collection[str]) -> frozenset[str]:
    """Which of these contents are in use: by a version, or as the picture of one that is."""
    rows = await session.execute(select(StoredFile.sha256).where(StoredFile.sha256.in_(sha256s)))
    pictures = await session.execute(select(FileCheck.thumbnail_sha256).where(FileCheck.thumbnail_sha256.in_(sha256s)))
    return frozenset(rows.scalars()) | frozenset(name for name in pictures.scalars() if name)
