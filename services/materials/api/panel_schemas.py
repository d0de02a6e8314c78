"""The shapes of the panel and of the shelf."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from services.materials.api.schemas import CLOSED, AuthorIn, MaterialSummaryOut, NameOut, Shape, Words
from services.materials.domain.appraisal import ProposalState, Recommendation, Rubric
from services.materials.domain.review import REASON_MAX
from services.materials.storage.panel_tables import Appraisal, PanelMember, Proposal
from services.materials.storage.shelf_tables import ShelfItem
from services.materials.usecases.appraise import Asked, Said
from services.materials.usecases.panel import Appointment, Nomination
from services.materials.usecases.proposal_board import Seen

Level = Literal["lower_secondary", "upper_secondary"]


class NominationIn(Shape):
    model_config = CLOSED

    person: str = Field(min_length=1, max_length=255, description="Subject of the person's token.")
    school_sourced_id: str = Field(min_length=1, max_length=255, description="Their school.")
    subjects: list[str] = Field(min_length=1, max_length=30)
    levels: list[Level] = Field(min_length=1, max_length=2)

    def to_nomination(self) -> Nomination:
        return Nomination(self.person, self.school_sourced_id, tuple(self.subjects), tuple(self.levels))


class AppointmentIn(Shape):
    model_config = CLOSED

    valid_from: dt.date
    valid_to: dt.date | None = None
    lead: bool = Field(default=False, description="Decides once the appraisals are in.")

    def to_appointment(self) -> Appointment:
        return Appointment(self.valid_from, self.valid_to, self.lead)


class MemberIn(NominationIn):
    """Appointed by the department without a nomination."""

    valid_from: dt.date
    valid_to: dt.date | None = None
    lead: bool = False

    def to_appointment(self) -> Appointment:
        return Appointment(self.valid_from, self.valid_to, self.lead)


class MemberOut(Shape):
    id: UUID
    person: str
    school_sourced_id: str
    subjects: list[str]
    levels: list[str]
    lead: bool
    nominated_by: str | None
    nominated_at: dt.datetime | None
    appointed_by: str | None
    appointed_at: dt.datetime | None
    valid_from: dt.date | None
    valid_to: dt.date | None
    ended_at: dt.datetime | None

    @classmethod
    def from_row(cls, row: PanelMember) -> "MemberOut":
        return cls.model_validate(row, from_attributes=True)


class DecisionIn(Shape):
    model_config = CLOSED

    reason: Annotated[Words, Field(max_length=REASON_MAX)] | None = None


class AppraisalIn(Shape):
    """What a reviewer says: a score for every criterion of the rubric."""

    model_config = CLOSED

    scores: dict[str, Annotated[Decimal, Field(ge=0, le=1000, decimal_places=2)]] = Field(max_length=50)
    remarks: dict[str, Annotated[Words, Field(min_length=1, max_length=2000)]] = Field(
        default_factory=dict, max_length=50, description="By criterion, where something is to be said."
    )
    recommendation: Recommendation
    comment: Annotated[Words, Field(min_length=1, max_length=5000)]

    def to_said(self) -> Said:
        return Said(self.scores, self.remarks, self.recommendation, self.comment)


class ReviewerIn(Shape):
    model_config = CLOSED

    person: str = Field(min_length=1, max_length=255, description="Subject of the person's token.")


class AppraisalOut(Shape):
    """As the lead sees it; the school is not told whose it is."""

    id: UUID
    reviewer: str | None
    reviewer_school: str | None
    state: Literal["assigned", "done", "overdue", "released"]
    assigned_at: dt.datetime
    due_at: dt.datetime
    scores: dict[str, str] | None
    remarks: dict[str, str] | None
    recommendation: str | None
    comment: str | None
    done_at: dt.datetime | None

    @classmethod
    def from_row(cls, row: Appraisal) -> "AppraisalOut":
        return cls.model_validate(row, from_attributes=True)


class ProposalOut(Shape):
    """A version before the panel. `lacking`: how many reviewers could not be found yet."""

    id: UUID
    material_id: UUID
    version_id: UUID
    version_number: int
    school_sourced_id: str
    title: str
    subject: str
    level: str
    state: ProposalState
    rubric: str
    required: int
    lacking: int
    proposed_by: str
    proposed_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    reason: str | None

    @classmethod
    def values(cls, row: Proposal, lacking: int) -> dict[str, Any]:
        return {
            "id": row.id,
            "material_id": row.material_id,
            "version_id": row.version_id,
            "version_number": row.number,
            "school_sourced_id": row.school_sourced_id,
            "title": row.title,
            "subject": row.subject,
            "level": row.level,
            "state": ProposalState(row.state),
            "rubric": row.rubric,
            "required": row.required,
            "lacking": lacking,
            "proposed_by": row.proposed_by,
            "proposed_at": row.proposed_at,
            "decided_by": row.decided_by,
            "decided_at": row.decided_at,
            "reason": row.reason,
        }


class BoardOut(ProposalOut):
    """With what the reviewers said, for those who decide; the school sees it once it is decided."""

    appraisals: list[AppraisalOut]
    disagreements: list[str] = Field(description="Criteria scored far apart; `recommendation` when those differ.")

    @classmethod
    def from_seen(cls, seen: Seen) -> "BoardOut":
        said = [AppraisalOut.from_row(each) for each in seen.appraisals]
        if not seen.named:
            said = [each.model_copy(update={"reviewer": None, "reviewer_school": None}) for each in said]
        return cls(
            **ProposalOut.values(seen.board.proposal, seen.board.lacking),
            appraisals=said,
            disagreements=seen.disagreements,
        )


class QueueItemOut(Shape):
    """One version a reviewer was asked about."""

    appraisal_id: UUID
    due_at: dt.datetime
    title: str
    subject: str
    level: str
    version_number: int

    @classmethod
    def from_rows(cls, asked: Appraisal, about: Proposal) -> "QueueItemOut":
        return cls(
            appraisal_id=asked.id,
            due_at=asked.due_at,
            title=about.title,
            subject=about.subject,
            level=about.level,
            version_number=about.number,
        )


class AskedOut(Shape):
    """The version to be appraised, and the reviewer's own appraisal; never another reviewer's."""

    appraisal: AppraisalOut
    rubric: str
    material: MaterialSummaryOut

    @classmethod
    def from_asked(cls, asked: Asked) -> "AskedOut":
        return cls(
            appraisal=AppraisalOut.from_row(asked.appraisal),
            rubric=asked.proposal.rubric,
            material=MaterialSummaryOut.from_row(asked.record),
        )


class SubmittedOut(AskedOut):
    next: QueueItemOut | None = Field(description="The following item of the reviewer's queue.")


class CriterionOut(Shape):
    code: str
    name: NameOut
    max: int


class RubricOut(Shape):
    code: str
    verified: bool = Field(description="False: a proposal of ours, not an official form.")
    criteria: list[CriterionOut]

    @classmethod
    def from_rubric(cls, rubric: Rubric) -> "RubricOut":
        criteria = [
            CriterionOut(code=each.code, name=NameOut.from_text(each.name), max=each.max) for each in rubric.criteria
        ]
        return cls(code=rubric.code, verified=rubric.verified, criteria=criteria)


class ShelfFileOut(Shape):
    position: int
    name: str
    media_type: str
    size: int
    sha256: str


class ShelfItemOut(Shape):
    """A material the city shares, as it was when it was shared."""

    material_id: UUID
    version_id: UUID
    version_number: int
    school_sourced_id: str
    title: str
    description: str
    type: str
    subject: str
    other_subjects: list[str]
    grades: list[str]
    requirements: list[str]
    language: str
    authors: list[AuthorIn]
    licence: str | None
    sources: list[str]
    rights_statement: str
    duration: dt.timedelta | None
    files: list[ShelfFileOut]
    public: bool = Field(description="Its licence lets everybody see it.")
    shared_at: dt.datetime
    history: list[dict[str, Any]] = Field(description="The review it went through at its school and before the panel.")

    @classmethod
    def from_row(cls, row: ShelfItem) -> "ShelfItemOut":
        seconds = row.duration_seconds
        return cls(
            material_id=row.material_id,
            version_id=row.version_id,
            version_number=row.number,
            school_sourced_id=row.school_sourced_id,
            title=row.title,
            description=row.description,
            type=row.type,
            subject=row.subject,
            other_subjects=row.other_subjects,
            grades=row.grades,
            requirements=row.requirements,
            language=row.language,
            authors=[AuthorIn(name=each["name"], subject=None) for each in row.authors],
            licence=row.licence or None,
            sources=row.sources,
            rights_statement=row.rights_statement,
            duration=None if seconds is None else dt.timedelta(seconds=seconds),
            files=[ShelfFileOut.model_validate(each) for each in row.files],
            public=row.public,
            shared_at=row.shared_at,
            history=row.history,
        )
