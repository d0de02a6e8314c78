"""A whole LMS in small registers, chooses and launches over real HTTP."""

import uuid

import pytest

from services.materials.usecases import lti_register
from tests.integration.materials.lti import ADMIN, API, LAUNCH, form_of, launch, login, open_page, register
from tests.integration.materials.public import publish, put_on_shelf, share, withdraw
from tests.integration.materials.shelf import DEPARTMENT, HEAD, LEAD, PATH, SCHOOL_A, SCHOOL_B, TEACHER, person
from tests.integration.materials.test_search import settled
from tests.support.lti_platform import CLAIM, DEEP_LINKING, TOOL, lms, new_key

HTML = {"Accept-Language": "en"}


async def test_an_lms_registers_by_itself_and_waits_for_the_department(library):
    async with lms() as platform:
        row = await register(library, platform, org=None)
        assert (row["state"], row["issuer"], row["clientId"]) == ("waiting", platform.address, "kho-hoc-lieu")
        assert (row["deployments"], row["orgSourcedId"]) == (["1"], None)
        assert platform.tool["redirect_uris"] == [LAUNCH]
        assert platform.tool[TOOL]["claims"] == ["iss", "sub"]  # no name, no mail: who it is stays with the LMS
        refused = await library.client.get("/lti/login", params=platform.login(LAUNCH), headers=HTML)
        assert (refused.status_code, "lti.platform_waiting" in refused.text) == (403, True)
        twice = await library.client.get("/lti/register", params=platform.invitation)
        assert (twice.status_code, "lti.platform_exists" in twice.text) == (409, True)


async def test_a_teacher_chooses_and_a_learner_opens_also_after_a_new_version(library):
    chosen = await publish(library, title="Phân số bằng nhau", description="Bài giảng có hình")
    other = await publish(library, title="Số thập phân")
    await settled(library)
    async with lms() as platform:
        await register(library, platform)
        address, page = await open_page(library, platform, platform.deep_linking())
        assert chosen["title"] in page.text
        assert other["title"] in page.text
        found = await library.client.get(address, params={"q": "thap phan"})
        assert other["title"] in found.text
        assert chosen["title"] not in found.text
        preview = await library.client.get(address, params={"preview": chosen["id"]})
        assert "<iframe" in preview.text
        sent = await library.client.post(address, data={"material": [chosen["id"], other["id"]]})
        assert f'action="{platform.address}/return"' in sent.text
        keys = (await library.client.get("/lti/jwks")).json()
        claims = platform.read_response(form_of(sent)["JWT"], keys)
        assert claims[f"{DEEP_LINKING}data"] == "csrf-of-the-lms"
        items = claims[f"{DEEP_LINKING}content_items"]
        assert [(item["type"], item["title"]) for item in items] == [
            ("ltiResourceLink", chosen["title"]),
            ("ltiResourceLink", other["title"]),
        ]
        assert items[0]["custom"] == {"material_id": chosen["id"]}
        message = platform.resource_link(items[0]["custom"]["material_id"])
        _, first = await open_page(library, platform, message)
        assert "Phiên bản 1" in first.text

        await library.client.post(f"{PATH}/{chosen['id']}/versions", headers=TEACHER)
        for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)):
            assert (await library.act(chosen, action, who)).status_code == 200
        _, second = await open_page(library, platform, message)
        assert (second.status_code, "Phiên bản 2" in second.text) == (200, True)


async def test_a_link_that_lost_its_custom_parameter_is_known_by_its_address(library):
    material = await publish(library)
    target = f"{LAUNCH}?material={material['id']}"
    async with lms() as platform:
        await register(library, platform)
        location = await login(library, platform, target)
        claims = platform.resource_link(None) | {f"{CLAIM}target_link_uri": target}
        opened = await library.client.post("/lti/launch", data=platform.answer(location, claims))
        page = await library.client.get(opened.headers["Location"])
        assert (page.status_code, material["title"] in page.text) == (200, True)
        nothing = await launch(library, platform, platform.resource_link(None))
        assert (nothing.status_code, "lti.material_missing" in nothing.text) == (422, True)


