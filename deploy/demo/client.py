"""A foreign client in a few lines: a token, JSON in and out, and a refusal shown as the system words it."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
SUBJECT_TOKEN_TYPE = "urn:lien-thong:token-type:subject"  # noqa: S105  # a type, not a secret
POLL_SECONDS = 0.2
WAIT_SECONDS = 120.0


class RefusedError(Exception):
    """The gateway answered with an error; the text is the problem document's own."""


class Gateway:
    """One connection pool to the gateway and the clients and persons of `.run/demo.json`; a context manager."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._http = httpx.Client(base_url=document["gateway"], timeout=60.0, headers={"Accept-Language": "vi"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def client(self, role: str) -> "Caller":
        """`vendor`, `department` or `portal`, by client credentials."""
        return self._caller(role, {"grant_type": "client_credentials"})

    def person(self, name: str) -> "Caller":
        """A person of the demo, whom the portal has logged in and speaks for (RFC 8693)."""
        subject = self._document["users"][name]["subject"]
        form = {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": SUBJECT_TOKEN_TYPE}
        return self._caller("portal", form)

    def whois(self, name: str) -> dict[str, str]:
        """`subject` and `org` of a person of the demo."""
        found: dict[str, str] = self._document["users"][name]
        return found

    def _caller(self, role: str, form: Mapping[str, str]) -> "Caller":
        registered = self._document["clients"][role]
        credentials = (registered["clientId"], registered["clientSecret"])
        answer = _checked(self._http.post("/oauth2/token", data=form, auth=credentials))
        return Caller(self._http, answer.json()["access_token"])


class Caller:
    """One client or person with a token."""

    def __init__(self, http: httpx.Client, token: str) -> None:
        self._http = http
        self.authorization = f"Bearer {token}"

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """The answer, whatever it says. `content` is httpx's: headers, params, json, content, files."""
        headers = {"Authorization": self.authorization, **content.pop("headers", {})}
        return self._http.request(method, path, headers=headers, **content)

    def send(self, method: str, path: str, **content: Any) -> httpx.Response:
        """The answer of a call that must succeed. Raises `RefusedError`."""
        return _checked(self.ask(method, path, **content))

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at `path`. Raises `RefusedError`."""
        return self.send("GET", path, params=parameters or None).json()

    def wait_for(self, path: str, *, until: Callable[[Any], bool]) -> Any:
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
        request = f"{answer.request.method} {answer.request.url}"
        raise RefusedError(f"{request} -> {answer.status_code}: {answer.text[:1000]}")
    return answer
