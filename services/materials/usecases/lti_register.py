"""Dynamic Registration: an LMS tells where its configuration lies, the library registers there and waits."""

import json
from typing import Any
from urllib.parse import urlsplit

from services.materials.domain.lti_registration import (
    PlatformAddresses,
    read_platform,
    read_registered,
    tool_registration,
)
from services.materials.storage import lti
from services.materials.storage.lti_tables import LtiPlatform
from services.materials.usecases.lti_platforms import store
from services.materials.usecases.lti_tool import LtiTool
from shared.db.scope import NOTHING
from shared.db.unit_of_work import UnitsOfWork
from shared.errors import AppError, Kind, Text, invalid, unavailable
from shared.outside import OutsideError

_MOST_BYTES = 256 * 1024
_SECONDS = 15.0
# Whoever can reach the address can register; somebody who does so all day fills no more than this.
MOST_WAITING = 200


async def register(units: UnitsOfWork, tool: LtiTool, configuration: str, token: str | None) -> LtiPlatform:
    """Register at the LMS whose openid configuration lies at the address `configuration`.

    What comes of it waits until an officer of the department accepts it for a unit: whoever can reach this address
    could register. Raises `lti.address_refused`, `lti.platform_invalid`, `lti.platform_unreachable`,
    `lti.platform_exists`, `lti.registration_refused`, `lti.too_many_waiting` (limited).
    """
    _ = tool.state_key
    async with units.begin(NOTHING) as uow:
        if await lti.waiting(uow.session) >= MOST_WAITING:
            raise _too_many()
    addresses = await _configuration(tool, configuration)
    body = json.dumps(tool_registration(tool.base, tool.name)).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    assert addresses.registration_endpoint is not None
    status, document = await _ask(tool, "POST", addresses.registration_endpoint, headers, body)
    if status not in {200, 201}:
        raise invalid(
            "lti.registration_refused",
            vi=f"LMS từ chối đăng ký (mã {status}). Hãy bắt đầu lại từ trang quản trị LMS.",
            en=f"The LMS refused the registration (status {status}). Begin again from its administration.",
            status=status,
        )
    registered = read_registered(document)
    name = urlsplit(addresses.issuer).netloc + (f" ({addresses.product})" if addresses.product else "")
    async with units.begin(NOTHING) as uow:
        return await store(uow, name, addresses, registered.client_id, registered.deployments)


async def _configuration(tool: LtiTool, configuration: str) -> PlatformAddresses:
    status, document = await _ask(tool, "GET", configuration, {"Accept": "application/json"}, None)
    if status != 200:
        raise _unreachable(str(status))
    addresses = read_platform(document, configuration)
    for address in (addresses.authorization_endpoint, addresses.jwks_uri, addresses.registration_endpoint):
        if address is None or not tool.may_call(address):
            raise _refused(address or "")
    return addresses


async def _ask(
    tool: LtiTool, method: str, address: str, headers: dict[str, str], body: bytes | None
) -> tuple[int, Any]:
    if not tool.may_call(address):
        raise _refused(address)
    try:
        answer = await tool.outside.ask(
            method, address, headers=headers, content=body, most_bytes=_MOST_BYTES, seconds=_SECONDS
        )
    except OutsideError as failure:
        raise _unreachable(str(failure.failure)) from failure
    try:
        return answer.status, json.loads(answer.body)
    except ValueError:
        return answer.status, None


def _refused(address: str) -> AppError:
    return invalid(
        "lti.address_refused",
        vi="Địa chỉ của LMS phải là https và ở mạng công cộng.",
        en="The address of the LMS must be https and in a public network.",
        address=address[:300],
    )


def _too_many() -> AppError:
    return AppError(
        "lti.too_many_waiting",
        Kind.LIMITED,
        Text(
            "Quá nhiều LMS đang chờ Sở chấp nhận. Hãy liên hệ Sở.",
            "Too many LMS are waiting for the department. Get in touch with it.",
        ),
    )


def _unreachable(reason: str) -> AppError:
    return unavailable(
        "lti.platform_unreachable",
        vi="Không kết nối được với LMS. Hãy thử lại sau.",
        en="The LMS cannot be reached. Try again later.",
        reason=reason,
    )
