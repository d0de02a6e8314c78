"""The API's shapes: camelCase outside, rows inside; they meet only in `from_row`."""

import datetime as dt
import unicodedata
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from services.materials.domain.catalogue import TYPE_NAMES, Grade, Licence, MaterialType, Subject
from services.materials.domain.material import Draft
from services.materials.domain.review import REASON_MAX, Action, State, allowed_actions
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.tables import ReviewStep
from shared.errors import Text


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def _nfc(value: str) -> str:
    return unicodedata.normalize("NFC", value)


def _in_order(grades: list[Grade]) -> list[Grade]:
    return sorted(set(grades), key=int)


Words = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_nfc)]


class MaterialIn(_Shape):
    """What the author says about the material: the part `metadata` of the upload."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    school_sourced_id: str = Field(min_length=1, max_length=255, description="The author's school.")
    title: Annotated[Words, Field(min_length=1, max_length=300)]
    description: Annotated[Words, Field(max_length=5000)] = ""
    type: MaterialType
    subject: str = Field(max_length=64, description="Code from /materials/v1/catalogues/subjects.")
    grades: Annotated[list[Grade], AfterValidator(_in_order)] = Field(min_length=1, max_length=7)
    language: str = Field(
        default="vi", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35, description="BCP 47."
    )
    licence: Licence
    sources: list[Annotated[Words, Field(min_length=1, max_length=1000)]] = Field(
        default_factory=list, max_length=50, description="Works this one uses: title and author, or an address."
    )

    def to_draft(self) -> Draft:
        return Draft(
            school_sourced_id=self.school_sourced_id,
            title=self.title,
            description=self.description,
            type=self.type,
            subject=self.subject,
            grades=tuple(self.grades),
            language=self.language,
            licence=self.licence,
            sources=tuple(self.sources),
        )


class ReturnIn(_Shape):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    reason: Annotated[Words, Field(min_length=1, max_length=REASON_MAX)]


class FileOut(_Shape):
    name: str
    media_type: str
    size: int = Field(description="Bytes.")
    sha256: str


class ReviewStepOut(_Shape):
    action: Action
    from_state: State
    to_state: State
    actor: str = Field(description="Subject of the person's token; never a name.")
    reason: str | None
    at: dt.datetime

    @classmethod
    def from_row(cls, row: ReviewStep) -> "ReviewStepOut":
        return cls(
            action=Action(row.action),
            from_state=State(row.from_state),
            to_state=State(row.to_state),
            actor=row.actor,
            reason=row.reason,
            at=row.at,
        )


class MaterialSummaryOut(_Shape):
    """A material in a list: its newest version without the review history."""

    id: UUID
    school_sourced_id: str
    state: State
    version_id: UUID
    version_number: int
    author: str = Field(description="Subject of the author's token; never a name.")
    title: str
    description: str
    type: MaterialType
    subject: str
    grades: list[str]
    language: str
    licence: str
    sources: list[str]
    file: FileOut
    usable: bool = Field(description="Both steps are done: passed by the subject group, approved by the head.")
    allowed_actions: list[Action] = Field(description="What the state allows; who may do it is decided at the call.")
    created_at: dt.datetime
    submitted_at: dt.datetime | None
    passed_at: dt.datetime | None
    approved_at: dt.datetime | None

    @classmethod
    def from_row(cls, record: MaterialRecord) -> "MaterialSummaryOut":
        material, version = record.material, record.version
        state = State(version.state)
        return cls(
            id=material.id,
            school_sourced_id=material.school_sourced_id,
            state=state,
            version_id=version.id,
            version_number=version.number,
            author=version.author,
            title=version.title,
            description=version.description,
            type=MaterialType(version.type),
            subject=version.subject,
            grades=version.grades,
            language=version.language,
            licence=version.licence,
            sources=version.sources,
            file=FileOut(
                name=record.file.name,
                media_type=record.content.media_type,
                size=record.content.size,
                sha256=record.content.sha256,
            ),
            usable=material.approved_number is not None,
            allowed_actions=[Action(action) for action in allowed_actions(state)],
            created_at=material.created_at,
            submitted_at=version.submitted_at,
            passed_at=version.passed_at,
            approved_at=version.approved_at,
        )


class MaterialOut(MaterialSummaryOut):
    """One material with the review history of its newest version, oldest step first."""

    reviews: list[ReviewStepOut]

    @classmethod
    def from_row(cls, record: MaterialRecord) -> "MaterialOut":
        summary = MaterialSummaryOut.from_row(record)
        return cls(**dict(summary), reviews=[ReviewStepOut.from_row(step) for step in record.steps])


class NameOut(_Shape):
    vi: str
    en: str

    @classmethod
    def from_text(cls, text: Text) -> "NameOut":
        return cls(vi=text.vi, en=text.en)


class OfferOut(_Shape):
    grades: list[str]
    kind: Literal["compulsory", "elective", "optional"]
    verified: bool = Field(description="False: written from memory, to be confirmed with the official curriculum.")


class SubjectOut(_Shape):
    code: str
    name: NameOut
    offers: list[OfferOut]

    @classmethod
    def from_subject(cls, subject: Subject) -> "SubjectOut":
        offers = [OfferOut(grades=list(one.grades), kind=one.kind, verified=one.verified) for one in subject.offers]
        return cls(code=subject.code, name=NameOut.from_text(subject.name), offers=offers)


class TypeOut(_Shape):
    code: MaterialType
    name: NameOut

    @classmethod
    def all(cls) -> "list[TypeOut]":
        return [cls(code=code, name=NameOut.from_text(name)) for code, name in TYPE_NAMES.items()]
