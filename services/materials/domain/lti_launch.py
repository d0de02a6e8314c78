"""What an LMS says when it launches the library (LTI 1.3 core, Deep Linking 2.0; security framework 1.0).

The signature was checked before; here every claim that decides something is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from shared.errors import AppError, Kind, Text

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING_CLAIM = "https://purl.imsglobal.org/spec/lti-dl/claim/"
RESOURCE_LINK, DEEP_LINKING = "LtiResourceLinkRequest", "LtiDeepLinkingRequest"
RESOURCE_ITEM = "ltiResourceLink"
VERSION = "1.3.0"
_SKEW = 60.0
# Who may choose what goes into a course: the roles' last words, in context and institution vocabularies alike.
_CHOOSERS = frozenset({"Instructor", "Administrator", "ContentDeveloper", "Faculty", "Staff"})


@dataclass(frozen=True, slots=True)
class Known:
    """A registration: `deployments` empty means all those of this client id."""

    issuer: str
    client_id: str
    deployments: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class DeepLinking:
    """Where the choice goes, what is sent back unread (`data`), and whether more than one may be chosen."""

    return_url: str
    data: str | None
    multiple: bool


@dataclass(frozen=True, slots=True)
class Launch:
    """A checked launch. `chooses` says whether the person may pick materials; `deep_linking` is None for a link."""

    deployment: str
    chooses: bool
    material_id: UUID | None
    locale: str | None
    deep_linking: DeepLinking | None


def read_launch(claims: Mapping[str, Any], known: Known, *, nonce: str, target: str, now: float) -> Launch:
    """The launch these claims describe; `nonce` and `target` are those of the login, `now` in Unix seconds.

    Raises `lti.launch_invalid` (forbidden) with the claim that is wrong, `lti.role_refused`, `lti.link_unwanted`.
    """
    _check_token(claims, known, nonce, now)
    if claims.get(f"{CLAIM}version") != VERSION:
        raise _wrong("version")
    deployment = claims.get(f"{CLAIM}deployment_id")
    if not _is_text(deployment) or (known.deployments and deployment not in known.deployments):
        raise _wrong("deployment_id")
    said = claims.get(f"{CLAIM}target_link_uri")
    if said != target:
        raise _wrong("target_link_uri")
    message = claims.get(f"{CLAIM}message_type")
    if message not in {RESOURCE_LINK, DEEP_LINKING}:
        raise _wrong("message_type")
    roles = claims.get(f"{CLAIM}roles", [])
    if not isinstance(roles, list):
        raise _wrong("roles")
    chooses = not _CHOOSERS.isdisjoint(_last_word(role) for role in roles if isinstance(role, str))
    presentation = claims.get(f"{CLAIM}launch_presentation")
    locale = presentation.get("locale") if isinstance(presentation, Mapping) else None
    return Launch(
        deployment=str(deployment),
        chooses=chooses,
        material_id=_material(claims, target) if message == RESOURCE_LINK else None,
        locale=locale if isinstance(locale, str) else None,
        deep_linking=_deep_linking(claims, chooses=chooses) if message == DEEP_LINKING else None,
    )


def _check_token(claims: Mapping[str, Any], known: Known, nonce: str, now: float) -> None:
    if claims.get("iss") != known.issuer:
        raise _wrong("iss")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if known.client_id not in audiences:
        raise _wrong("aud")
    # OpenID Connect core 3.1.3.7: with several audiences `azp` must be there, and wherever it is it must be ours.
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != known.client_id:
        raise _wrong("azp")
    if _instant(claims, "exp") + _SKEW <= now:
        raise _wrong("exp")
    if _instant(claims, "iat") - _SKEW > now:
        raise _wrong("iat")
    if claims.get("nonce") != nonce:
        raise _wrong("nonce")


def _deep_linking(claims: Mapping[str, Any], *, chooses: bool) -> DeepLinking:
    if not chooses:
        raise AppError(
            "lti.role_refused",
            Kind.FORBIDDEN,
            Text("Chỉ giáo viên được chọn học liệu cho lớp học.", "Only teachers choose materials for a course."),
        )
    settings = claims.get(f"{DEEP_LINKING_CLAIM}deep_linking_settings")
    if not isinstance(settings, Mapping):
        raise _wrong("deep_linking_settings")
    address = settings.get("deep_link_return_url")
    if not isinstance(address, str) or not is_web_address(address):
        raise _wrong("deep_link_return_url")
    accepted = settings.get("accept_types")
    if not isinstance(accepted, list) or RESOURCE_ITEM not in accepted:
        raise AppError(
            "lti.link_unwanted",
            Kind.INVALID,
            Text("LMS không nhận liên kết LTI ở vị trí này.", "The LMS takes no LTI link at this place."),
        )
    data = settings.get("data")
    if data is not None and not isinstance(data, str):
        raise _wrong("data")
    return DeepLinking(address, data, multiple=settings.get("accept_multiple") is not False)


def _material(claims: Mapping[str, Any], target: str) -> UUID | None:
    """The material the link was made for: from its custom parameter, else from its address."""
    custom = claims.get(f"{CLAIM}custom")
    named = custom.get("material_id") if isinstance(custom, Mapping) else None
    named = named or next(iter(parse_qs(urlsplit(target).query).get("material", [])), None)
    if named is None:
        return None
    try:
        return UUID(str(named))
    except ValueError as failure:
        raise _wrong("material_id") from failure


def is_web_address(address: str) -> bool:
    """An absolute http or https address; nothing else may ever become a form's target."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"https", "http"} and bool(parts.hostname)


def _last_word(role: str) -> str:
    """`Instructor` of `http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor`, also of a sub-role."""
    vocabulary, _, word = role.rpartition("#")
    return vocabulary.rpartition("/")[2] if vocabulary.partition("/membership/")[1] else word or role


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255


def _instant(claims: Mapping[str, Any], name: str) -> float:
    """Unix seconds. Raises for a claim that is missing or no number."""
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong(name)
    return value


def _wrong(claim: str) -> AppError:
    return AppError(
        "lti.launch_invalid",
        Kind.FORBIDDEN,
        Text(
            f"LMS gửi thông tin mở bài không hợp lệ ({claim}). Hãy mở lại từ LMS; nếu vẫn lỗi, báo quản trị LMS.",
            f"The launch from the LMS is not valid ({claim}). Open it from the LMS again, or tell its administrator.",
        ),
        details={"claim": claim},
    )
