"""Every table of the service: whoever needs them all, for migrations and processes, takes `Base` from here."""

from services.materials.storage import (
    coverage,
    likeness,
    lti_tables,
    panel_tables,
    requirement_tables,
    shelf_tables,
    uploads,
    uses,
)
from services.materials.storage.search import documents
from services.materials.storage.tables import Base

__all__ = [
    "Base",
    "coverage",
    "documents",
    "likeness",
    "lti_tables",
    "panel_tables",
    "requirement_tables",
    "shelf_tables",
    "uploads",
    "uses",
]
