"""Receives the upload of a material before the unit of work opens: no transaction waits for somebody's network."""

import hashlib
import os
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from services.materials.api.multipart import Event, PartBegin, PartEnd, multipart_events
from services.materials.api.schemas import MaterialIn
from services.materials.domain.catalogue import check_subject
from services.materials.domain.file_names import checked_name
from services.materials.domain.file_types import HEAD_BYTES, FileType, recognise
from services.materials.domain.material import Draft, ReceivedFile
from services.materials.storage.content import ContentStore, Incoming
from services.materials.storage.zip_directory import names_in_zip
from services.materials.usecases.create_material import SCOPE, admit_author
from shared.auth import Principal
from shared.db.scope import NOTHING
from shared.db.unit_of_work import UnitsOfWork
from shared.errors import AppError, invalid
from shared.failpoints import failpoint
from shared.http.idempotency import set_body_digest
from shared.http.problems import validation_error

METADATA_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class ReceivedMaterial:
    draft: Draft
    file: ReceivedFile


async def receive_material(
    request: Request, principal: Principal, units: UnitsOfWork, store: ContentStore
) -> ReceivedMaterial:
    """Stream the body into the content store and check everything that needs no transaction.

    Raises a 4xx error with nothing stored, also for a caller who has no business here: they are refused after the
    metadata and before the file.
    """
    principal.require_scope(SCOPE)
    async with store.incoming() as incoming:
        form = _Form(incoming, principal, units)
        try:
            async for event in multipart_events(request.headers.get("content-type"), request.stream()):
                await form.take(event)
        except ClientDisconnect as failure:
            raise invalid(
                "upload.malformed", vi="Kết nối bị ngắt giữa chừng.", en="The connection was cut off."
            ) from failure
        received, metadata = await form.finish()
    failpoint("materials.file.stored")
    # Over what was meant and not over the raw body: the boundary of a retry is a different one.
    meaning = b"\n".join((metadata, received.file.name.encode(), received.file.sha256.encode()))
    set_body_digest(request, hashlib.sha256(meaning).digest())
    return received


class _Form:
    """The two parts in their order; anything else is refused."""

    def __init__(self, incoming: Incoming, principal: Principal, units: UnitsOfWork) -> None:
        self._incoming = incoming
        self._principal = principal
        self._units = units
        self._part = ""
        self._metadata = bytearray()
        self._draft: Draft | None = None
        self._name: str | None = None

    async def take(self, event: Event) -> None:
        if isinstance(event, PartBegin):
            self._begin(event)
        elif isinstance(event, bytes):
            await self._data(event)
        else:
            await self._end(event)

    def _begin(self, part: PartBegin) -> None:
        expected = "metadata" if self._draft is None else "file"
        if part.name != expected or self._name is not None:
            raise _wrong_parts()
        self._part = part.name
        if part.name == "file":
            self._name = checked_name(part.filename or "")

    async def _data(self, block: bytes) -> None:
        if self._part == "file":
            await self._incoming.write(block)
            return
        self._metadata += block
        if len(self._metadata) > METADATA_MAX_BYTES:
            raise invalid(
                "upload.metadata_too_large",
                vi=f"Phần metadata vượt quá {METADATA_MAX_BYTES} byte.",
                en=f"The part metadata is larger than {METADATA_MAX_BYTES} bytes.",
            )

    async def _end(self, part: PartEnd) -> None:
        if part.name != "metadata":
            return
        draft = _draft_of(bytes(self._metadata))
        async with self._units.begin(NOTHING) as uow:
            await admit_author(uow, self._principal, draft.school_sourced_id)
        self._draft = draft

    async def finish(self) -> tuple[ReceivedMaterial, bytes]:
        if self._draft is None or self._name is None:
            raise _wrong_parts()
        if self._incoming.size == 0:
            raise invalid("file.empty", vi="Tệp rỗng.", en="The file is empty.")
        kind = await self._incoming.inspect(_kind_of)
        kept = await self._incoming.keep()
        file = ReceivedFile(self._name, kind, kept.sha256, kept.size)
        return ReceivedMaterial(self._draft, file), bytes(self._metadata)


def _kind_of(file: BinaryIO) -> FileType:
    head = file.read(HEAD_BYTES)
    file.seek(0, os.SEEK_SET)
    return recognise(head, lambda: names_in_zip(file))


def _draft_of(metadata: bytes) -> Draft:
    try:
        given = MaterialIn.model_validate_json(metadata)
    except ValidationError as failure:
        faults = failure.errors(include_url=False, include_context=False, include_input=False)
        raise validation_error([fault | {"loc": ("body", "metadata", *fault["loc"])} for fault in faults]) from failure
    check_subject(given.subject, given.grades, under="/metadata")
    return given.to_draft()


def _wrong_parts() -> AppError:
    return invalid(
        "upload.parts_wrong",
        vi="Cần đúng hai phần theo thứ tự: metadata (JSON), rồi file.",
        en="Exactly two parts are needed, in this order: metadata (JSON), then file.",
    )
