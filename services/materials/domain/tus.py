"""The headers of tus 1.0, resumable uploads (tus.io/protocols/resumable-upload): read and checked, nothing else."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.errors import AppError, Kind, Text

VERSION = "1.0.0"
EXTENSIONS = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "checksum",
    "expiration",
    "termination",
    "concatenation",
)
ALGORITHMS = ("sha1", "sha256", "sha512", "md5")
CHUNK = "application/offset+octet-stream"
MAX_PARTS = 100

STATUS: Mapping[str, int] = {
    "tus.version": 412,
    "tus.offset": 409,
    "tus.length": 400,
    "tus.header": 400,
    "tus.content_type": 415,
    "tus.checksum_algorithm": 400,
    "tus.checksum": 460,
    "tus.too_large": 413,
    "tus.locked": 423,
    "tus.unknown": 404,
    "tus.expired": 410,
    "tus.parts": 400,
    "tus.final": 403,
}


def fault(code: str, vi: str, en: str) -> AppError:
    """An error of the protocol; `STATUS` says as which HTTP status it is told."""
    return AppError(code, Kind.INVALID, Text(vi, en))


@dataclass(frozen=True, slots=True)
class Creation:
    """What a client wants to upload: `length` in bytes, None while it is not known; `parts` are a final's partials."""

    length: int | None
    name: str
    concat: Literal["whole", "partial", "final"]
    parts: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Checksum:
    """Of one chunk; `digest` is what the client says it must be."""

    algorithm: str
    digest: bytes

    def matches(self, computed: bytes) -> bool:
        return computed == self.digest


def require_version(headers: Mapping[str, str]) -> None:
    if headers.get("tus-resumable") != VERSION:
        raise fault("tus.version", f"Cần Tus-Resumable: {VERSION}.", f"Tus-Resumable: {VERSION} is needed.")


def creation_of(headers: Mapping[str, str], max_bytes: int) -> Creation:
    """Read the headers of a POST. Raises `tus.length`, `tus.header`, `tus.parts` or `tus.too_large`."""
    concat = headers.get("upload-concat", "")
    name = _name_of(headers.get("upload-metadata", ""))
    if concat.startswith("final;"):
        return Creation(None, name, "final", _parts_of(concat.removeprefix("final;")))
    if concat not in {"", "partial"}:
        raise fault("tus.header", "Upload-Concat không hợp lệ.", "Upload-Concat is not valid.")
    length = _length_of(headers)
    if length is not None and length > max_bytes:
        raise too_large(max_bytes)
    return Creation(length, name, "partial" if concat else "whole")


def too_large(max_bytes: int) -> AppError:
    return fault("tus.too_large", f"Tệp lớn hơn {max_bytes} byte.", f"The file is larger than {max_bytes} bytes.")


def number_of(headers: Mapping[str, str], name: str) -> int:
    """A count of bytes from a header. Raises `tus.header` for anything but decimal digits."""
    value = headers.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise fault("tus.header", f"Tiêu đề {name} không hợp lệ.", f"The header {name} is missing or not valid.")
    return int(value)


def announced_length(headers: Mapping[str, str], known: int | None, max_bytes: int) -> int | None:
    """`Upload-Length` of a PATCH to an upload that had none yet. Raises `tus.length` for another than the `known` one.

    None when there is nothing new in it.
    """
    if "upload-length" not in headers:
        return None
    length = number_of(headers, "upload-length")
    if known is not None:
        if length != known:
            raise length_wrong()
        return None
    if length > max_bytes:
        raise too_large(max_bytes)
    return length


def length_wrong() -> AppError:
    return fault(
        "tus.length",
        "Upload-Length không được thay đổi và không nhỏ hơn phần đã tải.",
        "Upload-Length never changes and is not less than what has arrived.",
    )


def checksum_of(headers: Mapping[str, str]) -> Checksum | None:
    """`Upload-Checksum`, None when there is none. Raises `tus.checksum_algorithm` or `tus.header`."""
    given = headers.get("upload-checksum")
    if given is None:
        return None
    algorithm, _, encoded = given.partition(" ")
    if algorithm not in ALGORITHMS:
        known = ", ".join(ALGORITHMS)
        raise fault("tus.checksum_algorithm", f"Chỉ nhận: {known}.", f"Known algorithms: {known}.")
    return Checksum(algorithm, _decoded(encoded, "Upload-Checksum"))


def hasher(algorithm: str) -> "hashlib._Hash":
    # SHA-1 and MD5 are the protocol's, against broken lines and not against forgers.
    return hashlib.new(algorithm, usedforsecurity=False)


def _length_of(headers: Mapping[str, str]) -> int | None:
    deferred, given = headers.get("upload-defer-length"), headers.get("upload-length")
    if deferred is not None and (deferred != "1" or given is not None):
        raise fault("tus.length", "Upload-Defer-Length không hợp lệ.", "Upload-Defer-Length is not valid.")
    if deferred is None and given is None:
        raise fault("tus.length", "Cần Upload-Length.", "Upload-Length or Upload-Defer-Length is needed.")
    return None if given is None else number_of(headers, "upload-length")


def _name_of(metadata: str) -> str:
    """`filename` (or `name`) of `Upload-Metadata`; empty when it has none."""
    found: dict[str, str] = {}
    for pair in filter(None, (each.strip() for each in metadata.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            found[key] = _decoded(encoded.strip(), "Upload-Metadata").decode("utf-8")
        except UnicodeDecodeError as failure:
            raise _bad_header("Upload-Metadata") from failure
    return found.get("filename") or found.get("name") or ""


def _parts_of(paths: str) -> tuple[UUID, ...]:
    try:
        parts = tuple(UUID(path.rstrip("/").rpartition("/")[2]) for path in paths.split())
    except ValueError as failure:
        raise _bad_header("Upload-Concat") from failure
    if not 1 <= len(parts) <= MAX_PARTS or len(set(parts)) != len(parts):
        raise fault("tus.parts", f"Cần 1 đến {MAX_PARTS} phần khác nhau.", f"1 to {MAX_PARTS} different parts.")
    return parts


def _decoded(encoded: str, header: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as failure:
        raise _bad_header(header) from failure


def _bad_header(header: str) -> AppError:
    return fault("tus.header", f"Tiêu đề {header} không hợp lệ.", f"The header {header} is not valid.")
