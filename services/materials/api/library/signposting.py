"""Typed links that lead a machine from a landing page to its parts: Signposting, RFC 8288, RFC 9264."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.materials.api.library import json_ld
from services.materials.api.library.described import licence_url
from services.materials.api.library.lom import LOM
from services.materials.api.library.oai_dc import OAI_DC
from services.materials.domain.repository import Repository
from services.materials.storage.shelf_tables import ShelfItem

LINKSET = "application/linkset+json"
# A header of one material stays small; one with more files names them all in the linkset alone.
_MAX_ITEMS_IN_HEADER = 20


@dataclass(frozen=True, slots=True)
class Link:
    rel: str
    href: str
    type: str | None = None
    profile: str | None = None

    @property
    def attributes(self) -> dict[str, str]:
        """Those beside the address and the relation, where there are any."""
        return {name: value for name, value in (("type", self.type), ("profile", self.profile)) if value}


def links_of(item: ShelfItem, repository: Repository) -> list[Link]:
    """All links of a landing page. Authors have no address of their own, so none is given for them."""
    landing, of = repository.landing(item.material_id), item.material_id
    licence = licence_url(item)
    return [
        Link("cite-as", landing),
        Link("type", "https://schema.org/AboutPage"),
        Link("type", "https://schema.org/LearningResource"),
        *([Link("license", licence)] if licence else []),
        Link("describedby", repository.json_ld(of), json_ld.MEDIA_TYPE, "https://schema.org"),
        Link("describedby", repository.oai_record(of, "oai_dc"), "text/xml", OAI_DC),
        Link("describedby", repository.oai_record(of, "lom"), "text/xml", LOM),
        *(Link("item", repository.file(of, file["position"]), file["mediaType"]) for file in item.files),
        Link("linkset", repository.linkset(of), LINKSET),
    ]


def header_of(links: Sequence[Link]) -> str:
    """The `Link` header (RFC 8288)."""
    if sum(link.rel == "item" for link in links) > _MAX_ITEMS_IN_HEADER:
        links = [link for link in links if link.rel != "item"]
    return ", ".join(
        "; ".join(
            [f"<{link.href}>", f'rel="{link.rel}"', *(f'{name}="{value}"' for name, value in link.attributes.items())]
        )
        for link in links
    )


def linkset_of(item: ShelfItem, repository: Repository) -> dict[str, Any]:
    """The same as JSON (RFC 9264), and the way back from each part."""
    landing = repository.landing(item.material_id)
    links = [link for link in links_of(item, repository) if link.rel != "linkset"]
    context: dict[str, Any] = {"anchor": landing}
    for link in links:
        context.setdefault(link.rel, []).append({"href": link.href, **link.attributes})
    back = [
        {
            "anchor": link.href,
            "collection" if link.rel == "item" else "describes": [{"href": landing, "type": "text/html"}],
        }
        for link in links
        if link.rel in {"item", "describedby"}
    ]
    return {"linkset": [context, *back]}
