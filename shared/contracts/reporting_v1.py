"""Events of the reporting service, version 1."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.event import EventData


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
