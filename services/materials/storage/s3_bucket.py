"""The content store in a bucket of any S3-compatible server: `content/<sha256>`, put there whole and never overwritten.

A file is received and looked at in a local folder, then put into the bucket in parts of bounded size. `seen/<sha256>`
is an empty object whose time says when the content was last handed in; orphans are swept by it. A short lock that all
processes share keeps a sweep from taking what is handed in at that very moment.
"""

import asyncio
import base64
import contextlib
import datetime as dt
import errno
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from services.materials.storage.arrivals import BLOCK, Arrival, Arrivals
from services.materials.storage.content import HASH, Wanted, require_hash
from shared.errors import AppError, unavailable
from shared.logs import logger

log = logger(__name__)

PART = 8 * 1024 * 1024
_SECONDS = 15 * 60
_READS = 3
_MANY = 4  # uploads of one content at the same moment are rare; this many times one finds its work undone
Lock = Callable[[str], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the bucket is. `endpoint` None is AWS; `public_endpoint` is how browsers reach it (None: not at all)."""

    name: str
    region: str
    access_key: str
    secret_key: str
    endpoint: str | None = None
    public_endpoint: str | None = None
    prefix: str = ""
    path_style: bool = True

    def client(self, endpoint: str | None) -> Any:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if self.path_style else "virtual"},
                retries={"mode": "standard", "max_attempts": 4},
                connect_timeout=5,
                read_timeout=60,
                # Newer checksums are not spoken by every server; each part carries its MD5 instead.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


class S3Bucket:
    """A `ContentStore`. `lock` holds a name against all processes; `folder` is for files on their way."""

    def __init__(self, bucket: Bucket, folder: Path, lock: Lock) -> None:
        self._bucket = bucket
        self._client = bucket.client(bucket.endpoint)
        self._signer = None if bucket.public_endpoint is None else bucket.client(bucket.public_endpoint)
        self._arrivals = Arrivals(folder, self.adopt)
        self._lock = lock

    def incoming(self) -> AbstractAsyncContextManager[Arrival]:
        return self._arrivals.incoming()

    async def adopt(self, path: Path, sha256: str) -> None:
        for _ in range(_MANY):
            await asyncio.to_thread(self.upload, path, sha256)
            if await self.see(sha256):
                return
        raise _unavailable()

    def upload(self, path: Path, sha256: str) -> None:
        """Put a complete file into the bucket unless it is there."""
        require_hash(sha256)
        length = path.stat().st_size
        with _unreachable_is_unavailable():
            if self._length(sha256) == length:
                return
            with path.open("rb") as file:
                if length <= PART:
                    self._put_whole(file.read(), sha256)
                else:
                    self._put_parts(file, sha256)

    async def see(self, sha256: str) -> bool:
        """Say that the content was handed in now; False when a sweep took it a moment ago."""
        async with self._lock(sha256):
            return await asyncio.to_thread(self._see, sha256)

    def _see(self, sha256: str) -> bool:
        with _unreachable_is_unavailable():
            if self._length(sha256) is None:
                return False
            self._client.put_object(Bucket=self._bucket.name, Key=self._key("seen", sha256), Body=b"")
        return True

    def _put_whole(self, content: bytes, sha256: str) -> None:
        given = {"Body": content, "ContentMD5": _md5(content)}
        self._once(lambda condition: self._client.put_object(**self._object(sha256), **given, **condition))

    def _put_parts(self, file: BinaryIO, sha256: str) -> None:
        started = self._client.create_multipart_upload(**self._object(sha256))
        upload = self._object(sha256) | {"UploadId": started["UploadId"]}
        try:
            parts: list[dict[str, Any]] = []
            while block := file.read(PART):
                number = len(parts) + 1
                sent = self._client.upload_part(**upload, PartNumber=number, Body=block, ContentMD5=_md5(block))
                parts.append({"PartNumber": number, "ETag": sent["ETag"]})
            done = {"MultipartUpload": {"Parts": parts}}
            self._once(lambda condition: self._client.complete_multipart_upload(**upload, **done, **condition))
        except BaseException:
            with contextlib.suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(**upload)
            raise

    def _once(self, put: Callable[[dict[str, str]], Any]) -> None:
        """Only where nothing is yet. Another who was faster has put the same bytes."""
        try:
            put({"IfNoneMatch": "*"})
        except ClientError as failure:
            status = failure.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 501:  # a server that does not know the condition: the same bytes over the same bytes
                put({})
            elif status not in {409, 412}:
                raise

    async def size(self, sha256: str) -> int | None:
        return await asyncio.to_thread(self._size, sha256)

    def _size(self, sha256: str) -> int | None:
        with _unreachable_is_unavailable():
            return self._length(sha256)

    def _length(self, sha256: str) -> int | None:
        found = self._head(self._key("content", sha256))
        return None if found is None else int(found["ContentLength"])

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.head_object(Bucket=self._bucket.name, Key=key)
        except ClientError as failure:
            if failure.response["ResponseMetadata"]["HTTPStatusCode"] == 404 and not _no_bucket(failure):
                return None
            raise
        return found

    async def read(self, sha256: str, start: int, length: int) -> AsyncIterator[bytes]:
        key, left = self._key("content", sha256), _READS
        while length > 0:
            body = await asyncio.to_thread(self._open, key, start, length)
            try:
                while block := await asyncio.to_thread(_next_block, body, min(BLOCK, length)):
                    yield block
                    start += len(block)
                    length -= len(block)
            finally:
                body.close()
            left -= 1
            if length > 0 and left == 0:
                raise OSError(errno.EIO, "a stored file could not be read to its end")

    def _open(self, key: str, start: int, length: int) -> Any:
        with _unreachable_is_unavailable():
            stretch = f"bytes={start}-{start + length - 1}"
            return self._client.get_object(Bucket=self._bucket.name, Key=key, Range=stretch)["Body"]

    def address(self, sha256: str, wanted: Wanted) -> str | None:
        """A presigned address (SigV4) under the public endpoint, which carries type and `Content-Disposition`."""
        if self._signer is None:
            return None
        asked = self._object(sha256) | {
            "ResponseContentType": wanted.media_type,
            "ResponseContentDisposition": wanted.disposition,
            "ResponseCacheControl": "private, no-store",
        }
        signed: str = self._signer.generate_presigned_url("get_object", Params=asked, ExpiresIn=_SECONDS)
        return signed

    async def ready(self) -> None:
        await self._arrivals.probe()
        await asyncio.to_thread(self._probe)

    def _probe(self) -> None:
        with _unreachable_is_unavailable():
            self._client.put_object(Bucket=self._bucket.name, Key=f"{self._bucket.prefix}probe", Body=b"")

    async def idle_since(self, moment: dt.datetime) -> AsyncIterator[list[str]]:
        pages = iter(self._pages())
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            names = [
                name
                for each in page.get("Contents", [])
                if HASH.fullmatch(name := each["Key"].rpartition("/")[2]) and each["LastModified"] < moment
            ]
            if names:
                yield names

    def _pages(self) -> Any:
        listing = self._client.get_paginator("list_objects_v2")
        return listing.paginate(Bucket=self._bucket.name, Prefix=f"{self._bucket.prefix}content/")

    async def remove_if_idle(self, sha256: str, moment: dt.datetime) -> bool:
        async with self._lock(sha256):
            return await asyncio.to_thread(self._remove_if_idle, sha256, moment)

    def _remove_if_idle(self, sha256: str, moment: dt.datetime) -> bool:
        with _unreachable_is_unavailable():
            keys = [self._key(place, sha256) for place in ("content", "seen")]
            found = [self._head(key) for key in keys]
            if found[0] is None or any(each is not None and each["LastModified"] >= moment for each in found):
                return False
            for key in keys:
                self._client.delete_object(Bucket=self._bucket.name, Key=key)
        return True

    async def drop_unfinished(self, moment: dt.datetime) -> int:
        return await self._arrivals.drop_older(moment) + await asyncio.to_thread(self._abort_older, moment)

    def _abort_older(self, moment: dt.datetime) -> int:
        dropped = 0
        where = {"Bucket": self._bucket.name, "Prefix": f"{self._bucket.prefix}content/"}
        with _unreachable_is_unavailable():
            for page in self._client.get_paginator("list_multipart_uploads").paginate(**where):
                for each in page.get("Uploads", []):
                    if each["Initiated"] < moment:
                        upload = {"Bucket": self._bucket.name, "Key": each["Key"], "UploadId": each["UploadId"]}
                        self._client.abort_multipart_upload(**upload)
                        dropped += 1
        return dropped

    def _object(self, sha256: str) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self._key("content", sha256)}

    def _key(self, place: str, sha256: str) -> str:
        require_hash(sha256)
        return f"{self._bucket.prefix}{place}/{sha256}"


def _next_block(body: Any, length: int) -> bytes:
    """Nothing at the end, and where the line broke: the caller knows which, and goes on from there."""
    if length == 0:
        return b""
    try:
        block: bytes = body.read(length)
    except (BotoCoreError, OSError) as failure:
        log.warning("s3_read_cut", failure=type(failure).__name__)
        return b""
    return block


def _md5(block: bytes) -> str:
    """As `Content-MD5` has it: against broken lines; what the content is, its SHA-256 says."""
    return base64.b64encode(hashlib.md5(block, usedforsecurity=False).digest()).decode()


def _no_bucket(failure: ClientError) -> bool:
    return bool(failure.response["Error"].get("Code") == "NoSuchBucket")


@contextlib.contextmanager
def _unreachable_is_unavailable() -> Iterator[None]:
    """A bucket that is away, full or forbidden is `files.unavailable`; the log has the server's own code."""
    try:
        yield
    except ClientError as failure:
        log.error("s3_refused", code=failure.response["Error"].get("Code"), operation=failure.operation_name)  # noqa: TRY400
        raise _unavailable() from failure
    except BotoCoreError as failure:
        log.error("s3_unreachable", failure=type(failure).__name__)  # noqa: TRY400  # its text may quote addresses
        raise _unavailable() from failure


def _unavailable() -> AppError:
    return unavailable(
        "files.unavailable",
        vi="Kho tệp tạm thời không dùng được. Hãy thử lại sau; nếu vẫn lỗi, báo cho đơn vị vận hành.",
        en="Files cannot be reached right now. Try again later; if it stays, tell the operator.",
        retry_after=60,
    )
