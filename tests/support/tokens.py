"""Access tokens for tests of a service that runs without the gateway: same form, a key of this process's own.

signer = TestSigner()
create_app(settings, runtime, verifier=signer.verifier())
headers = signer.bearer(sub="vendor", scope="sync.read", orgs=["SCHOOL-A"])
"""

import contextlib
import functools
import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from shared.auth.tokens import FixedKeys, TokenVerifier
from shared.clock import Clock, SystemClock

ISSUER = "http://gateway.test"
AUDIENCE = "urn:lien-thong:api"
# Many tests make their tokens when they are collected, and a slow machine may come to them much later.
DAY = 24 * 3600


@functools.cache
def process_key() -> ECKey:
    """One key pair per process; its `kid` is the RFC 7638 thumbprint."""
    key = ECKey.generate_key("P-256")
    return ECKey.import_key(key.as_dict(private=True) | {"kid": key.thumbprint()})


class TestSigner:
    """Signs what the gateway would sign, and on request what it never would (`header`, `claims`, `key`)."""

    __test__ = False

    def __init__(self, key: ECKey | None = None, *, issuer: str = ISSUER, audience: str = AUDIENCE) -> None:
        self.key = key or process_key()
        self.issuer = issuer
        self.audience = audience

    def jwks(self) -> dict[str, Any]:
        """The document behind `/oauth2/jwks`."""
        return {"keys": [dict(self.key.as_dict(private=False)) | {"use": "sig", "alg": "ES256"}]}

    def verifier(self, *, clock: Clock | None = None) -> TokenVerifier:
        return TokenVerifier(
            FixedKeys(self.jwks()), issuer=self.issuer, audience=self.audience, clock=clock or SystemClock()
        )

    def token(
        self,
        *,
        sub: str = "vendor",
        client_id: str | None = None,
        scope: str = "",
        orgs: Sequence[str] = (),
        roles: Sequence[str] = (),
        seconds: int = DAY,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """A client's token by default (`client_id` = `sub`); a person's when `client_id` differs.

        `claims` and `header` replace single members; a value of None removes the member.
        """
        now = int(time.time())
        body: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": sub,
            "client_id": client_id or sub,
            "scope": scope,
            "iat": now,
            "exp": now + seconds,
            "jti": str(uuid.uuid4()),
            "orgs": list(orgs),
            "roles": list(roles),
        }
        head = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}
        return jwt.encode(_merged(head, header), _merged(body, claims), self.key, algorithms=["ES256"])

    def bearer(self, **arguments: Any) -> dict[str, str]:
        """Request headers with a token made from the arguments of `token`."""
        return {"Authorization": f"Bearer {self.token(**arguments)}"}


def _merged(members: Mapping[str, Any], changes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in {**members, **(changes or {})}.items() if value is not None}


@contextlib.contextmanager
def serving_keys() -> Iterator[str]:
    """Where the keys of `TestSigner()` are served."""
    document = json.dumps(TestSigner().jwks()).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the library's
            """Say nothing: the output is for results and figures."""

    server = HTTPServer(("127.0.0.1", 0), Keys)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/oauth2/jwks"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
