"""The answer of the picker (Deep Linking 2.0): links to materials, never to one version of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.materials.domain.lti_launch import CLAIM, DEEP_LINKING_CLAIM, RESOURCE_ITEM, VERSION, DeepLinking

SECONDS = 300
_WIDTH, _HEIGHT = 960, 720


@dataclass(frozen=True, slots=True)
class Chosen:
    material_id: UUID
    title: str
    description: str


def item_of(chosen: Chosen, base: str) -> Mapping[str, Any]:
    """A link that opens whatever version of the material is in use then.

    The id stands in the address as well: some LMS lose custom parameters when a course is copied.
    """
    item = {
        "type": RESOURCE_ITEM,
        "title": chosen.title,
        "url": f"{base}/lti/launch?material={chosen.material_id}",
        "custom": {"material_id": str(chosen.material_id)},
        "iframe": {"width": _WIDTH, "height": _HEIGHT},
    }
    return item | ({"text": chosen.description[:1000]} if chosen.description else {})


def response_claims(
    items: Sequence[Mapping[str, Any]],
    wanted: DeepLinking,
    *,
    issuer: str,
    client_id: str,
    deployment: str,
    nonce: str,
    now: int,
) -> Mapping[str, Any]:
    """The claims of the message: from us (`client_id`) to the platform, `now` in Unix seconds."""
    claims = {
        "iss": client_id,
        "aud": [issuer],
        "iat": now,
        "exp": now + SECONDS,
        "nonce": nonce,
        f"{CLAIM}deployment_id": deployment,
        f"{CLAIM}message_type": "LtiDeepLinkingResponse",
        f"{CLAIM}version": VERSION,
        f"{DEEP_LINKING_CLAIM}content_items": list(items),
    }
    return claims | ({f"{DEEP_LINKING_CLAIM}data": wanted.data} if wanted.data is not None else {})
