import pytest
from pydantic import SecretStr

from services.materials.usecases.lti_tool import LtiTool
from shared.clock import SystemClock
from shared.errors import AppError
from shared.outside import Outside


def tool(key: str | None = "k" * 32, *, allow_private: bool = False) -> LtiTool:
    return LtiTool.of(
        "https://so.example/",
        "Kho",
        key=SecretStr(key) if key else None,
        clock=SystemClock(),
        outside=Outside(allow_private=allow_private),
        allow_private=allow_private,
    )


@pytest.mark.parametrize(
    "address",
    [
        "http://lms.example/jwks",
        "https://127.0.0.1/jwks",
        "https://10.0.0.7/jwks",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/jwks",
        "https://[::ffff:10.0.0.1]/jwks",
        "https://localhost/jwks",
        "https://user@lms.example/jwks",
        "https://lms.example/jwks#x",
        "file:///etc/passwd",
        "gopher://lms.example/",
        "https://[x",
        "",
    ],
)
def test_an_lms_is_called_by_https_in_the_public_network_only(address):
    assert tool().may_call(address) is False


def test_an_lms_is_called_where_it_is():
    assert tool().may_call("https://lms.example/mod/lti/certs.php")
    assert tool(allow_private=True).may_call("http://127.0.0.1:8000/jwks")


def test_without_a_key_it_says_so():
    with pytest.raises(AppError, match=r"lti\.not_configured"):
        _ = tool(key=None).state_key
    assert tool().launch_address == "https://so.example/lti/launch"
