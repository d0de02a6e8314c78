"""Links to a file that hold for minutes, for whoever has one: what a link allows is written in it and signed."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode

from shared.errors import AppError, Kind, Text

PREFIX = "/content/v1"
MINUTES = 15

Disposition = Literal["attachment", "inline"]


@dataclass(frozen=True, slots=True)
class FileLink:
    """One content, served as `media_type` under `name`, until `expires` (Unix time in seconds)."""

    sha256: str
    name: str
    media_type: str
    disposition: Disposition
    expires: int

    def signature(self, key: bytes) -> str:
        """HMAC-SHA256 over every part, each with its length in front: no two links sign alike."""
        parts = (self.sha256, self.name, self.media_type, self.disposition, str(self.expires))
        message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.new(key, message, hashlib.sha256).hexdigest()

    def url(self, base: str, key: bytes) -> str:
        query = urlencode(
            {
                "type": self.media_type,
                "disposition": self.disposition,
                "expires": self.expires,
                "signature": self.signature(key),
            }
        )
        return f"{base}{PREFIX}/{self.sha256}/{quote(self.name, safe='')}?{query}"

    def check(self, key: bytes, signature: str, now: float) -> None:
        """Raise `link.invalid` or `link.expired` (forbidden)."""
        if not hmac.compare_digest(self.signature(key).encode(), signature.encode()):
            raise _refused("link.invalid", "Liên kết không hợp lệ.", "The link is not valid.")
        if now > self.expires:
            raise _refused("link.expired", "Liên kết đã hết hạn. Hãy mở lại từ kho học liệu.", "The link has expired.")


PLAYER = "~player"
PLAYER_HOURS = 4


@dataclass(frozen=True, slots=True)
class PackageLink:
    """All files of one package, until `expires` (Unix time in seconds); `launch` is the one a player opens.

    What is allowed stands in the path and not in a query: the pages of a package find each other by relative addresses.
    """

    sha256: str
    launch: str
    expires: int

    def grant(self, key: bytes) -> str:
        parts = ("package", self.sha256, self.launch, str(self.expires))
        message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        signature = hmac.new(key, message, hashlib.sha256).hexdigest()
        launch = base64.urlsafe_b64encode(self.launch.encode()).decode().rstrip("=")
        return f"{self.expires}.{launch}.{signature}"

    def url(self, base: str, key: bytes) -> str:
        return f"{base}{PREFIX}/packages/{self.sha256}/{self.grant(key)}/{PLAYER}"

    @classmethod
    def opened(cls, sha256: str, grant: str, key: bytes, now: float) -> "PackageLink":
        """The link a path carries. Raises `link.invalid` or `link.expired` (forbidden)."""
        expires, _, rest = grant.partition(".")
        launch, _, _ = rest.partition(".")
        try:
            link = cls(sha256, base64.urlsafe_b64decode(launch + "=" * (-len(launch) % 4)).decode(), int(expires))
        except (binascii.Error, ValueError) as failure:
            raise _refused("link.invalid", "Liên kết không hợp lệ.", "The link is not valid.") from failure
        if not hmac.compare_digest(link.grant(key).encode(), grant.encode()):
            raise _refused("link.invalid", "Liên kết không hợp lệ.", "The link is not valid.")
        if now > link.expires:
            raise _refused("link.expired", "Liên kết đã hết hạn. Hãy mở lại từ kho học liệu.", "The link has expired.")
        return link


def _refused(code: str, vi: str, en: str) -> AppError:
    return AppError(code, Kind.FORBIDDEN, Text(vi, en))
