"""Dynamic Registration 1.0: what an LMS says of itself, what the library says to it, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from services.materials.domain.lti_launch import DEEP_LINKING, RESOURCE_LINK, is_web_address
from shared.errors import AppError, invalid

PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"


@dataclass(frozen=True, slots=True)
class PlatformAddresses:
    """The addresses of an LMS that logins and launches need; `product` is its kind, for people."""

    issuer: str
    authorization_endpoint: str
    jwks_uri: str
    token_endpoint: str | None
    registration_endpoint: str | None
    product: str


@dataclass(frozen=True, slots=True)
class Registered:
    client_id: str
    deployments: tuple[str, ...]


def read_platform(document: Any, address: str) -> PlatformAddresses:
    """The configuration at `address`. Raises `lti.platform_invalid`; the issuer must live where it is told from."""
    if not isinstance(document, Mapping):
        raise _invalid("openid_configuration")
    said = {name: document.get(name) for name in _ADDRESSES}
    for name in ("issuer", "authorization_endpoint", "jwks_uri", "registration_endpoint"):
        value = said[name]
        if not isinstance(value, str) or not is_web_address(value):
            raise _invalid(name)
    # Dynamic Registration 3.5.1: or anybody could register as another LMS.
    if urlsplit(str(said["issuer"])).hostname != urlsplit(address).hostname:
        raise _invalid("issuer")
    kind = document.get(PLATFORM)
    product = kind.get("product_family_code") if isinstance(kind, Mapping) else None
    token = said["token_endpoint"]
    return PlatformAddresses(
        issuer=str(said["issuer"]),
        authorization_endpoint=str(said["authorization_endpoint"]),
        jwks_uri=str(said["jwks_uri"]),
        token_endpoint=token if isinstance(token, str) and is_web_address(token) else None,
        registration_endpoint=str(said["registration_endpoint"]),
        product=str(product or "")[:100],
    )


_ADDRESSES = ("issuer", "authorization_endpoint", "jwks_uri", "token_endpoint", "registration_endpoint")


def read_registered(document: Any) -> Registered:
    """What the LMS answered. Raises `lti.platform_invalid`."""
    client_id = document.get("client_id") if isinstance(document, Mapping) else None
    if not isinstance(client_id, str) or not 0 < len(client_id) <= 255:
        raise _invalid("client_id")
    tool = document.get(TOOL)
    deployment = tool.get("deployment_id") if isinstance(tool, Mapping) else None
    return Registered(client_id, (deployment,) if isinstance(deployment, str) and deployment else ())


def tool_registration(base: str, name: str) -> Mapping[str, Any]:
    """What the library says of itself; `base` is the public address without a slash at the end.

    It asks for no personal data: who somebody is, is the LMS's business.
    """
    launch = f"{base}/lti/launch"
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{base}/lti/login",
        "redirect_uris": [launch],
        "client_name": name,
        "client_name#vi": name,
        "jwks_uri": f"{base}/lti/jwks",
        "token_endpoint_auth_method": "private_key_jwt",
        "id_token_signed_response_alg": "RS256",
        "scope": "",
        TOOL: {
            "domain": urlsplit(base).netloc,
            "target_link_uri": launch,
            "description": "Materials that schools and the city have reviewed.",
            "description#vi": "Học liệu số đã được trường và thành phố thẩm định.",
            "claims": ["iss", "sub"],
            "messages": [
                {"type": RESOURCE_LINK, "target_link_uri": launch},
                {
                    "type": DEEP_LINKING,
                    "target_link_uri": launch,
                    "label": "Choose from the library",
                    "label#vi": "Chọn từ kho học liệu",
                    "placements": ["ContentArea"],
                },
            ],
        },
    }


def _invalid(place: str) -> AppError:
    return invalid(
        "lti.platform_invalid",
        vi=f"Cấu hình LMS gửi không hợp lệ ({place}). Báo quản trị LMS.",
        en=f"The configuration of the LMS is not valid ({place}). Tell its administrator.",
        place=place,
    )
