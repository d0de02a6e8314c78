"""What the library needs to be a tool: its address, its keys, and a way to ask the LMS."""

import hashlib
from dataclasses import dataclass

from pydantic import SecretStr

from services.materials.storage.platform_keys import PlatformKeys
from services.materials.storage.tool_keys import ToolKeys
from shared.clock import Clock
from shared.errors import AppError, unavailable
from shared.outside import Outside, checked_url
from shared.secret_box import SecretBox


@dataclass(frozen=True, slots=True)
class LtiTool:
    """`base` is the public address without a slash at the end, `name` what people call the library."""

    base: str
    name: str
    clock: Clock
    outside: Outside
    platform_keys: PlatformKeys
    keys: ToolKeys
    secret: bytes | None
    allow_private: bool

    @classmethod
    def of(
        cls, base: str, name: str, *, key: SecretStr | None, clock: Clock, outside: Outside, allow_private: bool
    ) -> "LtiTool":
        secret = None if key is None else hashlib.sha256(b"state\0" + key.get_secret_value().encode()).digest()
        box = SecretBox(key, setting="LTI_KEY", code="lti.not_configured")
        return cls(base.rstrip("/"), name, clock, outside, PlatformKeys(outside), ToolKeys(box), secret, allow_private)

    @property
    def state_key(self) -> bytes:
        """Raises `lti.not_configured` (unavailable)."""
        if self.secret is None:
            raise not_configured()
        return self.secret

    @property
    def launch_address(self) -> str:
        return f"{self.base}/lti/launch"

    def may_call(self, address: str) -> bool:
        """An address of an LMS: https, in no private network; tests and demonstrations may allow others."""
        try:
            parts = checked_url(address, allow_private=self.allow_private)
        except ValueError:
            return False
        return parts.scheme == "https" or self.allow_private


def not_configured() -> AppError:
    return unavailable(
        "lti.not_configured",
        vi="Hệ thống chưa đặt LTI_KEY nên chưa mở được từ LMS. Báo đơn vị vận hành.",
        en="LTI_KEY is not set, so an LMS cannot open the library. Tell the operator.",
    )
