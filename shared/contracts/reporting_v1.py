"""Events of the reporting service, version 1."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.event import EventData, EventPart


class SubmissionAccepted(EventData):
    """The department accepted a school's submission. Aggregate `submission:<submissionId>`."""

    TYPE: ClassVar[str] = "reporting.submission.accepted.v1"

    submission_id: UUID
    campaign_id: UUID
    template: str
    school_sourced_id: str
    submitted_at: datetime = Field(description="The server's receipt time, which decides about lateness.")
    accepted_at: datetime
    late: bool


class EvidenceVersion(EventPart):
    """A version of a material that a submission rests on."""

    material_id: UUID
    version_id: UUID


class EvidenceChanged(EventData):
    """Which versions of materials a school's submission rests on now, all of them. Aggregate `evidence:<submissionId>`.

    `counts` is true from the moment the submission is handed in until it is returned or its campaign is archived: for
    so long the versions can neither be withdrawn nor lost.
    """

    TYPE: ClassVar[str] = "reporting.evidence.changed.v1"

    submission_id: UUID
    school_sourced_id: str
    counts: bool
    versions: tuple[EvidenceVersion, ...] = ()
    at: datetime
