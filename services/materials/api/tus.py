"""Resumable uploads by tus 1.0, with all its extensions but the trailer of a checksum.

Errors are those of the protocol: a status and a line of text.
"""

import datetime as dt
from email.utils import format_datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.requests import ClientDisconnect

from services.materials.api.routes import PREFIX
from services.materials.domain import tus
from services.materials.domain.tus import Creation
from services.materials.storage import uploads as rows
from services.materials.storage.spool import Spool, Writer
from services.materials.storage.uploads import Upload
from services.materials.usecases import uploads
from services.materials.usecases.uploads import LIFETIME, Standing
from shared.auth import Principal
from shared.db.scope import NOTHING
from shared.db.unit_of_work import UnitsOfWork
from shared.errors import AppError, Language
from shared.failpoints import failpoint
from shared.http.unit_of_work import CurrentPrincipal

UPLOADS = f"{PREFIX}/uploads"
router = APIRouter(prefix=UPLOADS, tags=["uploads"])

UploadId = Annotated[UUID, Path(description="Id of the upload.")]


def shape(error: AppError, status: int, language: Language) -> Response:
    """An error as tus tells it."""
    headers = {"Tus-Resumable": tus.VERSION, "Cache-Control": "no-store"}
    if error.code == "tus.version":
        headers["Tus-Version"] = tus.VERSION
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    status = tus.STATUS.get(error.code, status)
    return PlainTextResponse(f"{error.code}: {error.text.of(language)}\n", status_code=status, headers=headers)


@router.options("", status_code=204, response_class=Response, summary="What this server can do")
@router.options("/{upload_id}", status_code=204, response_class=Response, include_in_schema=False)
async def discover(request: Request) -> Response:
    """Version, extensions, size limit and checksum algorithms, in the `Tus-` headers."""
    headers = _headers() | {
        "Tus-Version": tus.VERSION,
        "Tus-Extension": ",".join(tus.EXTENSIONS),
        "Tus-Max-Size": str(_limit(request)),
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
    }
    return Response(status_code=204, headers=headers)


@router.post("", status_code=201, response_class=Response, summary="Begin an upload")
async def create(request: Request, principal: CurrentPrincipal) -> Response:
    """`Upload-Length` or `Upload-Defer-Length: 1`, `Upload-Metadata` with `filename`; may bring the first bytes along.

    `Upload-Concat: partial` begins a part, `Upload-Concat: final;<urls>` joins complete parts in that order.
    """
    tus.require_version(request.headers)
    limit = _limit(request)
    creation = tus.creation_of(request.headers, limit)
    upload = await _begin(request, principal, creation, limit)
    failpoint("materials.upload.created")
    headers = _headers() | {"Location": f"{UPLOADS}/{upload.id}", "Upload-Expires": _http_date(upload.expires_at)}
    if request.headers.get("content-type") == tus.CHUNK and creation.concat != "final":
        headers["Upload-Offset"] = str(await _append(request, upload, 0))
    return Response(status_code=201, headers=headers)


@router.head("/{upload_id}", response_class=Response, summary="How far an upload has come")
async def look(upload_id: UploadId, request: Request, principal: CurrentPrincipal) -> Response:
    """`Upload-Offset`: go on from there. Every byte below it is safe, also after a crash."""
    tus.require_version(request.headers)
    standing = await _standing(request, principal, upload_id)
    headers = _headers() | {"Upload-Offset": str(standing.offset), "Cache-Control": "no-store"}
    upload = standing.upload
    headers |= {"Upload-Defer-Length": "1"} if upload.length is None else {"Upload-Length": str(upload.length)}
    if upload.concat == "partial":
        headers["Upload-Concat"] = "partial"
    elif upload.concat == "final":
        headers["Upload-Concat"] = "final;" + " ".join(f"{UPLOADS}/{part}" for part in upload.parts)
    if not standing.complete:
        headers["Upload-Expires"] = _http_date(upload.expires_at)
    return Response(status_code=200, headers=headers)


@router.patch("/{upload_id}", status_code=204, response_class=Response, summary="Send more of an upload")
async def append(upload_id: UploadId, request: Request, principal: CurrentPrincipal) -> Response:
    """The bytes from `Upload-Offset` on. What came before a cut is kept, unless a checksum was given for the whole."""
    tus.require_version(request.headers)
    if request.headers.get("content-type") != tus.CHUNK:
        raise tus.fault("tus.content_type", f"Cần Content-Type: {tus.CHUNK}.", f"Content-Type: {tus.CHUNK} is needed.")
    offset = tus.number_of(request.headers, "upload-offset")
    units: UnitsOfWork = request.app.state.units
    async with units.begin(NOTHING) as uow:
        upload = await uploads.own(uow, principal, upload_id)
        if upload.concat == "final":
            raise tus.fault("tus.final", "Tệp ghép không nhận thêm dữ liệu.", "A final upload takes no more bytes.")
        announced = tus.announced_length(request.headers, upload.length, _limit(request))
        upload.expires_at = await uow.now() + LIFETIME
        await rows.extend(uow.session, upload_id, upload.expires_at)
    reached = await _append(request, upload, offset, announced)
    headers = _headers() | {"Upload-Offset": str(reached), "Upload-Expires": _http_date(upload.expires_at)}
    return Response(status_code=204, headers=headers)


