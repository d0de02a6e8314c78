"""SCORM 1.2 and SCORM 2004 (2nd to 4th edition)."""

import re

from services.materials.inspection.archive import Archive
from services.materials.inspection.manifest import Item, Manifest, note_absent, note_absent_files
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import CONTENTS_LIMIT, Inspection

_2004 = re.compile(r"(2004.*|CAM 1\.3)", re.IGNORECASE)


def read_scorm(archive: Archive, manifest: Manifest) -> Inspection:
    """Title, launch file and contents; the XSDs are loose themselves, so what a player needs is checked instead."""
    kind, standard = _edition(manifest)
    title, items = _organization(manifest)
    found = Inspection(kind, title=title or manifest.title, standard=standard)
    found.contents = ["  " * item.depth + (item.title or "") for item in items if item.title][:CONTENTS_LIMIT]
    found.launch = _launch(archive, manifest, items, found)
    found.text = "\n".join(filter(None, [found.title, *(item.title for item in items)]))
    note_absent_files(archive, manifest, found)
    _note_no_sco(manifest, found)
    return found


def _edition(manifest: Manifest) -> tuple[str, str]:
    version = manifest.version.strip()
    if version.startswith("1.2") or (not version and "imscp_rootv1p1p2" in manifest.namespace):
        return "scorm_1_2", "SCORM 1.2"
    if _2004.fullmatch(version):
        edition = version if version.lower().startswith("2004") else "2004"
        return "scorm_2004", f"SCORM {edition}"
    raise refusal("package.version_unknown", place="imsmanifest.xml", found=version or manifest.schema)


def _organization(manifest: Manifest) -> tuple[str | None, list[Item]]:
    if not manifest.organizations:
        raise refusal("scorm.no_organization", place="imsmanifest.xml")
    if manifest.default is None:
        return next(iter(manifest.organizations.values()))
    if manifest.default not in manifest.organizations:
        raise refusal("scorm.no_organization", place=f"organizations/@default={manifest.default}")
    return manifest.organizations[manifest.default]


def _launch(archive: Archive, manifest: Manifest, items: list[Item], found: Inspection) -> str:
    """The file of the first item that can be launched; every item's resource must be there.

    A later item whose page is missing is noted: the package can be played, but not to its end.
    """
    launch: str | None = None
    for item in items:
        if item.resource is None:
            continue
        resource = manifest.resources.get(item.resource)
        if resource is None:
            raise refusal("scorm.resource_missing", place=item.resource)
        if resource.href is None:
            continue
        if archive.has(resource.href):
            launch = launch or resource.href
        elif launch is None:
            raise refusal("package.file_missing", place=resource.href)
        elif resource.href not in resource.files:
            note_absent(found, resource.href)
    if launch is None:
        raise refusal("scorm.nothing_to_launch", place="imsmanifest.xml")
    return launch


def _note_no_sco(manifest: Manifest, found: Inspection) -> None:
    if not any((resource.scorm_type or "").lower() == "sco" for resource in manifest.resources.values()):
        found.note(
            "scorm.no_sco",
            "Gói không có SCO: hệ thống học tập sẽ không ghi được kết quả.",
            "The package has no SCO: an LMS cannot record results.",
        )
