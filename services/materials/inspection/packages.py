"""Which standard a package follows, by the file at its root."""

from collections.abc import Callable

from services.materials.inspection import cartridge, cmi5, h5p, scorm
from services.materials.inspection.archive import Archive
from services.materials.inspection.manifest import Manifest
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import Inspection

Names = Callable[[], frozenset[str]]


def read_package(archive: Archive) -> Inspection:
    """A SCORM, cmi5, Common Cartridge or H5P package. Raises a refusal with the exact reason."""
    archive.refuse_nested()
    if archive.has("cmi5.xml"):
        return cmi5.read_cmi5(archive)
    if archive.has("h5p.json"):
        return h5p.read_h5p(archive)
    if archive.has("imsmanifest.xml"):
        manifest = Manifest.read(archive)
        if manifest.is_cartridge:
            return cartridge.read_cartridge(archive, manifest)
        return scorm.read_scorm(archive, manifest)
    nested = sorted(name for name in archive.names if name.endswith("/imsmanifest.xml"))
    if nested:
        raise refusal("package.manifest_nested", place=nested[0])
    raise refusal("package.unknown")
