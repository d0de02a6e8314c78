"""Events of the sync service, version 1."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.event import EventData, EventPart


class OrgParent(EventPart):
    sourced_id: str
    valid_from: date | None = None
    valid_to: date | None = None


class OrgChanged(EventData):
    """One unit of the org tree as it now is. Aggregate `org:<sourcedId>`.

    `parents` are all parents the unit ever had or is known to get, with their validity (ends inclusive; null = open).
    """

    TYPE: ClassVar[str] = "sync.org.changed.v1"

    sourced_id: str
    kind: Literal["department", "district_office", "commune", "cluster", "school"]
    name: str = Field(description="Name of an institution, never of a person.")
    level: Literal["lower_secondary", "upper_secondary"] | None = Field(default=None, description="Schools only.")
    valid_from: date | None = None
    valid_to: date | None = None
    parents: tuple[OrgParent, ...] = ()


class GradeCount(EventPart):
    grade: str = Field(description="Grade code as committed: 6 to 12, or 0 when undetermined.")
    learners: int = Field(ge=0, description="Distinct learners with an active enrollment in a class of this grade.")
    enrollments: int = Field(ge=0, description="Active learner enrollments in classes of this grade.")


class RosterCommitted(EventData):
    """A school's roster after a commit: absolute numbers, not differences. Aggregate `roster:<schoolSourcedId>`."""

    TYPE: ClassVar[str] = "sync.roster.committed.v1"

    school_sourced_id: str
    import_id: UUID
    committed_at: datetime
    content_hash: str = Field(description="SHA-256 (hex) over the school's active roster in key order.")
    learners: int = Field(ge=0, description="Distinct active users with an active student role at the school.")
    staff: int = Field(ge=0, description="Distinct active users with an active role other than student.")
    teachers: int = Field(ge=0, description="Distinct active users with an active teacher role.")
    classes: int = Field(ge=0, description="Active classes.")
    enrollments: int = Field(ge=0, description="Active enrollments of active classes.")
    by_grade: tuple[GradeCount, ...] = ()
