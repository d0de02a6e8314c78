"""What the LMS calls: login, launch, keys, registration (LTI 1.3 core, security framework, Dynamic Registration)."""

import datetime as dt
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.materials.api.deps import PublicUow
from services.materials.api.lti.parts import closing_script, error_page, page, page_headers
from services.materials.domain.lti_registration import tool_registration
from services.materials.storage import lti
from services.materials.usecases.lti_launch import LoginAsked, begin_login, launch
from services.materials.usecases.lti_platforms import KEY_DAYS
from services.materials.usecases.lti_register import register
from services.materials.usecases.lti_tool import LtiTool
from shared.errors import AppError, Kind, Language, Text
from shared.http.language import language_of
from shared.http.markup import Markup, element
from shared.http.problems import Shaper, problem_headers

PREFIX = "/lti"
MAX_REQUEST_BYTES = 512 * 1024
router = APIRouter(prefix=PREFIX, tags=["lti"])
_LONGEST = 4000


def the_tool(request: Request) -> LtiTool:
    tool: LtiTool = request.app.state.lti_tool
    return tool


Tool = Annotated[LtiTool, Depends(the_tool)]
_Redirected: dict[int | str, dict[str, Any]] = {303: {"description": "On to the LMS, or to the opened page."}}


def lti_shaper(name: str) -> Shaper:
    """Errors as pages: whoever sees them sits in front of an LMS."""

    def shape(error: AppError, status: int, language: Language) -> Response:
        headers = problem_headers(error, status, language) | page_headers()
        return HTMLResponse(error_page(error, name, language), status, headers)

    return shape


@router.get("/login", summary="Begin a login (LTI)", response_class=RedirectResponse, status_code=303)
async def login(
    uow: PublicUow,
    tool: Tool,
    iss: Annotated[str, Query(max_length=_LONGEST)],
    login_hint: Annotated[str, Query(max_length=_LONGEST)],
    target_link_uri: Annotated[str, Query(max_length=_LONGEST)],
    client_id: Annotated[str | None, Query(max_length=255)] = None,
    lti_message_hint: Annotated[str | None, Query(max_length=16_000)] = None,
) -> Response:
    """Third-party initiated login of OpenID Connect: on to the LMS, which answers at `/lti/launch`."""
    return await _begin(uow, tool, LoginAsked(iss, login_hint, target_link_uri, client_id, lti_message_hint))


@router.post("/login", summary="Begin a login by form (LTI)", response_class=RedirectResponse, status_code=303)
async def login_by_form(
    uow: PublicUow,
    tool: Tool,
    iss: Annotated[str, Form(max_length=_LONGEST)],
    login_hint: Annotated[str, Form(max_length=_LONGEST)],
    target_link_uri: Annotated[str, Form(max_length=_LONGEST)],
    client_id: Annotated[str | None, Form(max_length=255)] = None,
    lti_message_hint: Annotated[str | None, Form(max_length=16_000)] = None,
) -> Response:
    """As the GET; platforms may send either."""
    return await _begin(uow, tool, LoginAsked(iss, login_hint, target_link_uri, client_id, lti_message_hint))


@router.post("/launch", summary="Launch (LTI)", response_class=RedirectResponse, status_code=303)
async def launched(
    request: Request,
    tool: Tool,
    id_token: Annotated[str | None, Form(max_length=200_000)] = None,
    state: Annotated[str | None, Form(max_length=16_000)] = None,
    error: Annotated[str | None, Form(max_length=200)] = None,
) -> Response:
    """The message of the LMS, checked claim by claim; then the page it asked for, in a session of some hours."""
    if error is not None or id_token is None or state is None:
        raise _login_refused(error)
    language = language_of(request.headers.get("accept-language"))
    opened = await launch(request.app.state.units, tool, id_token=id_token, state=state, language=language)
    return RedirectResponse(f"{PREFIX}/sessions/{opened.token}", 303, headers=page_headers())


@router.get("/jwks", summary="Public keys of the library as a tool")
async def jwks(uow: PublicUow, tool: Tool, response: Response) -> dict[str, list[dict[str, Any]]]:
    """A JWK set (RFC 7517). The first key is made when it is asked for the first time."""
    now = tool.clock.now()
    if await lti.newest_key(uow.session) is None:
        await tool.keys.add(uow.session, now, only_first=True)
    response.headers["Cache-Control"] = "public, max-age=600"
    return {"keys": [dict(key) for key in await lti.public_keys(uow.session, now - dt.timedelta(days=KEY_DAYS))]}


@router.get("/configuration", summary="What an LMS needs to know of the library")
async def configuration(tool: Tool) -> dict[str, Any]:
    """As the library sends it in Dynamic Registration; for administrators who register it by hand."""
    return dict(tool_registration(tool.base, tool.name))


@router.get("/register", summary="Dynamic Registration (LTI)", response_class=HTMLResponse)
async def registered(
    request: Request,
    tool: Tool,
    openid_configuration: Annotated[str, Query(max_length=_LONGEST)],
    registration_token: Annotated[str | None, Query(max_length=16_000)] = None,
) -> Response:
    """Register at the LMS that sent its administrator here. The department accepts it afterwards."""
    language = language_of(request.headers.get("accept-language"))
    row = await register(request.app.state.units, tool, openid_configuration, registration_token)
    nonce = secrets.token_urlsafe(16)
    done = Text("Đã đăng ký", "Registered").of(language)
    next_step = Text(
        "Sở cần chấp nhận LMS này trước khi giáo viên dùng được. Mã đăng ký:",
        "The department accepts this LMS before teachers can use it. Registration:",
    ).of(language)
    body = page(
        done,
        tool.name,
        language,
        element("h1", f"{done}: {row.name}"),
        element("p", next_step, Markup(" "), element("code", str(row.id))),
        closing_script(nonce),
    )
    return HTMLResponse(body, headers=page_headers(script=nonce))


async def _begin(uow: PublicUow, tool: LtiTool, asked: LoginAsked) -> Response:
    return RedirectResponse(await begin_login(uow, tool, asked), 303, headers=page_headers())


def _login_refused(error: str | None) -> AppError:
    return AppError(
        "lti.login_refused",
        Kind.FORBIDDEN,
        Text(
            "LMS không xác nhận được người dùng. Hãy đăng nhập LMS rồi mở lại.",
            "The LMS did not recognise you. Log in there and open the link again.",
        ),
        details={"error": (error or "")[:200]},
    )
