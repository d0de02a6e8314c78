import pytest

from services.materials.domain.licences import is_public, licence_address

CC = "https://creativecommons.org/"


@pytest.mark.parametrize(
    ("licence", "public", "address"),
    [
        ("CC-BY-NC-ND-4.0", True, CC + "licenses/by-nc-nd/4.0/"),
        ("CC-BY-SA-3.0-AT", True, CC + "licenses/by-sa/3.0/at/"),
        ("CC0-1.0", True, CC + "publicdomain/zero/1.0/"),
        ("MIT", True, "https://spdx.org/licenses/MIT.html"),
        ("GPL-3.0-or-later", True, "https://spdx.org/licenses/GPL-3.0-or-later.html"),
        ("CC-BY-4.0 OR LicenseRef-x", False, None),
        ("LicenseRef-school-internal", False, None),
        ("LicenseRef-MIT", False, None),
        ("BUSL-1.1", False, None),
        ("", False, None),
    ],
)
def test_only_a_free_licence_makes_a_work_public_and_has_a_text_to_read(licence, public, address):
    assert (is_public(licence), licence_address(licence)) == (public, address)
