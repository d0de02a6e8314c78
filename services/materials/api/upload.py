"""Receives materials and files before the unit of work opens: no transaction waits for somebody's network."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from fastapi import Request
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from services.materials.api.multipart import Event, PartBegin, PartEnd, multipart_events
from services.materials.api.schemas import MaterialIn, MetadataIn, UploadIn
from services.materials.domain.catalogue import check_subjects
from services.materials.domain.file_names import checked_name
from services.materials.domain.material import Draft
from services.materials.inspection.inspector import Inspector
from services.materials.storage.content import ContentStore, Incoming
from services.materials.usecases.create_material import SCOPE, admit_author
from services.materials.usecases.edit_material import admit_to_draft
from services.materials.usecases.grants import scope_of
from services.materials.usecases.take_in import ReceivedFile, take_in
from services.materials.usecases.uploads import Wanted, take_upload
from shared.auth import Principal
from shared.db.scope import NOTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import AppError, invalid
from shared.failpoints import failpoint
from shared.http.idempotency import set_body_digest
from shared.http.problems import validation_error

METADATA_MAX_BYTES = 64 * 1024


Admit = Callable[[UnitOfWork], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ReceivedMaterial:
    """`file` is None when the material was sent as JSON and its files follow."""

    draft: Draft
    file: ReceivedFile | None


async def receive_material(
    request: Request, principal: Principal, units: UnitsOfWork, store: ContentStore
) -> ReceivedMaterial:
    """A new material: multipart with `metadata` and `file`, or plain JSON.

    Raises a 4xx error with nothing stored, also for a caller who has no business here: they are refused after the
    metadata and before the file.
    """
    principal.require_scope(SCOPE)
    if is_json(request):
        metadata = await request.body()
        return ReceivedMaterial(draft_of(metadata, under=()), None)
    found: list[Draft] = []

    async def take_metadata(raw: bytes) -> None:
        draft = draft_of(raw, under=("metadata",))
        await _admit(units, principal, lambda uow: admit_author(uow, principal, draft.school_sourced_id))
        found.append(draft)

    file, metadata = await _receive(request, store, take_metadata)
    _set_meaning(request, metadata, file)
    return ReceivedMaterial(found[0], file)


async def receive_file(
    request: Request, principal: Principal, units: UnitsOfWork, store: ContentStore, material_id: UUID
) -> ReceivedFile:
    """One more file of a draft: multipart with `file`, or JSON that names a complete resumable upload.

    Whoever may not change the draft is refused before the file.
    """
    principal.require_scope(SCOPE)
    await _admit(units, principal, lambda uow: admit_to_draft(uow, principal, material_id))
    if is_json(request):
        return await _take_upload(request, principal, units, store)
    file, _ = await _receive(request, store, None)
    _set_meaning(request, b"", file)
    return file


async def _take_upload(request: Request, principal: Principal, units: UnitsOfWork, store: ContentStore) -> ReceivedFile:
    try:
        given = UploadIn.model_validate_json(await request.body())
    except ValidationError as failure:
        faults = failure.errors(include_url=False, include_context=False, include_input=False)
        raise validation_error([fault | {"loc": ("body", *fault["loc"])} for fault in faults]) from failure
    state = request.app.state
    wanted = Wanted(given.upload, given.name)
    return await take_upload(units, state.spool, store, state.inspector, principal, wanted)


def is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


async def _admit(units: UnitsOfWork, principal: Principal, admit: Admit) -> None:
    async with units.begin(NOTHING) as uow:
        await uow.enter(await scope_of(uow, principal))
        await admit(uow)


async def _receive(
    request: Request, store: ContentStore, take_metadata: Callable[[bytes], Awaitable[None]] | None
) -> tuple[ReceivedFile, bytes]:
    """Stream the body into the content store; `take_metadata` is called between its two parts."""
    inspector: Inspector = request.app.state.inspector
    async with store.incoming() as incoming:
        form = _Form(incoming, take_metadata)
        try:
            async for event in multipart_events(request.headers.get("content-type"), request.stream()):
                await form.take(event)
        except ClientDisconnect as failure:
            raise invalid(
                "upload.malformed", vi="Kết nối bị ngắt giữa chừng.", en="The connection was cut off."
            ) from failure
        name, metadata = form.finish()
        received = await take_in(incoming, name, store, inspector)
    failpoint("materials.file.stored")
    return received, metadata


def _set_meaning(request: Request, metadata: bytes, file: ReceivedFile) -> None:
    # Over what was meant and not over the raw body: the boundary of a retry is a different one.
    meaning = b"\n".join((metadata, file.name.encode(), file.sha256.encode()))
    set_body_digest(request, hashlib.sha256(meaning).digest())


class _Form:
    """The parts in their order, `metadata` (when it is taken) and `file`; anything else is refused."""

    def __init__(self, incoming: Incoming, take_metadata: Callable[[bytes], Awaitable[None]] | None) -> None:
        self._incoming = incoming
        self._take_metadata = take_metadata
        self._metadata_wanted = take_metadata is not None
        self._part = ""
        self._metadata = bytearray()
        self._name: str | None = None

    async def take(self, event: Event) -> None:
        if isinstance(event, PartBegin):
            self._begin(event)
        elif isinstance(event, bytes):
            await self._data(event)
        else:
            await self._end(event)

    def _begin(self, part: PartBegin) -> None:
        expected = "metadata" if self._metadata_wanted else "file"
        if part.name != expected or self._name is not None:
            raise self._wrong_parts()
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
        if part.name == "metadata" and self._take_metadata is not None:
            await self._take_metadata(bytes(self._metadata))
            self._metadata_wanted = False

    def finish(self) -> tuple[str, bytes]:
        """The file's name and the metadata. Raises unless all parts were there."""
        if self._metadata_wanted or self._name is None:
            raise self._wrong_parts()
        return self._name, bytes(self._metadata)

    def _wrong_parts(self) -> AppError:
        if self._take_metadata is None:
            return invalid(
                "upload.parts_wrong",
                vi="Cần đúng một phần: file.",
                en="Exactly one part is needed: file.",
            )
        return invalid(
            "upload.parts_wrong",
            vi="Cần đúng hai phần theo thứ tự: metadata (JSON), rồi file.",
            en="Exactly two parts are needed, in this order: metadata (JSON), then file.",
        )


def draft_of(raw: bytes, *, under: tuple[str, ...]) -> Draft:
    """A new material from its JSON; `under` is where the object stands in the body, for the pointers of faults."""
    given = parse(MaterialIn, raw, under=under)
    return given.to_draft()


Given = TypeVar("Given", bound=MetadataIn)


def parse(shape: type[Given], raw: bytes, *, under: tuple[str, ...]) -> Given:
    """Metadata from JSON, checked against the curriculum as well."""
    try:
        given = shape.model_validate_json(raw)
    except ValidationError as failure:
        faults = failure.errors(include_url=False, include_context=False, include_input=False)
        raise validation_error([fault | {"loc": ("body", *under, *fault["loc"])} for fault in faults]) from failure
    check_subjects(given.subject, given.other_subjects, given.grades, under="".join(f"/{part}" for part in under))
    return given
