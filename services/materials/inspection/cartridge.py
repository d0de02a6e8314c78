"""IMS Common Cartridge 1.1 to 1.3, thin cartridges among them."""

import collections
import re

from services.materials.inspection.archive import Archive
from services.materials.inspection.manifest import Manifest, note_absent_files
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import CONTENTS_LIMIT, Inspection

_VERSION = re.compile(r"1\.([123])(\.\d+)?")
_BY_NAMESPACE = re.compile(r"imsccv1p([123])")
_KINDS = (
    ("webcontent", "trang và tệp", "web content"),
    ("associatedcontent", "tệp kèm theo", "associated content"),
    ("imsbasiclti", "liên kết LTI", "LTI links"),
    ("imswl", "liên kết web", "web links"),
    ("imsdt", "chủ đề thảo luận", "discussion topics"),
    ("imsqti", "bài kiểm tra QTI", "QTI assessments"),
    ("assignment", "bài tập", "assignments"),
)


def read_cartridge(archive: Archive, manifest: Manifest) -> Inspection:
    """Title, outline and what it is made of; a cartridge is imported by an LMS, so nothing of it is launched."""
    minor = _VERSION.fullmatch(manifest.version.strip()) or _BY_NAMESPACE.search(manifest.namespace)
    if minor is None:
        raise refusal("package.version_unknown", place="imsmanifest.xml", found=manifest.version)
    found = Inspection("common_cartridge", title=manifest.title, standard=f"Common Cartridge 1.{minor.group(1)}")
    items = [item for _, each in manifest.organizations.values() for item in each]
    found.contents = ["  " * item.depth + item.title for item in items if item.title][:CONTENTS_LIMIT]
    found.text = "\n".join(filter(None, [found.title, *(item.title for item in items)]))
    _note_holes(archive, manifest, found)
    counts = collections.Counter(_kind_of(resource.type) for resource in manifest.resources.values())
    found.contents += [f"{counts[code]} {vi} ({en})" for code, vi, en in _KINDS if counts[code]]
    return found


def _kind_of(resource_type: str) -> str:
    return next((code for code, _, _ in _KINDS if resource_type.lower().startswith(code)), "other")


def _note_holes(archive: Archive, manifest: Manifest, found: Inspection) -> None:
    for _, items in manifest.organizations.values():
        for item in items:
            if item.resource is not None and item.resource not in manifest.resources:
                found.note(
                    "package.resource_absent",
                    "Một mục trỏ tới resource không có trong gói.",
                    "An item names a resource that the package lacks.",
                    item.resource,
                )
    note_absent_files(archive, manifest, found)
