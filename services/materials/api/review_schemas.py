"""The shapes of the review: decisions, queues, a school's procedure, remarks."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from services.materials.api.schemas import CLOSED, MaterialOut, MaterialSummaryOut, NameOut, Shape, Words
from services.materials.domain.catalogue import Grade
from services.materials.domain.policy import MAX_STEPS, ExtraStep, Policy
from services.materials.domain.review import REASON_MAX
from services.materials.domain.warnings import Warned
from services.materials.storage.tables import ReviewDuty, VersionComment
from services.materials.usecases.review_policy import Appointment
from services.materials.usecases.review_queue import MAX_BATCH
from shared.errors import Text


class NameIn(Shape):
    model_config = CLOSED

    name: str = Field(min_length=1, max_length=200)


class ReturnIn(Shape):
    model_config = CLOSED

    reason: Annotated[Words, Field(min_length=1, max_length=REASON_MAX)]


class WithdrawIn(Shape):
    model_config = CLOSED

    reason: Annotated[Words, Field(max_length=REASON_MAX)] | None = Field(
        default=None, description="Needed to take an approved version out of use."
    )


class DecidedOut(MaterialOut):
    """The material after a decision; `next` is the following item of the caller's queue, when it was asked for."""

    next: MaterialSummaryOut | None = None


class BatchItemIn(Shape):
    model_config = CLOSED

    material_id: UUID
    etag: str | None = Field(default=None, max_length=64, description="As If-Match: refused when it has changed since.")


class BatchIn(Shape):
    model_config = CLOSED

    action: Literal["confirm", "pass", "approve", "publish", "return"]
    reason: Annotated[Words, Field(max_length=REASON_MAX)] | None = None
    items: list[BatchItemIn] = Field(min_length=1, max_length=MAX_BATCH)


class BatchItemOut(Shape):
    """What became of one item: `done` with the state it is in now, or `refused` with the problem."""

    material_id: UUID
    outcome: Literal["done", "refused"]
    state: str | None = None
    problem: dict[str, Any] | None = Field(default=None, description="As an RFC 9457 problem document.")


class BatchOut(Shape):
    done: int
    refused: int
    items: list[BatchItemOut]


class NameBothIn(Shape):
    model_config = CLOSED

    vi: Annotated[Words, Field(min_length=1, max_length=100)]
    en: Annotated[Words, Field(min_length=1, max_length=100)]


class StepIn(Shape):
    """A step of the school's own."""

    model_config = CLOSED

    code: str = Field(max_length=40)
    name: NameBothIn
    before: Literal["pass", "approve"] = Field(description="Which of the circular's two steps it comes before.")
    role: str = Field(min_length=1, max_length=64, description="Role that confirms it; a duty with its code does too.")


class PolicyIn(Shape):
    """A school's procedure: it adds to the two steps of Circular 09/2021 art. 7 and can take neither away."""

    model_config = CLOSED

    publish_on_approval: bool = True
    steps: list[StepIn] = Field(default_factory=list, max_length=MAX_STEPS)

    def to_policy(self) -> Policy:
        steps = (ExtraStep(each.code, Text(each.name.vi, each.name.en), each.before, each.role) for each in self.steps)
        return Policy(self.publish_on_approval, tuple(steps))


class StepOut(Shape):
    code: str
    name: NameOut
    before: str
    role: str


class PolicyOut(Shape):
    publish_on_approval: bool
    steps: list[StepOut]

    @classmethod
    def from_policy(cls, policy: Policy) -> "PolicyOut":
        steps = [
            StepOut(code=step.code, name=NameOut.from_text(step.name), before=step.before, role=step.role)
            for step in policy.steps
        ]
        return cls(publish_on_approval=policy.publish_on_approval, steps=steps)


class DutyIn(Shape):
    model_config = CLOSED

    person: str = Field(min_length=1, max_length=255, description="Subject of the person's token.")
    task: str = Field(max_length=40, description="pass, approve, or the code of a step of the school's own.")
    subjects: list[str] = Field(default_factory=list, max_length=30, description="Empty: every subject.")
    grades: list[Grade] = Field(default_factory=list, max_length=7, description="Empty: every grade.")
    valid_from: dt.date
    valid_to: dt.date | None = None

    def to_appointment(self) -> Appointment:
        return Appointment(
            self.person, self.task, tuple(self.subjects), tuple(self.grades), self.valid_from, self.valid_to
        )


class DutyOut(Shape):
    id: UUID
    person: str
    task: str
    subjects: list[str]
    grades: list[str]
    valid_from: dt.date
    valid_to: dt.date | None
    appointed_by: str
    appointed_at: dt.datetime
    ended_by: str | None
    ended_at: dt.datetime | None

    @classmethod
    def from_row(cls, row: ReviewDuty) -> "DutyOut":
        return cls.model_validate(row, from_attributes=True)


class WarningOut(Shape):
    """Something to know before deciding; it decides nothing itself."""

    code: str
    message: NameOut
    position: int | None = Field(description="The file it is about.")
    count: int | None = Field(description="How often; what was found is never quoted.")
    material_id: str | None = Field(description="The other material that is alike.")
    place: str | None = Field(description="school or shared: where that other one is.")
    likeness: float | None = Field(description="From 0 to 1.")

    @classmethod
    def from_warned(cls, warned: Warned) -> "WarningOut":
        return cls(
            code=warned.code,
            message=NameOut.from_text(warned.text),
            position=warned.position,
            count=warned.count,
            material_id=warned.other,
            place=warned.place,
            likeness=warned.likeness,
        )


class CommentIn(Shape):
    model_config = CLOSED

    text: Annotated[Words, Field(min_length=1, max_length=5000)]
    position: int | None = Field(default=None, ge=1, description="File the remark is about.")
    place: Annotated[Words, Field(max_length=200)] | None = Field(default=None, description="Page, slide, minute …")


class CommentOut(Shape):
    id: UUID
    author: str = Field(description="Subject of the person's token; never a name.")
    text: str
    position: int | None
    place: str | None
    at: dt.datetime

    @classmethod
    def from_row(cls, row: VersionComment) -> "CommentOut":
        return cls.model_validate(row, from_attributes=True)
