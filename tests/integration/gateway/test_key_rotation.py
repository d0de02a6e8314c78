from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import extract_compact

from services.gateway.main import create_app
from services.gateway.settings import GatewaySettings
from services.gateway.storage.signing_keys import SigningKeys
from tests.integration.gateway.conftest import StartGateway
from tests.integration.gateway.upstream import Upstream
from tests.support.tokens import TestSigner, process_key


@pytest.fixture
def new_key(tmp_path: Path) -> tuple[ECKey, Path]:
    key = ECKey.generate_key("P-256")
    path = tmp_path / "new.pem"
    path.write_bytes(key.as_pem(private=True))
    return ECKey.import_key(key.as_dict(private=True) | {"kid": key.thumbprint()}), path


def test_tokens_of_the_key_before_stay_valid_while_it_is_published(
    start_gateway: StartGateway, upstream: Upstream, signing_key_file: Path, new_key: tuple[ECKey, Path]
):
    old, new = TestSigner().bearer(), TestSigner(new_key[0]).bearer()
    changing = {"sync_url": upstream.url, "signing_key_file": new_key[1]}
    with start_gateway(**changing, previous_signing_key_file=signing_key_file) as address:
        kids = [key["kid"] for key in httpx.get(f"{address}/oauth2/jwks").json()["keys"]]
        assert kids == [new_key[0].kid, process_key().kid]
        for bearer in (old, new):
            assert httpx.get(f"{address}/sync/v1/echo", headers=bearer).status_code == 200
    with start_gateway(**changing) as address:
        statuses = [httpx.get(f"{address}/sync/v1/echo", headers=bearer).status_code for bearer in (old, new)]
    assert statuses == [401, 200]


def test_a_new_token_is_signed_by_the_new_key(new_key: tuple[ECKey, Path], signing_key_file: Path):
    keys = SigningKeys.load(new_key[1], signing_key_file)
    assert extract_compact(keys.sign({"sub": "x"}).encode()).protected["kid"] == new_key[0].kid


@pytest.mark.parametrize("key", [ECKey.generate_key("P-384"), RSAKey.generate_key(2048)], ids=["P-384", "RSA"])
def test_another_kind_of_key_is_refused_at_the_start(
    settings_for: Callable[..., GatewaySettings], tmp_path: Path, key: ECKey | RSAKey
):
    path = tmp_path / "wrong.pem"
    path.write_bytes(key.as_pem(private=True))
    with pytest.raises(ValueError, match="P-256"):
        create_app(settings_for(signing_key_file=path))


def test_a_missing_key_is_refused_at_the_start(settings_for: Callable[..., GatewaySettings], tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        create_app(settings_for(signing_key_file=tmp_path / "none.pem"))


def test_a_file_that_holds_no_key_is_refused_at_the_start(settings_for: Callable[..., GatewaySettings], tmp_path: Path):
    path = tmp_path / "wrong.pem"
    path.write_text("not a key")
    with pytest.raises(ValueError, match=r"wrong\.pem must hold"):
        create_app(settings_for(signing_key_file=path))
