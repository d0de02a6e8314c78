"""The keys tokens are signed with: EC P-256 private keys in PEM files, named by their RFC 7638 thumbprint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from shared.auth.tokens import ALGORITHM, TOKEN_TYPE


class SigningKeys:
    """Signs with `current`; publishes `previous` too, so that tokens of yesterday's key stay valid until they end."""

    def __init__(self, current: ECKey, previous: ECKey | None = None) -> None:
        self._current = _named(current)
        self._previous = _named(previous) if previous else None

    @classmethod
    def load(cls, current: Path, previous: Path | None) -> "SigningKeys":
        """Raise OSError when a file is missing and ValueError when it holds another kind of key."""
        return cls(_read(current), _read(previous) if previous else None)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """An access token (RFC 9068) with these claims."""
        header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": self._current.kid}
        return jwt.encode(header, dict(claims), self._current, algorithms=[ALGORITHM])

    def jwks(self) -> dict[str, Any]:
        """The public halves, as `/oauth2/jwks` answers them."""
        keys = [self._current, *([self._previous] if self._previous else [])]
        return {"keys": [dict(key.as_dict(private=False)) | {"use": "sig", "alg": ALGORITHM} for key in keys]}


def _read(path: Path) -> ECKey:
    wrong = ValueError(f"{path.name} must hold an EC P-256 private key in PEM form")
    pem = path.read_bytes()
    try:
        key = ECKey.import_key(pem)
    except (JoseError, ValueError) as failure:
        raise wrong from failure
    if key.curve_name != "P-256" or not key.is_private:
        raise wrong
    return key


def _named(key: ECKey) -> ECKey:
    return ECKey.import_key(key.as_dict(private=True) | {"kid": key.thumbprint()})
