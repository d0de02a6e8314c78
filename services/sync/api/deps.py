"""What endpoints ask for: the upload folder, the language, an uploaded and judged package."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from starlette.datastructures import UploadFile

from services.sync.storage.uploads import Inspection, Received, Uploads, inspect
from services.sync.usecases.receive_import import refuse_unfit
from shared.auth import Principal
from shared.errors import AppError, FieldError, Kind, Language, Text, invalid
from shared.http.idempotency import set_body_digest
from shared.http.language import language_of
from shared.http.unit_of_work import CurrentPrincipal

# What a package is, its first bytes tell; compressed lines may also be announced by Content-Encoding.
PACKAGE_TYPES = frozenset(
    {
        "application/zip",
        "application/x-zip-compressed",
        "application/octet-stream",
        "application/x-ndjson",
        "application/gzip",
        "application/zstd",
    }
)
_FORM = "multipart/form-data"
_PIECE = 1024 * 1024


def _language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language"))


Lang = Annotated[Language, Depends(_language)]


def _uploads(request: Request) -> Uploads:
    uploads: Uploads = request.app.state.uploads
    return uploads


UploadFolder = Annotated[Uploads, Depends(_uploads)]


async def _importer(principal: CurrentPrincipal) -> Principal:
    """Checked before a byte of the body is read."""
    principal.require_scope("sync.import")
    return principal


Importer = Annotated[Principal, Depends(_importer)]


async def _reader(principal: CurrentPrincipal) -> Principal:
    principal.require_scope("sync.read", "sync.import")
    return principal


Reader = Annotated[Principal, Depends(_reader)]


@dataclass(frozen=True, slots=True)
class Package:
    """A received package that passed the door."""

    received: Received
    inspection: Inspection
    lenient: bool
    mode: Literal["review", "auto"]
    dry_run: bool


async def _package(
    request: Request,
    _principal: Importer,
    uploads: UploadFolder,
    lenient: Annotated[bool, Query(description="Repair the documented list of real-world dirt.")] = False,  # noqa: FBT002  # a query parameter
    mode: Annotated[
        Literal["review", "auto"], Query(description="`auto` commits by itself when nothing is held.")
    ] = "review",
    dry_run: Annotated[bool, Query(alias="dryRun", description="Judge and compare; never commit.")] = False,  # noqa: FBT002  # a query parameter
) -> AsyncIterator[Package]:
    """Stream the body to disk and judge it, before the transaction opens. Whatever fails later takes the file along."""
    received = await _receive(request, uploads)
    try:
        set_body_digest(request, bytes.fromhex(received.sha256))
        inspection = await asyncio.to_thread(inspect, received.path, lenient=lenient, limits=uploads.limits)
        refuse_unfit(inspection)
        yield Package(received, inspection, lenient, mode, dry_run)
    finally:
        received.path.unlink(missing_ok=True)


UploadedPackage = Annotated[Package, Depends(_package, scope="function")]


async def _receive(request: Request, uploads: Uploads) -> Received:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in PACKAGE_TYPES:
        return await uploads.receive(request.stream())
    if kind != _FORM:
        raise _unsupported()
    async with request.form(max_files=1, max_fields=0) as form:
        files = [part for part in form.values() if isinstance(part, UploadFile)]
        if len(files) != 1:
            raise _no_file()
        return await uploads.receive(_pieces(files[0]))


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_PIECE):
        yield piece


def _unsupported() -> AppError:
    allowed = ", ".join(sorted(PACKAGE_TYPES))
    return AppError(
        "media_type.unsupported",
        Kind.INVALID,
        Text(
            f"Gửi ZIP với Content-Type: application/zip, dòng JSON với application/x-ndjson (nhận: "
            f"{allowed}, {_FORM}).",
            f"Send a ZIP as Content-Type: application/zip, JSON lines as application/x-ndjson (accepted: {allowed}, "
            f"{_FORM}).",
        ),
    )


def _no_file() -> AppError:
    text = Text("Biểu mẫu phải có đúng một tệp.", "The form must hold exactly one file.")
    return invalid("upload.noFile", vi=text.vi, en=text.en, errors=[FieldError("/file", "upload.noFile", text)])
