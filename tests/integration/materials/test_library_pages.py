"""Landing pages, feeds and sitemaps of what is public."""

import datetime as dt
import email.utils
import json
import re
from html.parser import HTMLParser

import pytest
from lxml import etree

from services.materials.storage import public_shelf
from services.materials.usecases import read_public
from shared.db.scope import EVERYTHING, NOTHING
from tests.integration.materials.public import fill, found, publish, put_in, share, withdraw
from tests.integration.materials.shelf import PDF, SCHOOL_A, SCHOOL_B

HOSTILE = "</title><script>alert(1)</script> & \"'"
EN = {"Accept-Language": "en"}


class Page(HTMLParser):
    """What is in a page: tags that are open at its end, scripts, links, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.links: list[dict[str, str | None]] = []
        self.text = ""
        self.data = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "script":
            self.scripts.append(dict(attrs))
        if tag in {"link", "a"}:
            self.links.append(dict(attrs))
        if tag not in {"meta", "link", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.data += data
        else:
            self.text += data


async def get(library, path: str, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await library.client.get(f"/library/{path}", headers=named)


async def test_a_landing_page_shows_the_material_and_nothing_of_it_runs(library):
    material = await share(library, title=HOSTILE, description=HOSTILE, sources=["javascript:alert(1)", HOSTILE])
    answer = await get(library, material["id"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = Page(answer.text)
    assert page.open == []
    assert HOSTILE in page.text
    assert page.scripts == [{"type": "application/ld+json"}]
    assert json.loads(page.data)["name"] == HOSTILE
    assert not any((link.get("href") or "").startswith("javascript") for link in page.links)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall(r'(?:src|srcset)="', answer.text) == []


async def test_a_landing_page_is_in_vietnamese_or_english(library):
    material = await share(library, duration="PT45M")
    vi, en = await get(library, material["id"]), await get(library, material["id"], Accept_Language="en")
    chosen = await get(library, f"{material['id']}?lang=en")
    assert ("Tệp tải về" in vi.text, "45 phút" in vi.text, vi.headers["content-language"]) == (True, True, "vi")
    assert ("Files to download" in en.text, en.headers["content-language"]) == (True, "en")
    assert chosen.text == en.text


async def test_the_description_for_machines_is_schema_org(library):
    material = await share(library, authors=[{"name": "Nguyễn Thị Lan"}], sources=["https://example.edu/sach"])
    answer = await get(library, f"{material['id']}/metadata.jsonld")
    assert answer.headers["content-type"] == "application/ld+json"
    base = f"{library.settings.public_url}/library/{material['id']}"
    document = answer.json()
    assert (document["@type"], document["@id"]) == ("LearningResource", base)
    assert document["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert document["creator"] == [{"@type": "Person", "name": "Nguyễn Thị Lan"}]
    assert document["isBasedOn"] == [{"@type": "CreativeWork", "url": "https://example.edu/sach"}]
    assert document["about"][0]["termCode"] == "mathematics"
    assert document["isAccessibleForFree"] is True
    (media,) = document["encoding"]
    assert (media["contentUrl"], media["contentSize"]) == (f"{base}/files/1", f"{len(PDF)} B")
    assert "timeRequired" not in document
    negotiated = await get(library, material["id"], Accept="application/ld+json")
    assert negotiated.json() == document
    assert negotiated.headers["vary"] == "Accept"


async def test_typed_links_lead_from_the_page_to_all_its_parts_and_back(library):
    material = await share(library)
    base = f"{library.settings.public_url}/library/{material['id']}"
    answer = await library.client.head(f"/library/{material['id']}")
    assert answer.content == b""
    links = re.findall(r'<([^>]+)>; rel="([^"]+)"(?:; type="([^"]+)")?', answer.headers["link"])
    by_rel: dict[str, list[str]] = {}
    for href, rel, _ in links:
        by_rel.setdefault(rel, []).append(href)
    assert by_rel["cite-as"] == [base]
    assert by_rel["item"] == [f"{base}/files/1"]
    assert by_rel["license"] == ["https://creativecommons.org/licenses/by/4.0/"]
    assert by_rel["type"] == ["https://schema.org/AboutPage", "https://schema.org/LearningResource"]
    for href in (*by_rel["describedby"], *by_rel["item"], *by_rel["linkset"]):
        there = await library.client.get(href.removeprefix(library.settings.public_url))
        assert there.status_code == 200
        (promised,) = {kind for address, _, kind in links if address == href}
        assert there.headers["content-type"].startswith(promised)
        assert b"<error" not in there.content
    page = Page((await get(library, material["id"])).text)
    shown = {(link.get("rel"), link["href"]) for link in page.links}
    assert {(rel, href) for href, rel, _ in links} <= shown
    linkset = (await get(library, f"{material['id']}/linkset.json")).json()["linkset"]
    assert linkset[0]["anchor"] == base
    assert linkset[0]["item"] == [{"href": f"{base}/files/1", "type": "application/pdf"}]
    assert {"anchor": f"{base}/files/1", "collection": [{"href": base, "type": "text/html"}]} in linkset


async def test_everybody_may_download_a_file_of_a_public_material(library):
    material = await share(library)
    answer = await get(library, f"{material['id']}/files/1", Range="bytes=0-3")
    assert (answer.status_code, answer.content) == (206, PDF[:4])
    assert answer.headers["link"].endswith('rel="collection"; type="text/html"')
    assert (await get(library, f"{material['id']}/files/2")).status_code == 404


async def test_a_material_that_went_is_gone_and_one_that_never_was_public_is_unknown(library):
    gone, restricted, hidden = await share(library), await share(library), await publish(library)
    never = await share(library, licence="LicenseRef-school-internal")
    await withdraw(library, gone)
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await put_in(uow, restricted, public=False)
    for material, status in ((gone, 410), (restricted, 410), (hidden, 404), (never, 404)):
        for rest in ("", "/files/1", "/metadata.jsonld", "/linkset.json"):
            answer = await get(library, material["id"] + rest, Accept_Language="en")
            assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
            assert Page(answer.text).open == []
            assert material["title"] not in answer.text
    assert "withdrawn" in (await get(library, gone["id"], Accept_Language="en")).text


@pytest.mark.parametrize("path", ["nothing", "0192f0c17d3a7c558d1e2f4b6a8c0e12", "%3Cscript%3E", "a/b/c"])
async def test_an_address_that_is_none_answers_with_a_page(library, path):
    answer = await get(library, path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<script" not in answer.text


async def test_the_newest_are_told_by_atom_and_by_rss(library):
    materials = [await share(library, title=f"Bài {n} & <b>{HOSTILE}</b>", description="1 < 2 & 3") for n in (1, 2)]
    atom = etree.fromstring((await get(library, "feed.atom")).content)
    assert found(atom, "/atom:feed/atom:entry/atom:id/text()") == [f"urn:uuid:{m['id']}" for m in reversed(materials)]
    assert found(atom, "/atom:feed/atom:entry[1]/atom:title/text()") == [materials[1]["title"]]
    assert found(atom, "/atom:feed/atom:id/text()") == ["tag:lien-thong.example,2026:library/feed"]
    (link,) = found(atom, "//atom:entry[1]/atom:link[@rel='alternate']/@href")
    assert link == f"{library.settings.public_url}/library/{materials[1]['id']}"
    rss = etree.fromstring((await get(library, "feed.rss")).content)
    assert found(rss, "//item/guid/text()") == [f"urn:uuid:{m['id']}" for m in reversed(materials)]
    assert found(rss, "//item[1]/title/text()") == [materials[1]["title"]]
    assert found(rss, "//item[1]/description/text()") == ["1 &lt; 2 &amp; 3"]
    (date,) = found(rss, "//item[1]/pubDate/text()")
    assert email.utils.parsedate_to_datetime(date).tzinfo == dt.UTC


async def test_a_feed_is_of_a_subject_a_grade_or_a_school_and_only_of_what_is_public(library):
    await share(library, grades=["6"])
    physics = await share(library, subject="natural_science", grades=["7"])
    await share(library, licence="LicenseRef-school-internal")
    await withdraw(library, await share(library))

    async def ids(query: str) -> list[str]:
        document = etree.fromstring((await get(library, f"feed.atom{query}")).content)
        return found(document, "//atom:entry/atom:id/text()")

    assert len(await ids("")) == 2
    for query in ("?subject=natural_science", "?grade=7", f"?grade=7&school={SCHOOL_A}"):
        assert await ids(query) == [f"urn:uuid:{physics['id']}"]
    assert await ids(f"?school={SCHOOL_B}") == []


async def test_a_feed_that_did_not_change_is_not_sent_again(library):
    material = await share(library)
    for path in ("feed.atom", "feed.rss"):
        first = await get(library, path)
        assert (await get(library, path, If_None_Match=first.headers["etag"])).status_code == 304
        assert (await get(library, path, If_Modified_Since=first.headers["last-modified"])).status_code == 304
        long_ago = "Thu, 01 Jan 2026 00:00:00 GMT"
        assert (await get(library, path, If_Modified_Since=long_ago)).status_code == 200
    before = await get(library, "feed.atom")
    await withdraw(library, material)
    assert (await get(library, "feed.atom", If_None_Match=before.headers["etag"])).status_code == 200


async def test_a_feed_has_the_fifty_newest(library):
    await fill(library, 70)
    document = etree.fromstring((await get(library, "feed.atom")).content)
    titles = found(document, "//atom:entry/atom:title/text()")
    assert (len(titles), titles[0]) == (50, "Bài 69")


async def test_the_sitemaps_name_every_public_material_once(library, monkeypatch):
    monkeypatch.setattr(read_public, "SITEMAP_SIZE", 20)
    await fill(library, 100)
    index = etree.fromstring((await get(library, "sitemap.xml")).content)
    pages = found(index, "/map:sitemapindex/map:sitemap/map:loc/text()")
    assert len(pages) == 5
    seen = []
    for page in pages:
        answer = await library.client.get(page.removeprefix(library.settings.public_url))
        listed = found(etree.fromstring(answer.content), "/map:urlset/map:url/map:loc/text()")
        assert len(listed) <= 20
        seen += listed
    async with library.runtime.units.begin(NOTHING) as uow:
        public = await public_shelf.addresses(uow.session, None, 1000)
    base = f"{library.settings.public_url}/library/"
    assert seen == [f"{base}{material}" for material, _ in public]
    robots = await library.client.get("/robots.txt")
    assert f"Sitemap: {base}sitemap.xml" in robots.text
