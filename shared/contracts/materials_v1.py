"""Events of the materials service, version 1."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.event import EventData


class MaterialApproved(EventData):
    """Both steps of Circular 09/2021 art. 7 are done: passed by the subject group, approved by the head.

    Aggregate `material:<materialId>`.
    """

    TYPE: ClassVar[str] = "materials.material.approved.v1"

    material_id: UUID
    version_id: UUID
    school_sourced_id: str
    subject: str
    grades: tuple[str, ...] = ()
    passed_at: datetime
    approved_at: datetime
    file_sha256: str = Field(description="SHA-256 (hex) of the approved file.")
