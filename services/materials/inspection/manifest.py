"""`imsmanifest.xml`, the IMS Content Packaging manifest that SCORM and Common Cartridge share."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote

from services.materials.inspection.archive import Archive
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import Inspection
from services.materials.inspection.safe_xml import Element, attribute, child_text, children, local, parse

MANIFEST_LIMIT = 16 * 1024 * 1024
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Item:
    title: str | None
    resource: str | None
    depth: int


@dataclass(frozen=True, slots=True)
class Resource:
    """`href` and `files` are paths in the package, None or left out where they point outside."""

    type: str
    scorm_type: str | None
    href: str | None
    files: tuple[str, ...]


@dataclass(slots=True)
class Manifest:
    schema: str
    version: str
    namespace: str
    title: str | None
    default: str | None
    organizations: dict[str, tuple[str | None, list[Item]]] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)

    @classmethod
    def read(cls, archive: Archive) -> Self:
        """Raises `package.manifest_invalid` when the root is no manifest."""
        root = parse(archive.read("imsmanifest.xml", MANIFEST_LIMIT), "imsmanifest.xml")
        if local(root) != "manifest":
            raise refusal("package.manifest_invalid", place="imsmanifest.xml")
        metadata = next(iter(children(root, "metadata")), None)
        manifest = cls(
            schema=(child_text(metadata, "schema") or "") if metadata is not None else "",
            version=(child_text(metadata, "schemaversion") or "") if metadata is not None else "",
            namespace=str(root.tag).partition("}")[0].lstrip("{"),
            title=_general_title(metadata) if metadata is not None else None,
            default=None,
        )
        for organizations in children(root, "organizations"):
            manifest.default = attribute(organizations, "default")
            for number, organization in enumerate(children(organizations, "organization")):
                name = attribute(organization, "identifier") or str(number)
                items = list(_items(organization, 0))
                manifest.organizations[name] = (child_text(organization, "title"), items)
        for resources in children(root, "resources"):
            base = attribute(resources, "base") or ""
            for element in children(resources, "resource"):
                manifest.resources[attribute(element, "identifier") or ""] = _resource(element, base)
        return manifest

    @property
    def is_cartridge(self) -> bool:
        return "common cartridge" in self.schema.lower() or "/imscc" in self.namespace


def _items(element: Element, depth: int) -> list[Item]:
    if depth > _DEEPEST:
        raise refusal("package.manifest_invalid", place="imsmanifest.xml")
    found = []
    for item in children(element, "item"):
        found.append(Item(child_text(item, "title"), attribute(item, "identifierref"), depth))
        found += _items(item, depth + 1)
    return found


def _resource(element: Element, base: str) -> Resource:
    base += attribute(element, "base") or ""
    href = attribute(element, "href")
    files = (attribute(file, "href") for file in children(element, "file"))
    return Resource(
        type=attribute(element, "type") or "",
        scorm_type=attribute(element, "scormtype"),
        href=None if href is None else path_of(base + href),
        files=tuple(path for path in (path_of(base + file) for file in files if file) if path),
    )


def path_of(href: str) -> str | None:
    """The path in the package that a relative address names, None for one that leads outside."""
    plain = unquote(href.partition("#")[0].partition("?")[0]).replace("\\", "/")
    if "://" in plain or plain.startswith("/"):
        return None
    parts: list[str] = []
    for part in plain.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts) or None


def note_absent_files(archive: Archive, manifest: Manifest, found: Inspection) -> None:
    """A problem for every file the manifest lists and the package lacks."""
    for resource in manifest.resources.values():
        for path in resource.files:
            if not archive.has(path):
                note_absent(found, path)


def note_absent(found: Inspection, path: str) -> None:
    found.note(
        "package.file_absent",
        "Bản kê khai nêu tệp này nhưng gói không có.",
        "The manifest lists this file, but the package lacks it.",
        path,
    )


def _general_title(metadata: Element) -> str | None:
    """`lom/general/title`, in whichever binding of LOM the package was written."""
    for element in metadata.iter():
        if local(element) == "general":
            return child_text(element, "title")
    return None