async def test_a_learner_sees_the_one_material_of_the_link_and_nothing_else(library):
    mine, other = await publish(library), await publish(library)
    async with lms() as platform:
        await register(library, platform)
        address, page = await open_page(library, platform, platform.resource_link(mine["id"]))
        assert "<form" not in page.text
        aside = await library.client.get(address, params={"preview": other["id"]})
        assert aside.text.count(mine["title"]) >= 1
        assert other["id"] not in aside.text
        choosing = await library.client.post(address, data={"material": mine["id"]})
        assert choosing.status_code == 404
        picking = await launch(library, platform, platform.deep_linking(role="Learner"))
        assert (picking.status_code, "lti.role_refused" in picking.text) == (403, True)


async def test_an_lms_sees_what_its_own_schools_use_and_what_the_city_shares(library):
    own, shared_one = await publish(library, title="Nội bộ"), await share(library, title="Dùng chung")
    draft = await library.create(title="Nháp")
    await settled(library)
    for org, sees_own in ((SCHOOL_A, True), (SCHOOL_B, False), (DEPARTMENT, False)):
        async with lms() as platform:
            assert (await register(library, platform, org=org))["orgSourcedId"] == org
            _, page = await open_page(library, platform, platform.deep_linking())
            assert (own["title"] in page.text, shared_one["title"] in page.text) == (sees_own, True)
            assert draft["title"] not in page.text
            for material, seen in ((own, sees_own), (shared_one, True), (draft, False)):
                address, viewed = await open_page(library, platform, platform.resource_link(material["id"]))
                assert (viewed.status_code == 200) is seen, (org, material["title"], address)


async def test_a_withdrawn_material_says_so(library):
    material = await publish(library)
    await put_on_shelf(library, material)
    async with lms() as platform:
        await register(library, platform, org=SCHOOL_B)
        message = platform.resource_link(material["id"])
        assert (await open_page(library, platform, message))[1].status_code == 200
        await withdraw(library, material)
        gone = (await open_page(library, platform, message))[1]
        assert (gone.status_code, "shelf.withdrawn" in gone.text) == (410, True)
        absent = (await open_page(library, platform, platform.resource_link(str(uuid.uuid4()))))[1]
        assert (absent.status_code, "material.unknown" in absent.text) == (404, True)


async def test_a_launch_is_used_once_and_only_with_our_state(library):
    material = await publish(library)
    async with lms() as platform:
        await register(library, platform)
        form = platform.answer(await login(library, platform), platform.resource_link(material["id"]))
        assert (await library.client.post("/lti/launch", data=form)).status_code == 303
        again = await library.client.post("/lti/launch", data=form)
        assert (again.status_code, "lti.replayed" in again.text) == (403, True)
        changed = form | {"state": form["state"][:-2] + "xx"}
        forged = await library.client.post("/lti/launch", data=changed)
        assert (forged.status_code, "lti.state_invalid" in forged.text) == (403, True)
        other = platform.answer(await login(library, platform), platform.resource_link(material["id"]))
        mixed = await library.client.post("/lti/launch", data=form | {"state": other["state"]})
        assert (mixed.status_code, "(nonce)" in mixed.text) == (403, True)
        failed = await library.client.post("/lti/launch", data={"error": "login_required", "state": form["state"]})
        assert (failed.status_code, "lti.login_refused" in failed.text) == (403, True)


@pytest.mark.parametrize(
    ("spoiled", "claim"),
    [
        ({"iss": "https://lms-khac.example"}, "iss"),
        ({"aud": "ung-dung-khac"}, "aud"),
        ({"aud": ["kho-hoc-lieu", "ung-dung-khac"]}, "azp"),
        ({"azp": "ung-dung-khac"}, "azp"),
        ({"exp": 1_000_000_000}, "exp"),
        ({"iat": 4_000_000_000}, "iat"),
        ({"nonce": "khac"}, "nonce"),
        ({f"{CLAIM}version": "1.1"}, "version"),
        ({f"{CLAIM}deployment_id": "2"}, "deployment_id"),
        ({f"{CLAIM}target_link_uri": "https://noi-khac.example"}, "target_link_uri"),
        ({f"{CLAIM}message_type": "LtiSubmissionReviewRequest"}, "message_type"),
    ],
)
async def test_a_launch_with_a_wrong_claim_is_refused(library, spoiled, claim):
    async with lms() as platform:
        await register(library, platform)
        answer = await launch(library, platform, platform.resource_link(str(uuid.uuid4())), **spoiled)
        assert (answer.status_code, "lti.launch_invalid" in answer.text) == (403, True)
        assert f"({claim})" in answer.text
        assert await library.count("lti_session") == 0


