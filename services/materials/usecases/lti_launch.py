"""An LMS opens the library: the login it begins (OpenID Connect, third-party initiated) and the launch it ends in."""

import datetime as dt
import hashlib
import secrets
from dataclasses import asdict, dataclass
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from services.materials.domain.lti_launch import Known, Launch, read_launch
from services.materials.domain.lti_state import MINUTES, LoginState, open_state
from services.materials.storage import lti
from services.materials.storage.lti_tables import LtiPlatform, LtiSession
from services.materials.usecases.lti_tool import LtiTool
from shared.db.scope import NOTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import AppError, Kind, Language, Text, invalid, not_found

# A lesson, and the reading after it; afterwards the link in the LMS opens it again.
SESSION = dt.timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class LoginAsked:
    """What the LMS sends to begin with; `hint` and `message_hint` go back to it as they came."""

    issuer: str
    hint: str
    target: str
    client_id: str | None
    message_hint: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A session: `token` is all it takes to go on, `chooses` whether it is the picker's."""

    token: str
    chooses: bool
    material_id: UUID | None


async def begin_login(uow: UnitOfWork, tool: LtiTool, asked: LoginAsked) -> str:
    """Where the browser goes to be recognised by its LMS.

    Raises `lti.platform_unknown`, `lti.client_id_missing`, `lti.platform_waiting`, `lti.platform_disabled`,
    `lti.target_unknown`.
    """
    key = tool.state_key
    found = await lti.registrations(uow.session, asked.issuer, asked.client_id)
    if not found:
        raise _platform_unknown()
    if len(found) > 1:
        raise invalid(
            "lti.client_id_missing",
            vi="LMS này có nhiều đăng ký; LMS phải gửi kèm client_id.",
            en="This LMS has several registrations and must send its client_id.",
        )
    platform = found[0]
    _require_accepted(platform)
    if not _is_launch(asked.target, tool.launch_address):
        raise invalid(
            "lti.target_unknown",
            vi="Địa chỉ LMS muốn mở không thuộc kho học liệu.",
            en="The address the LMS wants to open is none of the library's.",
        )
    expires = int(tool.clock.now().timestamp()) + MINUTES * 60
    state = LoginState(str(platform.id), secrets.token_urlsafe(24), asked.target, expires)
    query = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": tool.launch_address,
        "login_hint": asked.hint,
        "state": state.sealed(key),
        "nonce": state.nonce,
    }
    if asked.message_hint is not None:
        query["lti_message_hint"] = asked.message_hint
    joint = "&" if urlsplit(platform.authorization_endpoint).query else "?"
    return f"{platform.authorization_endpoint}{joint}{urlencode(query)}"


async def launch(units: UnitsOfWork, tool: LtiTool, *, id_token: str, state: str, language: Language) -> Opened:
    """Check everything, use the nonce up, and open a session. No transaction is open while the LMS is asked.

    Raises what `open_state`, `PlatformKeys.claims_of` and `read_launch` do, `lti.replayed`, `lti.material_missing`.
    """
    now = tool.clock.now()
    login = open_state(state, tool.state_key, now.timestamp())
    async with units.begin(NOTHING) as uow:
        platform = await lti.platform(uow.session, login.platform_id)
    if platform is None:
        raise _platform_unknown()
    _require_accepted(platform)
    claims = await tool.platform_keys.claims_of(id_token, platform.jwks_uri)
    known = Known(platform.issuer, platform.client_id, platform.deployments)
    said = read_launch(claims, known, nonce=login.nonce, target=login.target, now=now.timestamp())
    async with units.begin(NOTHING) as uow:
        if not await lti.use_nonce(uow.session, platform.id, login.nonce, now + dt.timedelta(minutes=2 * MINUTES)):
            raise _replayed()
        return await _open(uow, platform, said, _language(said, language), now)


async def _open(uow: UnitOfWork, platform: LtiPlatform, said: Launch, language: Language, now: dt.datetime) -> Opened:
    if said.deep_linking is None and said.material_id is None:
        raise invalid(
            "lti.material_missing",
            vi="Liên kết này chưa gắn với học liệu nào. Giáo viên hãy chọn học liệu từ kho khi thêm hoạt động.",
            en="This link names no material. Choose one from the library when you add the activity.",
        )
    token = secrets.token_urlsafe(32)
    uow.session.add(
        LtiSession(
            token_sha256=hash_of(token),
            platform_id=platform.id,
            deployment=said.deployment,
            language=language,
            material_id=said.material_id,
            deep_linking=None if said.deep_linking is None else asdict(said.deep_linking),
            expires_at=now + SESSION,
        )
    )
    await uow.session.flush()
    return Opened(token, said.deep_linking is not None, said.material_id)


async def sweep_sessions(units: UnitsOfWork, now: dt.datetime) -> None:
    """Remove what is over: sessions, and nonces nobody can use again."""
    async with units.begin(NOTHING) as uow:
        await lti.sweep(uow.session, now)


def hash_of(token: str) -> str:
    """Only this is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _language(said: Launch, otherwise: Language) -> Language:
    place = (said.locale or "").lower()
    return "vi" if place.startswith("vi") else "en" if place.startswith("en") else otherwise


def _is_launch(target: str, launch_address: str) -> bool:
    return target.partition("?")[0] == launch_address and "#" not in target


def _require_accepted(platform: LtiPlatform) -> None:
    if platform.state == "waiting":
        raise AppError(
            "lti.platform_waiting",
            Kind.FORBIDDEN,
            Text(
                "LMS này đã đăng ký nhưng Sở chưa chấp nhận.",
                "This LMS is registered, but the department has not accepted it yet.",
            ),
        )
    if platform.state != "accepted":
        raise AppError(
            "lti.platform_disabled",
            Kind.FORBIDDEN,
            Text("Sở đã ngắt kết nối LMS này.", "The department has disabled this LMS."),
        )


def _platform_unknown() -> AppError:
    return not_found(
        "lti.platform_unknown",
        vi="LMS này chưa đăng ký với kho học liệu. Báo quản trị LMS.",
        en="This LMS is not registered with the library. Tell its administrator.",
    )


def _replayed() -> AppError:
    return AppError(
        "lti.replayed",
        Kind.FORBIDDEN,
        Text(
            "Lần mở bài này đã được dùng rồi. Hãy mở lại từ LMS.",
            "This launch was used before. Open it from the LMS again.",
        ),
    )
