import dataclasses
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from services.materials.domain.signed_links import FileLink
from shared.errors import AppError

KEY = b"k" * 32
LINK = FileLink("a" * 64, "Bài 1.html", "text/html", "inline", 1_000)


def test_a_link_says_all_it_allows_and_holds_until_its_end():
    url = urlsplit(LINK.url("https://hoc-lieu.example", KEY))
    said = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert unquote(url.path) == f"/content/v1/{'a' * 64}/Bài 1.html"
    assert (said["type"], said["disposition"], said["expires"]) == ("text/html", "inline", "1000")
    LINK.check(KEY, said["signature"], 1_000)
    with pytest.raises(AppError, match=r"link\.expired"):
        LINK.check(KEY, said["signature"], 1_000.5)


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "b" * 64},
        {"name": "Bài 2.html"},
        {"media_type": "application/pdf"},
        {"disposition": "attachment"},
        {"expires": 2_000},
        {"name": "Bài 1.htmltext", "media_type": "/html"},
    ],
)
def test_a_link_whose_parts_were_changed_is_refused(change):
    with pytest.raises(AppError, match=r"link\.invalid"):
        dataclasses.replace(LINK, **change).check(KEY, LINK.signature(KEY), 0)


def test_another_key_signs_otherwise():
    with pytest.raises(AppError, match=r"link\.invalid"):
        LINK.check(b"x" * 32, LINK.signature(KEY), 0)
