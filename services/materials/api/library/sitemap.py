"""Sitemaps (sitemaps.org 0.9): an index, and below it the landing pages in the order of their ids."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from lxml import etree

from services.materials.api.library.described import utc
from services.materials.api.library.xml_parts import namespaces, written
from services.materials.domain.repository import Repository

MEDIA_TYPE = "application/xml; charset=utf-8"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def sitemap_index(starts: Sequence[UUID | None], repository: Repository) -> bytes:
    root = etree.Element(f"{{{_SITEMAP}}}sitemapindex", nsmap=namespaces(_SITEMAP))
    for start in starts:
        query = "" if start is None else f"?after={start}"
        sitemap = etree.SubElement(root, f"{{{_SITEMAP}}}sitemap")
        etree.SubElement(sitemap, f"{{{_SITEMAP}}}loc").text = f"{repository.library}/sitemap-pages.xml{query}"
    return written(root)


def sitemap(pages: Sequence[tuple[UUID, dt.datetime]], repository: Repository) -> bytes:
    root = etree.Element(f"{{{_SITEMAP}}}urlset", nsmap=namespaces(_SITEMAP))
    for material_id, changed_at in pages:
        page = etree.SubElement(root, f"{{{_SITEMAP}}}url")
        etree.SubElement(page, f"{{{_SITEMAP}}}loc").text = repository.landing(material_id)
        etree.SubElement(page, f"{{{_SITEMAP}}}lastmod").text = utc(changed_at)
    return written(root)


def robots(repository: Repository) -> str:
    """What is public may be searched; the rest of this address is for programs."""
    return f"User-agent: *\nAllow: /library/\nDisallow: /\n\nSitemap: {repository.library}/sitemap.xml\n"
