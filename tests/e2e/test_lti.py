"""An LMS registers at the gateway, a teacher chooses there, a learner opens the material."""

import asyncio
import re

import httpx

from deploy.demo import library
from deploy.demo.city import SECOND_SCHOOL
from deploy.demo.client import Gateway
from tests.support.lti_platform import DEEP_LINKING, Platform, lms


async def test_an_lms_opens_the_library_through_the_gateway(whole_stack, capsys):
    material = await asyncio.to_thread(library.play, whole_stack.folder / "demo.json")
    capsys.readouterr()
    document = whole_stack.demo()
    async with lms() as platform, httpx.AsyncClient(base_url=document["gateway"], timeout=60) as browser:
        assert (await browser.get("/lti/register", params=platform.invitation)).status_code == 200
        await asyncio.to_thread(accept, document, platform)
        picker = await opened(browser, platform, platform.deep_linking())
        page = await browser.get(picker, params={"q": "quy dong mau so"})
        assert f'value="{material}"' in page.text
        sent = await browser.post(picker, data={"material": material})
        (message,) = re.findall(r'name="JWT" value="([^"]+)"', sent.text)
        claims = platform.read_response(message, (await browser.get("/lti/jwks")).json())
        (item,) = claims[f"{DEEP_LINKING}content_items"]
        viewer = await browser.get(
            await opened(browser, platform, platform.resource_link(item["custom"]["material_id"]))
        )
        assert (viewer.status_code, item["title"] in viewer.text) == (200, True)
        (shown,) = re.findall(r'<iframe src="([^"]+)"', viewer.text)
        file = await browser.get(shown.replace("&amp;", "&"))
        assert (file.status_code, file.content[:5]) == (200, b"%PDF-")
        assert not browser.cookies


async def opened(browser: httpx.AsyncClient, platform: Platform, message: dict[str, object]) -> str:
    """The address the launch leads to."""
    target = f"{browser.base_url}".rstrip("/") + "/lti/launch"
    login = await browser.get("/lti/login", params=platform.login(target))
    answer = await browser.post("/lti/launch", data=platform.answer(login.headers["location"], message))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def accept(document, platform: Platform) -> None:
    with Gateway(document) as gateway:
        officer = gateway.person("department_officer")
        for row in officer.get("/materials/v1/lti/platforms", state="waiting")["items"]:
            if row["issuer"] == platform.address:
                body = {"orgSourcedId": SECOND_SCHOOL.sourced_id}
                officer.send("POST", f"/materials/v1/lti/platforms/{row['id']}/accept", json=body)
