"""Resumable uploads: begun, continued, joined, ended, and at last taken over by a draft."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.materials.domain.file_names import checked_name
from services.materials.domain.tus import Creation, fault, too_large
from services.materials.inspection.inspector import Inspector
from services.materials.storage import uploads
from services.materials.storage.content import ContentStore
from services.materials.storage.spool import Spool, sha256_of
from services.materials.storage.uploads import Upload
from services.materials.usecases.create_material import SCOPE
from services.materials.usecases.take_in import ReceivedFile, look_at
from shared.auth import Principal
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import AppError, conflict, invalid, not_found
from shared.ids import new_id
from shared.logs import logger

log = logger(__name__)

LIFETIME = dt.timedelta(days=7)
_ORPHAN_AGE = dt.timedelta(days=1)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an upload has come; `offset` in bytes that are safe on the disk."""

    upload: Upload
    offset: int

    @property
    def complete(self) -> bool:
        return self.upload.length == self.offset


async def begin(uow: UnitOfWork, who: Principal, creation: Creation) -> Upload:
    """The row of a new upload; its file is made by the caller before this commits."""
    who.require_scope(SCOPE)
    now = await uow.now()
    upload = Upload(
        id=new_id(),
        client_id=who.client_id,
        subject=who.subject,
        name=checked_name(creation.name) if creation.name else "",
        length=creation.length,
        concat=creation.concat,
        parts=[str(part) for part in creation.parts],
        created_at=now,
        expires_at=now + LIFETIME,
    )
    uow.session.add(upload)
    await uow.session.flush()
    return upload


async def own(uow: UnitOfWork, who: Principal, upload_id: UUID) -> Upload:
    """An upload of this very caller. Raises `tus.unknown`, and `tus.expired` once its time is over."""
    who.require_scope(SCOPE)
    found = await uploads.find(uow.session, upload_id, who.client_id, who.subject)
    if found is None:
        raise _unknown()
    if found.expires_at < await uow.now():
        raise fault("tus.expired", "Lượt tải này đã hết hạn.", "This upload has expired.")
    return found


async def own_parts(uow: UnitOfWork, who: Principal, spool: Spool, parts: Sequence[UUID], max_bytes: int) -> int:
    """The bytes of finished partial uploads together. Raises `tus.parts` unless each is the caller's and complete."""
    found = {each.id: each for each in await uploads.find_all(uow.session, parts, who.client_id, who.subject)}
    total = 0
    for part in parts:
        upload = found.get(part)
        if upload is None or upload.length is None or upload.concat != "partial":
            raise _parts_wrong()
        if upload.length != await spool.offset(part):
            raise _parts_wrong()
        total += upload.length
    if total > max_bytes:
        raise too_large(max_bytes)
    return total


async def take_upload(
    units: UnitsOfWork, spool: Spool, store: ContentStore, inspector: Inspector, who: Principal, wanted: "Wanted"
) -> ReceivedFile:
    """A complete upload as a file for a draft: looked at, and in the content store under its hash.

    Safe to repeat: the upload stays until its time is over. Raises `upload.unknown`, `upload.incomplete`, or the
    refusal of the file with its exact reason.
    """
    async with units.begin(EVERYTHING) as uow:
        upload = await uploads.find(uow.session, wanted.upload_id, who.client_id, who.subject)
    offset = None if upload is None else await spool.offset(upload.id)
    if upload is None or offset is None:
        raise not_found("upload.unknown", vi="Không có lượt tải này.", en="There is no such upload.")
    if upload.length != offset or upload.concat == "partial":
        raise conflict(
            "upload.incomplete",
            vi="Tệp chưa tải xong.",
            en="The upload is not complete.",
            offset=offset,
            length=upload.length,
        )
    name = checked_name(wanted.name or upload.name or "tep")
    if offset == 0:
        raise invalid("file.empty", vi="Tệp rỗng.", en="The file is empty.")
    path = spool.path(upload.id)
    found, thumbnail = await look_at(path, store, inspector)
    sha256 = await asyncio.to_thread(sha256_of, path)
    await store.adopt(path, sha256)
    return ReceivedFile(name, sha256, offset, found, thumbnail)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which upload a draft takes over, and under which name (None: the one it was uploaded with)."""

    upload_id: UUID
    name: str | None


async def sweep_uploads(units: UnitsOfWork, spool: Spool) -> int:
    """Remove uploads whose time is over, and files without a row; how many went."""
    async with units.begin(EVERYTHING) as uow:
        now = await uow.now()
        expired = await uploads.expired(uow.session, now, limit=_BATCH)
        await uploads.remove(uow.session, expired)
    left = await asyncio.to_thread(spool.left_behind, (now - _ORPHAN_AGE).timestamp())
    async with units.begin(EVERYTHING) as uow:
        known = await uploads.known_among(uow.session, left)
    gone = {*expired, *(each for each in left if each not in known)}
    for each in gone:
        await spool.remove(each)
    if gone:
        log.info("uploads_swept", removed=len(gone))
    return len(gone)


def _parts_wrong() -> AppError:
    return fault(
        "tus.parts",
        "Mỗi phần phải là lượt tải dở (partial) của bạn và đã tải xong.",
        "Each part must be a partial upload of yours that is complete.",
    )


def _unknown() -> AppError:
    return fault("tus.unknown", "Không có lượt tải này.", "There is no such upload.")