@router.delete("/{upload_id}", status_code=204, response_class=Response, summary="Give up an upload")
async def terminate(upload_id: UploadId, request: Request, principal: CurrentPrincipal) -> Response:
    """Its bytes are removed; its address is gone."""
    tus.require_version(request.headers)
    units: UnitsOfWork = request.app.state.units
    async with units.begin(NOTHING) as uow:
        await uploads.own(uow, principal, upload_id)
        await rows.remove(uow.session, [upload_id])
    await _spool(request).remove(upload_id)
    return Response(status_code=204, headers=_headers())


@router.post("/{upload_id}", include_in_schema=False)
async def overridden(upload_id: UploadId, request: Request, principal: CurrentPrincipal) -> Response:
    """For clients that can only POST: `X-HTTP-Method-Override`."""
    wanted = {"PATCH": append, "DELETE": terminate, "HEAD": look}.get(
        request.headers.get("x-http-method-override", "").upper()
    )
    if wanted is None:
        raise tus.fault("tus.header", "Thiếu X-HTTP-Method-Override.", "X-HTTP-Method-Override is needed.")
    return await wanted(upload_id, request, principal)


async def _begin(request: Request, principal: Principal, creation: Creation, limit: int) -> Upload:
    """The row and the file. The file comes first: a row without one would promise bytes that are nowhere."""
    units: UnitsOfWork = request.app.state.units
    spool = _spool(request)
    async with units.begin(NOTHING) as uow:
        upload = await uploads.begin(uow, principal, creation)
        if creation.concat == "final":
            upload.length = await uploads.own_parts(uow, principal, spool, creation.parts, limit)
            await uow.session.flush()
            await spool.join(creation.parts, upload.id)
        else:
            await spool.create(upload.id)
    return upload


async def _append(request: Request, upload: Upload, offset: int, announced: int | None = None) -> int:
    """Write the body behind what is there; how far the upload has come then, in bytes.

    A length `announced` only now holds from the first chunk that is kept, and never changes again.
    """
    checksum = tus.checksum_of(request.headers)
    async with _spool(request).writer(upload.id) as writer:
        if writer.start != offset:
            raise tus.fault(
                "tus.offset",
                f"Upload-Offset phải là {writer.start}.",
                f"Upload-Offset must be {writer.start}.",
            )
        length = upload.length if announced is None else announced
        if length is not None and length < offset:
            raise tus.length_wrong()
        cut = await _pour(request, writer, _limit(request) if length is None else length)
        if checksum is not None:
            await writer.verify(checksum)
        if announced is not None:
            await _keep_length(request, upload.id, announced)
        failpoint("materials.upload.written")
        await writer.settle()
        failpoint("materials.upload.settled")
        if cut:
            raise tus.fault("tus.header", "Kết nối bị ngắt giữa chừng.", "The connection was cut off.")
        return writer.size


async def _keep_length(request: Request, upload_id: UUID, length: int) -> None:
    units: UnitsOfWork = request.app.state.units
    async with units.begin(NOTHING) as uow:
        await rows.set_length(uow.session, upload_id, length)


async def _pour(request: Request, writer: Writer, most: int) -> bool:
    """All of the body; True when the connection was cut before its end. Never more than `most` bytes in the file."""
    try:
        async for block in request.stream():
            if writer.size + len(block) > most:
                raise tus.fault("tus.too_large", f"Quá {most} byte đã khai.", f"More than the {most} bytes announced.")
            if block:
                await writer.write(block)
    except ClientDisconnect:
        return True
    return False


async def _standing(request: Request, principal: Principal, upload_id: UUID) -> Standing:
    units: UnitsOfWork = request.app.state.units
    async with units.begin(NOTHING) as uow:
        upload = await uploads.own(uow, principal, upload_id)
    offset = await _spool(request).offset(upload_id)
    if offset is None:
        raise tus.fault("tus.expired", "Lượt tải này đã hết hạn.", "This upload is gone.")
    return Standing(upload, offset)


def _headers() -> dict[str, str]:
    return {"Tus-Resumable": tus.VERSION}


def _limit(request: Request) -> int:
    limit: int = request.app.state.max_tus_bytes
    return limit


def _spool(request: Request) -> Spool:
    spool: Spool = request.app.state.spool
    return spool


def _http_date(moment: dt.datetime) -> str:
    return format_datetime(moment.astimezone(dt.UTC), usegmt=True)
