"""The library opened from an LMS, as a browser does it: no cookie is kept anywhere."""

import re
from html import unescape
from typing import Any

import httpx

from tests.integration.materials.shelf import DEPARTMENT, SCHOOL_A, Library, person
from tests.support.lti_platform import Platform

API = "/materials/v1/lti"
LAUNCH = "http://127.0.0.1:8080/lti/launch"
ADMIN = person("can-bo-lti", "department_officer", org=DEPARTMENT, scope="materials.lti materials.read")


async def register(library: Library, platform: Platform, org: str | None = SCHOOL_A) -> dict[str, Any]:
    """Dynamic Registration, and the department's acceptance unless `org` is None."""
    answer = await library.client.get("/lti/register", params=platform.invitation)
    assert answer.status_code == 200, answer.text
    row, *_ = (await library.client.get(f"{API}/platforms", headers=ADMIN)).json()["items"]
    if org is None:
        return row
    accepted = await library.client.post(
        f"{API}/platforms/{row['id']}/accept", headers=ADMIN, json={"orgSourcedId": org}
    )
    assert accepted.status_code == 200, accepted.text
    done: dict[str, Any] = accepted.json()
    return done


async def login(library: Library, platform: Platform, target: str = LAUNCH) -> str:
    """Where the library sends the browser."""
    answer = await library.client.get("/lti/login", params=platform.login(target))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


async def launch(library: Library, platform: Platform, message: dict[str, Any], **spoiled: Any) -> httpx.Response:
    """The answer to the launch."""
    form = platform.answer(await login(library, platform), message, **spoiled)
    return await library.client.post("/lti/launch", data=form)


async def open_page(library: Library, platform: Platform, message: dict[str, Any]) -> tuple[str, httpx.Response]:
    """The address of the session's page, and the page."""
    answer = await launch(library, platform, message)
    assert answer.status_code == 303, answer.text
    assert "set-cookie" not in answer.headers
    address = answer.headers["Location"]
    page = await library.client.get(address)
    assert "set-cookie" not in page.headers
    return address, page


def form_of(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    return {name: unescape(value) for name, value in found}
