import dataclasses
import uuid

import pytest

from services.materials.domain.lti_items import Chosen, item_of, response_claims
from services.materials.domain.lti_launch import CLAIM, DEEP_LINKING_CLAIM, DeepLinking, Known, read_launch
from services.materials.domain.lti_registration import read_platform, read_registered
from services.materials.domain.lti_state import LoginState, open_state
from shared.errors import AppError

NOW = 1_790_000_000.0
TARGET = "https://so.example/lti/launch"
KNOWN = Known("https://lms.example", "kho", frozenset({"1"}))
MATERIAL = uuid.uuid4()
ROLE = "http://purl.imsglobal.org/vocab/lis/v2/"


def claims(**changes):
    said = {
        "iss": "https://lms.example",
        "aud": "kho",
        "iat": NOW,
        "exp": NOW + 60,
        "nonce": "n",
        f"{CLAIM}version": "1.3.0",
        f"{CLAIM}deployment_id": "1",
        f"{CLAIM}target_link_uri": TARGET,
        f"{CLAIM}message_type": "LtiResourceLinkRequest",
        f"{CLAIM}roles": [f"{ROLE}membership#Learner"],
        f"{CLAIM}custom": {"material_id": str(MATERIAL)},
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def read(said, *, known=KNOWN, target=TARGET):
    return read_launch(said, known, nonce="n", target=target, now=NOW)


def test_a_good_launch_is_read():
    launch = read(claims())
    assert (launch.deployment, launch.material_id, launch.chooses, launch.deep_linking) == ("1", MATERIAL, False, None)


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"iss": None}, "iss"),
        ({"aud": []}, "aud"),
        ({"aud": ["kho", "x"], "azp": "x"}, "azp"),
        ({"exp": NOW - 61}, "exp"),
        ({"exp": "never"}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": None}, "iat"),
        ({"iat": NOW + 61}, "iat"),
        ({"nonce": None}, "nonce"),
        ({f"{CLAIM}version": "1.3"}, "version"),
        ({f"{CLAIM}deployment_id": None}, "deployment_id"),
        ({f"{CLAIM}deployment_id": 1}, "deployment_id"),
        ({f"{CLAIM}target_link_uri": None}, "target_link_uri"),
        ({f"{CLAIM}message_type": None}, "message_type"),
        ({f"{CLAIM}roles": "Instructor"}, "roles"),
        ({f"{CLAIM}custom": {"material_id": "../1"}}, "material_id"),
    ],
)
def test_every_claim_that_decides_something_is_checked(changes, claim):
    with pytest.raises(AppError, match=r"lti\.launch_invalid") as refused:
        read(claims(**changes))
    assert refused.value.details["claim"] == claim


def test_clocks_may_differ_by_a_minute_and_an_audience_may_be_a_list():
    assert read(claims(exp=NOW - 59, iat=NOW + 59, aud=["kho", "x"], azp="kho")).material_id == MATERIAL


def test_without_named_deployments_all_of_the_client_id_are_taken():
    assert (
        read(claims(**{f"{CLAIM}deployment_id": "9"}), known=dataclasses.replace(KNOWN, deployments=())).deployment
        == "9"
    )


@pytest.mark.parametrize(
    ("role", "chooses"),
    [
        ("membership#Instructor", True),
        ("membership/Instructor#TeachingAssistant", True),
        ("institution/person#Administrator", True),
        ("membership#Learner", False),
        ("membership#Mentor", False),
        ("institution/person#Student", False),
    ],
)
def test_who_may_choose(role, chooses):
    assert read(claims(**{f"{CLAIM}roles": [ROLE + role]})).chooses is chooses


def deep(**settings):
    wanted = {"deep_link_return_url": "https://lms.example/r", "accept_types": ["ltiResourceLink"]} | settings
    return claims(
        **{
            f"{CLAIM}message_type": "LtiDeepLinkingRequest",
            f"{CLAIM}roles": [f"{ROLE}membership#Instructor"],
            f"{DEEP_LINKING_CLAIM}deep_linking_settings": wanted,
        }
    )


def test_what_the_lms_wants_of_the_picker_is_read():
    assert read(deep(data="d", accept_multiple=False)).deep_linking == DeepLinking(
        "https://lms.example/r", "d", multiple=False
    )
    assert read(deep()).deep_linking == DeepLinking("https://lms.example/r", None, multiple=True)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/r", "data:text/html,x", "https://", None, "http://[x"])
def test_an_answer_goes_to_a_web_address_only(address):
    with pytest.raises(AppError) as refused:
        read(deep(deep_link_return_url=address))
    assert refused.value.details["claim"] == "deep_link_return_url"


def test_a_place_that_takes_no_lti_links_is_told():
    with pytest.raises(AppError, match=r"lti\.link_unwanted"):
        read(deep(accept_types=["html", "image"]))


def test_a_state_is_ours_and_young():
    state, key = LoginState(str(uuid.uuid4()), "n", TARGET, int(NOW)), b"k" * 32
    sealed = state.sealed(key)
    assert open_state(sealed, key, NOW) == state
    content, _, signature = sealed.partition(".")
    for spoiled in (sealed + "x", f"{content}x.{signature}", "", ".", "á.á", content):
        with pytest.raises(AppError, match=r"lti\.state_invalid"):
            open_state(spoiled, key, NOW)
    with pytest.raises(AppError, match=r"lti\.state_invalid"):
        open_state(sealed, b"x" * 32, NOW)
    with pytest.raises(AppError, match=r"lti\.state_invalid"):
        open_state(sealed, key, NOW + 1)


def test_the_answer_names_materials_and_gives_back_what_the_lms_sent():
    item = item_of(Chosen(MATERIAL, "Phân số", ""), "https://so.example")
    assert (item["type"], item["url"]) == ("ltiResourceLink", f"{TARGET}?material={MATERIAL}")
    assert "text" not in item
    said = response_claims(
        [item],
        DeepLinking("https://lms.example/r", "d", multiple=True),
        issuer="https://lms.example",
        client_id="kho",
        deployment="1",
        nonce="m",
        now=int(NOW),
    )
    assert (said["iss"], said["aud"], said["nonce"]) == ("kho", ["https://lms.example"], "m")
    assert (said[f"{DEEP_LINKING_CLAIM}data"], said[f"{CLAIM}deployment_id"]) == ("d", "1")
    assert said["exp"] - said["iat"] == 300


CONFIGURATION = {
    "issuer": "https://lms.example",
    "authorization_endpoint": "https://lms.example/auth",
    "jwks_uri": "https://lms.example/jwks",
    "registration_endpoint": "https://lms.example/register",
}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"issuer": "https://other.example"}, "issuer"),
        ({"issuer": 1}, "issuer"),
        ({"jwks_uri": None}, "jwks_uri"),
        ({"authorization_endpoint": "javascript:x"}, "authorization_endpoint"),
        ({"registration_endpoint": ""}, "registration_endpoint"),
    ],
)
def test_a_configuration_that_is_none_is_refused(changes, place):
    with pytest.raises(AppError, match=r"lti\.platform_invalid") as refused:
        read_platform(CONFIGURATION | changes, "https://lms.example/config")
    assert refused.value.details["place"] == place


@pytest.mark.parametrize("answer", [None, [], {}, {"client_id": ""}, {"client_id": 7}])
def test_an_answer_without_a_client_id_registers_nothing(answer):
    with pytest.raises(AppError, match=r"lti\.platform_invalid"):
        read_registered(answer)