async def test_a_new_key_of_the_lms_is_fetched_and_a_foreign_one_is_not_believed(library):
    material = await publish(library)
    keeper = library.client._transport.app.state.lti_tool.platform_keys
    ticks = [0.0]
    keeper._clock = lambda: ticks[0]
    async with lms() as platform:
        await register(library, platform)
        message = platform.resource_link(material["id"])
        assert (await launch(library, platform, message)).status_code == 303
        assert platform.asked == 1
        platform.key = new_key()  # not published
        for _ in range(3):
            answer = await launch(library, platform, message)
            assert (answer.status_code, "lti.signature_invalid" in answer.text) == (403, True)
        assert platform.asked == 1  # who sends strange keys does not make us ask each time
        ticks[0] = 60.0
        platform.published.append(platform.key)
        assert (await launch(library, platform, message)).status_code == 303
        assert platform.asked == 2


async def test_whoever_registers_all_day_fills_nothing(library, monkeypatch):
    monkeypatch.setattr(lti_register, "MOST_WAITING", 1)
    async with lms() as platform, lms() as other:
        await register(library, platform, org=None)
        refused = await library.client.get("/lti/register", params=other.invitation)
        assert (refused.status_code, "lti.too_many_waiting" in refused.text) == (429, True)
        assert other.tool == {}
    assert await library.count("lti_platform") == 1


async def test_only_officers_of_the_department_manage_the_lms(library):
    body = {
        "name": "Moodle trường A",
        "issuer": "https://moodle.truong-a.example",
        "clientId": "abc",
        "authorizationEndpoint": "https://moodle.truong-a.example/mod/lti/auth.php",
        "jwksUri": "https://moodle.truong-a.example/mod/lti/certs.php",
        "orgSourcedId": SCHOOL_A,
    }
    url = f"{API}/platforms"
    head = person("hieu-truong", "head", scope="materials.lti")
    for who in (head, TEACHER):
        assert (await library.client.post(url, headers=who, json=body)).status_code == 403
        assert (await library.client.get(url, headers=who)).status_code == 403
    made = await library.client.post(url, headers=ADMIN, json=body)
    assert (made.status_code, made.json()["state"]) == (201, "accepted")
    assert (await library.client.post(url, headers=ADMIN, json=body)).json()["code"] == "lti.platform_exists"
    unknown = await library.client.post(url, headers=ADMIN, json=body | {"clientId": "b", "orgSourcedId": "la"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/orgSourcedId")
    old = {"If-Match": made.headers["ETag"]}
    one = f"{url}/{made.json()['id']}"
    ended = await library.client.post(f"{one}/disable", headers=ADMIN | old)
    assert ended.json()["state"] == "disabled"
    late = await library.client.post(f"{one}/accept", headers=ADMIN | old, json={"orgSourcedId": SCHOOL_A})
    assert late.status_code == 412


async def test_disabling_an_lms_ends_its_open_pages(library):
    material = await publish(library)
    async with lms() as platform:
        row = await register(library, platform)
        address, _ = await open_page(library, platform, platform.resource_link(material["id"]))
        await library.client.post(f"{API}/platforms/{row['id']}/disable", headers=ADMIN)
        over = await library.client.get(address)
        assert (over.status_code, "lti.session_over" in over.text) == (403, True)


async def test_keys_are_rotated_and_the_old_one_stays_published(library):
    (first,) = (await library.client.get("/lti/jwks")).json()["keys"]
    assert "d" not in first
    made = (await library.client.post(f"{API}/keys", headers=ADMIN)).json()["kid"]
    assert [key["kid"] for key in (await library.client.get("/lti/jwks")).json()["keys"]] == [made, first["kid"]]


async def test_an_lms_that_names_another_issuer_or_a_wrong_token_registers_nothing(library):
    async with lms(issuer="https://lms-lon.example") as platform:
        answer = await library.client.get("/lti/register", params=platform.invitation)
        assert (answer.status_code, "(issuer)" in answer.text) == (422, True)
    async with lms() as platform:
        wrong = platform.invitation | {"registration_token": "sai"}
        answer = await library.client.get("/lti/register", params=wrong)
        assert (answer.status_code, "lti.registration_refused" in answer.text) == (422, True)
    assert await library.count("lti_platform") == 0
