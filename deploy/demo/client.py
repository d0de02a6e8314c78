"""A foreign client in thirty lines: a token, JSON in and out, and a refusal shown as the system words it."""

import time
from typing import Any

import httpx

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
SUBJECT_TOKEN_TYPE = "urn:lien-thong:token-type:subject"  # noqa: S105  # a type, not a secret
POLL_SECONDS = 0.2
WAIT_SECONDS = 120.0


class RefusedError(Exception):
    """The gateway answered with an error; the text is the problem document's own."""


class Caller:
    """One client or person at the gateway. `speak_for` exchanges the client's right for a person's token."""

    def __init__(self, gateway: str, client_id: str, client_secret: str, *, speak_for: str | None = None) -> None:
        self._http = httpx.Client(base_url=gateway, timeout=60.0, headers={"Accept-Language": "vi"})
        form = {"grant_type": "client_credentials"}
        if speak_for is not None:
            form = {"grant_type": EXCHANGE, "subject_token": speak_for, "subject_token_type": SUBJECT_TOKEN_TYPE}
        answer = self._http.post("/oauth2/token", data=form, auth=(client_id, client_secret))
        self._http.headers["Authorization"] = f"Bearer {_checked(answer).json()['access_token']}"

    def get(self, path: str, **parameters: Any) -> Any:
        return _checked(self._http.get(path, params=parameters)).json()

    def send(self, method: str, path: str, **content: Any) -> httpx.Response:
        return _checked(self._http.request(method, path, **content))

    def wait_for(self, path: str, *, until: Any) -> Any:
        """Read `path` until `until(document)` is true. Raises `RefusedError` after two minutes."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            document = self.get(path)
            if until(document):
                return document
            if time.monotonic() > deadline:
                raise RefusedError(f"{path} did not reach the expected state in {WAIT_SECONDS:.0f} s: {document}")
            time.sleep(POLL_SECONDS)


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        raise RefusedError(
            f"{answer.request.method} {answer.request.url} -> {answer.status_code}: {answer.text[:1000]}"
        )
    return answer
