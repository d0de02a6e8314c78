"""The newest public items as Atom (RFC 4287) and RSS 2.0."""

import datetime as dt
import email.utils
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from services.materials.api.library.described import licence_url, subject_codes, subject_name, utc
from services.materials.api.library.xml_parts import XML_LANG, namespaces, written, xml_text
from services.materials.domain.repository import Repository
from services.materials.inspection.safe_xml import Element
from services.materials.storage.shelf_tables import ShelfItem

ATOM_TYPE = "application/atom+xml; charset=utf-8"
RSS_TYPE = "application/rss+xml; charset=utf-8"
_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"


@dataclass(frozen=True, slots=True)
class Feed:
    """`query` is the filter as it stands in the address, with its `?`, or nothing. `changed` None: never yet."""

    repository: Repository
    query: str
    items: Sequence[ShelfItem]
    changed: dt.datetime | None

    def address(self, ending: str) -> str:
        return f"{self.repository.library}/feed.{ending}{self.query}"

    @property
    def updated(self) -> dt.datetime:
        return self.changed or dt.datetime.fromtimestamp(0, dt.UTC)

    @property
    def title(self) -> str:
        return f"{self.repository.name}: học liệu mới"


def atom(feed: Feed) -> bytes:
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap=namespaces(_ATOM))
    root.set(XML_LANG, "vi")
    # A tag (RFC 4151): it stays when the address changes.
    _add(root, "id", f"tag:{feed.repository.domain},2026:library/feed{feed.query}")
    _add(root, "title", feed.title)
    _add(root, "updated", utc(feed.updated))
    _add(root, "link", rel="self", type="application/atom+xml", href=feed.address("atom"))
    _add(root, "link", rel="alternate", type="application/rss+xml", href=feed.address("rss"))
    _add(_add(root, "author"), "name", feed.repository.name)
    for item in feed.items:
        _entry(_add(root, "entry"), item, feed.repository)
    return written(root)


def _entry(entry: Element, item: ShelfItem, repository: Repository) -> None:
    _add(entry, "id", f"urn:uuid:{item.material_id}")
    _add(entry, "title", item.title).set(XML_LANG, item.language)
    _add(entry, "updated", utc(item.changed_at))
    _add(entry, "published", utc(item.shared_at))
    for author in item.authors:
        _add(_add(entry, "author"), "name", str(author["name"]))
    for code in subject_codes(item):
        _add(entry, "category", term=code, label=subject_name(code).vi)
    for grade in item.grades:
        _add(entry, "category", term=grade, label=f"Lớp {grade}")
    _add(entry, "link", rel="alternate", type="text/html", href=repository.landing(item.material_id))
    for file in item.files:
        address = repository.file(item.material_id, file["position"])
        _add(entry, "link", rel="enclosure", type=file["mediaType"], length=str(file["size"]), href=address)
    if licence := licence_url(item):
        _add(entry, "link", rel="license", href=licence)
    _add(entry, "summary", item.description).set(XML_LANG, item.language)


def _add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    child = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    child.text = None if text is None else xml_text(text)
    return child


def rss(feed: Feed) -> bytes:
    root = etree.Element("rss", {"version": "2.0"}, nsmap={"atom": _ATOM, "dc": _DC})
    channel = etree.SubElement(root, "channel")
    _plain(channel, "title", feed.title)
    _plain(channel, "link", feed.repository.library)
    _plain(channel, "description", f"Học liệu số mới được chia sẻ công khai. {feed.repository.name}.")
    _plain(channel, "language", "vi")
    _plain(channel, "lastBuildDate", _rfc822(feed.updated))
    attributes = {"rel": "self", "type": "application/rss+xml", "href": feed.address("rss")}
    etree.SubElement(channel, f"{{{_ATOM}}}link", attributes)
    for item in feed.items:
        _item(etree.SubElement(channel, "item"), item, feed.repository)
    return written(root)


def _item(parent: Element, item: ShelfItem, repository: Repository) -> None:
    _plain(parent, "title", item.title)
    _plain(parent, "link", repository.landing(item.material_id))
    _plain(parent, "guid", f"urn:uuid:{item.material_id}").set("isPermaLink", "false")
    _plain(parent, "pubDate", _rfc822(item.changed_at))
    # RSS has only mail addresses for authors.
    for author in item.authors:
        _plain(parent, f"{{{_DC}}}creator", str(author["name"]))
    for name in (*(subject_name(code).vi for code in subject_codes(item)), *(f"Lớp {grade}" for grade in item.grades)):
        _plain(parent, "category", name)
    # Readers take it for HTML, so what is text in it has to be told apart from markup twice.
    _plain(parent, "description", item.description.replace("&", "&amp;").replace("<", "&lt;"))
    for file in item.files[:1]:
        address = repository.file(item.material_id, file["position"])
        etree.SubElement(parent, "enclosure", {"url": address, "length": str(file["size"]), "type": file["mediaType"]})


def _plain(parent: Element, name: str, text: str) -> Element:
    child = etree.SubElement(parent, name)
    child.text = xml_text(text)
    return child


def _rfc822(instant: dt.datetime) -> str:
    return email.utils.format_datetime(instant.astimezone(dt.UTC), usegmt=True)
