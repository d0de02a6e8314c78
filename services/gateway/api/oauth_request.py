"""Reading a request to the token endpoint (RFC 6749 sections 2.3.1 and 3.2, RFC 8693 section 2.1)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from fastapi import Request

from services.gateway.domain import oauth_errors

FORM = "application/x-www-form-urlencoded"
CLIENT_CREDENTIALS = "client_credentials"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105  # a name, not a secret
_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"  # noqa: S105  # a prefix of names
ACCESS_TOKEN_TYPE = f"{_TOKEN_TYPE}access_token"
SUBJECT_TYPE = "urn:lien-thong:token-type:subject"
# Portals built on a library that insists on a registered type may name one of these and still send the plain subject.
_SUBJECT_TYPES = frozenset({SUBJECT_TYPE, ACCESS_TOKEN_TYPE, f"{_TOKEN_TYPE}jwt", f"{_TOKEN_TYPE}id_token"})
_ISSUED_TYPES = frozenset({ACCESS_TOKEN_TYPE, f"{_TOKEN_TYPE}jwt"})
_MAX_FIELDS = 50
_MAX_SUBJECT_LENGTH = 255


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """`scopes` is empty when none is asked for. `subject` and `org` belong to a token exchange only.

    `secrets` are the readings of one presented secret: RFC 6749 wants it urlencoded inside Basic, many send it plain.
    """

    grant_type: str
    client_id: str
    secrets: tuple[str, ...]
    scopes: frozenset[str]
    subject: str = ""
    org: str | None = None


async def read_token_request(request: Request, audience: str) -> TokenRequest:
    """Raise the OAuth error that fits: `oauth.invalid_request`, `invalid_client`, `unsupported_grant_type`, …"""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM:
        raise oauth_errors.invalid_request(
            vi=f"Hãy gửi tham số trong thân yêu cầu dạng {FORM}.",
            en=f"Send the parameters in a body of type {FORM}.",
        )
    form = _form_of(await request.body())
    client_id, secrets = _credentials(request.headers.get("authorization"), form)
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise _missing("grant_type")
    scopes = frozenset(form.get("scope", "").split())
    if grant_type == CLIENT_CREDENTIALS:
        return TokenRequest(grant_type, client_id, secrets, scopes)
    if grant_type == TOKEN_EXCHANGE:
        _check_target(form, audience)
        return TokenRequest(grant_type, client_id, secrets, scopes, _subject_of(form), form.get("org"))
    raise oauth_errors.unsupported_grant_type(grant_type)


def _form_of(body: bytes) -> Mapping[str, str]:
    """The parameters; an empty one counts as left out, a repeated one is refused (RFC 6749 section 3.2)."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError as failure:
        raise oauth_errors.invalid_request(
            vi="Thân yêu cầu không đọc được.", en="The body cannot be read."
        ) from failure
    form: dict[str, str] = {}
    for name, value in pairs:
        if name in form:
            raise oauth_errors.invalid_request(vi="Có tham số bị lặp lại.", en="A parameter is given more than once.")
        form[name] = value
    return {name: value for name, value in form.items() if value}


def _credentials(authorization: str | None, form: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The client's id and secret, from the header or the form but never from both."""
    if authorization is None:
        if "client_id" not in form or "client_secret" not in form:
            raise oauth_errors.invalid_client()
        return form["client_id"], (form["client_secret"],)
    if "client_secret" in form:
        raise oauth_errors.invalid_request(
            vi="Chỉ dùng một cách xác thực: Basic hoặc client_secret trong thân yêu cầu.",
            en="Authenticate in one way only: by Basic or by client_secret in the body.",
        )
    client_id, secrets = _basic(authorization)
    if form.get("client_id", client_id) != client_id:
        raise oauth_errors.invalid_request(
            vi="client_id trong thân yêu cầu khác với trong Authorization.",
            en="The client_id of the body differs from that of the Authorization header.",
        )
    return client_id, secrets


def _basic(authorization: str) -> tuple[str, tuple[str, ...]]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise oauth_errors.invalid_client()
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as failure:
        raise oauth_errors.invalid_client() from failure
    if not colon:
        raise oauth_errors.invalid_client()
    return unquote_plus(client_id), (unquote_plus(secret), secret)


def _check_target(form: Mapping[str, str], audience: str) -> None:
    if "actor_token" in form or form.get("requested_token_type", ACCESS_TOKEN_TYPE) not in _ISSUED_TYPES:
        raise oauth_errors.invalid_request(
            vi="Chỉ cấp mã truy cập cho chính người dùng: bỏ actor_token và requested_token_type khác.",
            en="Only access tokens for the person are issued: no actor_token, no other requested_token_type.",
        )
    if form.get("audience", audience) != audience or "resource" in form:
        raise oauth_errors.invalid_target(
            vi=f"Mã truy cập chỉ cấp cho audience {audience}.",
            en=f"Tokens are issued for the audience {audience} only.",
        )


def _subject_of(form: Mapping[str, str]) -> str:
    for name in ("subject_token", "subject_token_type"):
        if name not in form:
            raise _missing(name)
    if form["subject_token_type"] not in _SUBJECT_TYPES:
        raise oauth_errors.invalid_request(
            vi=f"subject_token_type phải là {SUBJECT_TYPE}.", en=f"The subject_token_type must be {SUBJECT_TYPE}."
        )
    subject = form["subject_token"]
    # A token in this place was signed by somebody, and nobody here checks by whom: it must not look as if it counted.
    if subject.startswith("ey") and subject.count(".") in {2, 4}:
        raise oauth_errors.invalid_request(
            vi="subject_token là định danh người dùng của cổng, không phải JWT.",
            en="The subject_token is the name of the person as the portal knows it, not a JWT.",
        )
    if len(subject) > _MAX_SUBJECT_LENGTH or not subject.isprintable():
        raise oauth_errors.invalid_request(
            vi="subject_token không hợp lệ.", en="The subject_token is not a valid subject."
        )
    return subject


def _missing(name: str) -> Exception:
    return oauth_errors.invalid_request(vi=f"Thiếu tham số {name}.", en=f"The parameter {name} is missing.")
