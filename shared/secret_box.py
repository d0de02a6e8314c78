"""Secrets at rest: JWE (RFC 7516) with A256GCM under a key from the settings."""

import hashlib
import json

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import SecretStr

from shared.errors import unavailable

_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = list(_HEADER.values())


class SecretUnreadableError(Exception):
    """Encrypted under another key, or for another purpose."""


class SecretBox:
    """Without a key nothing can be sealed: `code` (unavailable) then says which `setting` it would come from.

    `purpose` (`pull:<id>`) keeps a row's secret from working in another row.
    """

    def __init__(self, key: SecretStr | None, *, setting: str, code: str) -> None:
        self._setting, self._code = setting, code
        self._key = None if key is None else OctKey.import_key(hashlib.sha256(key.get_secret_value().encode()).digest())

    def require_key(self) -> None:
        """Raises the error of the missing key."""
        if self._key is None:
            raise unavailable(
                self._code,
                vi=f"Hệ thống chưa đặt {self._setting} nên chưa dùng được chức năng này. Báo đơn vị vận hành.",
                en=f"{self._setting} is not set, so this is off. Tell the operator.",
            )

    def seal(self, purpose: str, secret: str) -> str:
        self.require_key()
        assert self._key is not None
        content = json.dumps({"for": purpose, "secret": secret}).encode()
        return jwe.encrypt_compact(_HEADER, content, self._key, algorithms=_ALGORITHMS)

    def open(self, purpose: str, sealed: str) -> str:
        """Raises `SecretUnreadableError`."""
        if self._key is None:
            raise SecretUnreadableError
        try:
            plain = jwe.decrypt_compact(sealed, self._key, algorithms=_ALGORITHMS).plaintext
        except (JoseError, ValueError) as failure:
            raise SecretUnreadableError from failure
        content = json.loads(plain or b"{}")
        if content.get("for") != purpose:
            raise SecretUnreadableError
        return str(content["secret"])
