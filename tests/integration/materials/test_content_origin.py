"""What a browser could run is never answered from the API's own address."""

from urllib.parse import urlsplit

import pytest

from tests.integration.materials.shelf import CONTENT_URL, PATH, PDF, TEACHER
from tests.support.hostile_files import package

HTML = b"<!DOCTYPE html><title>Bai</title><script>document.cookie</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def at_content(url: str) -> str:
    """The same request as the gateway forwards it: what comes under the other host has the same path."""
    assert url.startswith(f"{CONTENT_URL}/content/v1/")
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


@pytest.mark.parametrize(("content", "name"), [(HTML, "a.html"), (SVG, "a.svg"), (package(), "a.zip")])
async def test_html_svg_and_packages_are_answered_at_the_address_for_content_only(library, content, name):
    material = await library.create(content=content, name=name)
    for path in ("/file", "/files/1"):
        answer = await library.client.get(f"{PATH}/{material['id']}{path}", headers=TEACHER)
        assert (answer.status_code, answer.content) == (303, b"")
    there = await library.client.get(at_content(answer.headers["Location"]))
    assert (there.status_code, there.content) == (200, content)
    assert there.headers["Content-Disposition"].startswith("attachment;")
    assert there.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert there.headers["X-Content-Type-Options"] == "nosniff"
    assert "set-cookie" not in there.headers


async def test_a_link_to_show_a_page_runs_it_in_an_origin_of_its_own(library):
    material = await library.create(content=HTML, name="a.html")
    url = f"{PATH}/{material['id']}/files/1/link"
    made = await library.client.post(url, headers=TEACHER, params={"disposition": "inline"})
    there = await library.client.get(at_content(made.json()["url"]))
    assert there.headers["Content-Security-Policy"] == "sandbox allow-scripts allow-popups"
    assert "allow-same-origin" not in there.headers["Content-Security-Policy"]


async def test_a_link_needs_no_token_and_knows_ranges_and_conditions(library):
    material = await library.create()
    made = await library.client.post(f"{PATH}/{material['id']}/files/1/link", headers=TEACHER)
    url = at_content(made.json()["url"])
    whole = await library.client.get(url)
    assert whole.content == PDF
    part = await library.client.get(url, headers={"Range": "bytes=0-4"})
    assert (part.status_code, part.content) == (206, PDF[:5])
    head = await library.client.head(url)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(PDF)), b"")
    same = await library.client.get(url, headers={"If-None-Match": whole.headers["ETag"]})
    assert same.status_code == 304


async def test_a_changed_link_opens_nothing(library):
    material = await library.create()
    made = await library.client.post(f"{PATH}/{material['id']}/files/1/link", headers=TEACHER)
    url = at_content(made.json()["url"])
    for old, new in (
        ("application%2Fpdf", "text%2Fhtml"),
        ("attachment", "inline"),
        ("expires=1", "expires=2"),
        ("signature=", "signature=%C3%A1"),
    ):
        assert old in url
        answer = await library.client.get(url.replace(old, new)[: len(url)])
        assert (answer.status_code, answer.json()["code"]) == (403, "link.invalid")
