"""`/sync/v1/registry`: issued codes of learners and staff, and how strictly they bind."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from sqlalchemy import RowMapping

from services.sync.api.deps import Lang, Reader, UploadFolder
from services.sync.api.schemas import Closed, Shape
from services.sync.domain.registry import LINE_TEXTS, RegistryKind, RegistryMode
from services.sync.storage.objects_file import DAMAGE, TooLargeError, is_compressed
from services.sync.storage.uploads import Uploads
from services.sync.usecases import registry
from services.sync.usecases.registry import Loaded
from shared.auth import Principal
from shared.errors import AppError, Kind, Language, Text, invalid
from shared.http.idempotency import IdempotentRoute, set_body_digest
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["registry"])
CSV_TYPE, NDJSON_TYPE = "text/csv", "application/x-ndjson"
MOST_PROBLEMS = 500
_TEXT = {"schema": {"type": "string"}}
# Compressed or not, its first bytes tell; the type is that of the plain file.
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Plain, or compressed by gzip or zstd.",
        "content": {CSV_TYPE: _TEXT, NDJSON_TYPE: _TEXT},
    }
}


class RegistryOut(Shape):
    kind: RegistryKind
    mode: RegistryMode = Field(description="Without a decision: `open` until codes were loaded, then `authoritative`.")
    codes: int
    reason: str | None
    decided_by: str | None
    decided_at: dt.datetime | None

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        return cls(**{name: row[name] for name in cls.model_fields})


class Registries(Shape):
    items: list[RegistryOut]


class RegistryIn(Closed):
    mode: RegistryMode
    reason: str = Field(min_length=1, max_length=registry.LONGEST_REASON)


class LineProblem(Shape):
    line: int
    code: str
    message: str


class LoadedOut(Shape):
    """What an upload of codes did; of the problems the first 500 are listed."""

    registry: RegistryOut
    read: int
    added: int
    known: int
    refused: int
    problems: list[LineProblem]
    dropped_fields: list[str] = Field(description="Left at the door: only `sourcedId` is kept.")

    @classmethod
    def of(cls, loaded: Loaded, language: Language) -> Self:
        reader = loaded.reader
        return cls(
            registry=RegistryOut.of(loaded.kind),
            read=reader.read,
            added=loaded.added,
            known=reader.read - len(reader.faults) - loaded.added,
            refused=len(reader.faults),
            problems=[
                LineProblem(line=line, code=code, message=LINE_TEXTS[code].of(language))
                for line, code in reader.faults[:MOST_PROBLEMS]
            ],
            dropped_fields=sorted(reader.dropped)[:100],
        )


@dataclass(frozen=True, slots=True)
class CodeFile:
    path: Path
    is_csv: bool


async def _keeper(principal: CurrentPrincipal) -> Principal:
    """Checked before a byte of the body is read."""
    principal.require_scope("sync.orgs")
    return principal


Keeper = Annotated[Principal, Depends(_keeper)]


async def _code_file(request: Request, _principal: Keeper, uploads: UploadFolder) -> AsyncIterator[CodeFile]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {CSV_TYPE, NDJSON_TYPE}:
        raise AppError(
            "media_type.unsupported",
            Kind.INVALID,
            Text(f"Gửi {CSV_TYPE} hoặc {NDJSON_TYPE}.", f"Send {CSV_TYPE} or {NDJSON_TYPE}."),
        )
    received = await uploads.receive(request.stream())
    path = received.path
    try:
        set_body_digest(request, bytes.fromhex(received.sha256))
        if is_compressed(path):
            path = await _unpacked(uploads, path)
        yield CodeFile(path, kind == CSV_TYPE)
    finally:
        path.unlink(missing_ok=True)
        received.path.unlink(missing_ok=True)


async def _unpacked(uploads: Uploads, packed: Path) -> Path:
    try:
        return await asyncio.to_thread(uploads.unpack, packed)
    except DAMAGE as fault:
        raise invalid(
            "registry.fileDamaged",
            vi="Tệp nén bị hỏng hoặc thiếu phần cuối; nén lại bằng gzip hoặc zstd rồi gửi lại trọn vẹn.",
            en="The compressed file is damaged or cut short; compress again with gzip or zstd and send all of it.",
        ) from fault
    except TooLargeError as fault:
        raise invalid(
            "registry.fileTooLarge",
            vi="Tệp sau khi giải nén quá lớn; chia thành nhiều tệp.",
            en="Unpacked, the file is too large; send it in parts.",
        ) from fault


Codes = Annotated[CodeFile, Depends(_code_file, scope="function")]


@router.get("/registry", summary="Issued codes: how many, and how strictly they bind")
async def get_registry(_principal: Reader, uow: Uow) -> Registries:
    return Registries(items=[RegistryOut.of(row) for row in (await registry.registry_kinds(uow)).values()])


@router.post("/registry/{kind}", openapi_extra=BODY, summary="Load issued codes")
async def post_codes(kind: RegistryKind, principal: Keeper, codes: Codes, uow: Uow, language: Lang) -> LoadedOut:
    """CSV with a column `sourcedId`, or one JSON object a line. The department only; loading again changes nothing."""
    return LoadedOut.of(await registry.load_codes(uow, principal, kind, codes.path, is_csv=codes.is_csv), language)


@router.put("/registry/{kind}", summary="Say how strictly a kind of code binds")
async def put_registry(kind: RegistryKind, body: RegistryIn, principal: Keeper, uow: Uow) -> RegistryOut:
    """`authoritative`: people with a code that was not loaded are held. `open`: every code is accepted."""
    return RegistryOut.of(await registry.decide_mode(uow, principal, kind, body.mode, body.reason))
