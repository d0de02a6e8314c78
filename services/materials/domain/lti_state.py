"""The state of a login, carried by the browser and signed: nothing is kept here, and no cookie is needed.

Browsers keep cookies from a tool inside a frame of an LMS, so what a cookie would hold travels in `state`.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from uuid import UUID

from shared.errors import AppError, Kind, Text

MINUTES = 10


@dataclass(frozen=True, slots=True)
class LoginState:
    """Which registration began the login, its nonce, where it wants to go, and until when (Unix seconds)."""

    platform: str
    nonce: str
    target: str
    expires: int

    @property
    def platform_id(self) -> UUID:
        return UUID(self.platform)

    def sealed(self, key: bytes) -> str:
        content = _encoded(json.dumps(asdict(self), separators=(",", ":")).encode())
        return f"{content}.{_signature(key, content)}"


def open_state(sealed: str, key: bytes, now: float) -> LoginState:
    """The state again. Raises `lti.state_invalid` for what we did not sign or what is too old."""
    content, _, signature = sealed.partition(".")
    if not hmac.compare_digest(_signature(key, content).encode(), signature.encode()):
        raise _invalid()
    try:
        state = LoginState(**json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))))
    except (binascii.Error, ValueError, TypeError) as failure:
        raise _invalid() from failure
    if now > state.expires:
        raise _invalid()
    return state


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(key: bytes, content: str) -> str:
    return _encoded(hmac.new(key, b"lti-state\0" + content.encode(), hashlib.sha256).digest())


def _invalid() -> AppError:
    return AppError(
        "lti.state_invalid",
        Kind.FORBIDDEN,
        Text(
            "Phiên đăng nhập từ LMS không hợp lệ hoặc đã quá hạn. Hãy mở lại bài từ LMS.",
            "The login from the LMS is not valid or too old. Open the link from the LMS again.",
        ),
    )
