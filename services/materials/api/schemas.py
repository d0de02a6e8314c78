"""The API's shapes: camelCase outside, rows inside; they meet only in `from_row`."""

import datetime as dt
import unicodedata
from typing import Annotated, Literal
from uuid import UUID

from packaging.licenses import canonicalize_license_expression
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from services.materials.domain.catalogue import TYPE_NAMES, Grade, MaterialType, Subject
from services.materials.domain.material import Author, Draft, Metadata
from services.materials.domain.review import Action, State, allowed_actions
from services.materials.storage.files import HeldFile
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.tables import FileCheck, MaterialVersion, ReviewStep
from services.materials.storage.uses import VersionUse
from services.materials.usecases.evidence import Uses
from services.materials.usecases.review_material import work_of
from shared.errors import Text


class Shape(BaseModel):
    """camelCase outside, snake_case inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


CLOSED = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


def _nfc(value: str) -> str:
    return unicodedata.normalize("NFC", value)


def _in_order(grades: list[Grade]) -> list[Grade]:
    return sorted(set(grades), key=int)


def _known_licence(name: str) -> str:
    """One identifier in the spelling of SPDX; its expressions (`OR`, `AND`, `WITH`) leave open what holds."""
    known = str(canonicalize_license_expression(name))
    if " " in known:
        raise ValueError("one licence, no expression")
    return known


Words = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_nfc)]


class AuthorIn(Shape):
    """Someone to be credited, by the name that stands in the work."""

    model_config = CLOSED

    name: Annotated[Words, Field(min_length=1, max_length=200)]
    subject: str | None = Field(
        default=None, max_length=255, description="Subject of their token, when they have one: co-authors never review."
    )


class MetadataIn(Shape):
    """What the author says about a version."""

    model_config = CLOSED

    title: Annotated[Words, Field(min_length=1, max_length=300)]
    description: Annotated[Words, Field(max_length=5000)] = ""
    type: MaterialType
    subject: str = Field(
        max_length=64, description="Main subject: its group reviews. Code from /materials/v1/catalogues/subjects."
    )
    other_subjects: list[Annotated[str, Field(max_length=64)]] = Field(default_factory=list, max_length=10)
    grades: Annotated[list[Grade], AfterValidator(_in_order)] = Field(min_length=1, max_length=7)
    requirements: list[Annotated[Words, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=100, description="Codes of curriculum requirements (yêu cầu cần đạt)."
    )
    language: str = Field(
        default="vi", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35, description="BCP 47."
    )
    authors: list[AuthorIn] = Field(default_factory=list, max_length=50)
    licence: Annotated[str, Field(max_length=100), AfterValidator(_known_licence)] | None = Field(
        default=None,
        description="SPDX identifier, as CC-BY-4.0; `LicenseRef-...` for others. Without one, reviewers are warned.",
    )
    sources: list[Annotated[Words, Field(min_length=1, max_length=1000)]] = Field(
        default_factory=list, max_length=50, description="Works this one uses: title and author, or an address."
    )
    rights_statement: Annotated[Words, Field(max_length=2000)] = ""
    duration: Annotated[dt.timedelta, Field(ge=dt.timedelta(0), le=dt.timedelta(days=30))] | None = Field(
        default=None, description="How long it plays or takes in class (ISO 8601, as PT45M)."
    )

    def to_metadata(self) -> Metadata:
        return Metadata(
            title=self.title,
            description=self.description,
            type=self.type,
            subject=self.subject,
            other_subjects=tuple(dict.fromkeys(each for each in self.other_subjects if each != self.subject)),
            grades=tuple(self.grades),
            requirements=tuple(dict.fromkeys(self.requirements)),
            language=self.language,
            authors=tuple(Author(each.name, each.subject) for each in self.authors),
            licence=self.licence,
            sources=tuple(self.sources),
            rights_statement=self.rights_statement,
            duration_seconds=None if self.duration is None else round(self.duration.total_seconds()),
        )


class MaterialIn(MetadataIn):
    """A new material: its school, and what its first version says. The part `metadata` of an upload."""

    school_sourced_id: str = Field(min_length=1, max_length=255, description="The author's school.")

    def to_draft(self) -> Draft:
        return Draft(school_sourced_id=self.school_sourced_id, metadata=self.to_metadata())


class NameOut(Shape):
    vi: str
    en: str

    @classmethod
    def from_text(cls, text: Text) -> "NameOut":
        return cls(vi=text.vi, en=text.en)


class UploadIn(Shape):
    """A complete resumable upload that becomes a file of the draft."""

    model_config = CLOSED

    upload: UUID = Field(description="Id at the end of the upload's address.")
    name: str | None = Field(default=None, min_length=1, max_length=200, description="Default: as it was uploaded.")


class LinkOut(Shape):
    """A signed link on the address for content."""

    url: str
    expires_at: dt.datetime


class FileProblemOut(Shape):
    """Something a reviewer should know; it did not keep the file out."""

    code: str
    message: NameOut
    place: str | None = Field(description="Name or path inside the file.")


class CheckOut(Shape):
    """What the content was found to be, and what the virus scanner said."""

    kind: str = Field(description="As pdf, pptx, scorm_1_2, scorm_2004, cmi5, common_cartridge, h5p.")
    standard: str | None = Field(description="As SCORM 2004 3rd Edition.")
    title: str | None
    launch: str | None = Field(description="Path in the package at which it starts.")
    pages: int | None
    contents: list[str]
    problems: list[FileProblemOut]
    scan: Literal["not_scanned", "clean", "infected"]
    has_thumbnail: bool

    @classmethod
    def from_row(cls, row: FileCheck) -> "CheckOut":
        said = row.details
        problems = [
            FileProblemOut(code=each["code"], message=NameOut(vi=each["vi"], en=each["en"]), place=each["place"])
            for each in said.get("problems", [])
        ]
        return cls(
            kind=row.kind or "",
            standard=said.get("standard"),
            title=said.get("title"),
            launch=said.get("launch"),
            pages=said.get("pages"),
            contents=said.get("contents", []),
            problems=problems,
            scan=row.scan,
            has_thumbnail=row.thumbnail_sha256 is not None,
        )


class FileOut(Shape):
    position: int = Field(description="Place in the version, from 1; the address of the file.")
    name: str
    media_type: str
    size: int = Field(description="Bytes.")
    sha256: str
    check: CheckOut | None = Field(description="What the content was found to be.")

    @classmethod
    def from_row(cls, held: HeldFile) -> "FileOut":
        return cls(
            check=None if held.check is None else CheckOut.from_row(held.check),
            position=held.file.position,
            name=held.file.name,
            media_type=held.content.media_type,
            size=held.content.size,
            sha256=held.content.sha256,
        )


class ReviewStepOut(Shape):
    action: Action
    from_state: State
    to_state: State
    actor: str = Field(description="Subject of the person's token; never a name.")
    reason: str | None
    step: str | None = Field(description="Code of the school's own step that was confirmed.")
    delegated: bool = Field(description="Decided for the head, by delegation (KT.).")
    at: dt.datetime

    @classmethod
    def from_row(cls, row: ReviewStep) -> "ReviewStepOut":
        return cls(
            action=Action(row.action),
            from_state=State(row.from_state),
            to_state=State(row.to_state),
            actor=row.actor,
            reason=row.reason,
            step=row.step,
            delegated=row.duty_id is not None,
            at=row.at,
        )


class MaterialSummaryOut(Shape):
    """A material in a list: the version the caller is shown, without the review history."""

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
    other_subjects: list[str]
    grades: list[str]
    requirements: list[str]
    language: str
    authors: list[AuthorIn]
    licence: str | None
    sources: list[str]
    rights_statement: str
    duration: dt.timedelta | None = Field(description="ISO 8601.")
    file: FileOut | None = Field(description="The first file; all of them are in `files`.")
    files: list[FileOut]
    in_use: int | None = Field(description="Number of the version the school uses.")
    usable: bool = Field(description="A version with both steps done is in use at the school.")
    allowed_actions: list[Action] = Field(description="What the state allows; who may do it is decided at the call.")
    created_at: dt.datetime
    submitted_at: dt.datetime | None
    passed_at: dt.datetime | None
    approved_at: dt.datetime | None
    published_at: dt.datetime | None
    withdrawn_at: dt.datetime | None

    @classmethod
    def from_row(cls, record: MaterialRecord) -> "MaterialSummaryOut":
        material, version = record.material, record.version
        files = [FileOut.from_row(held) for held in record.files]
        return cls(
            id=material.id,
            school_sourced_id=material.school_sourced_id,
            state=State(version.state),
            version_id=version.id,
            version_number=version.number,
            author=version.author,
            title=version.title,
            description=version.description,
            type=MaterialType(version.type),
            subject=version.subject,
            other_subjects=version.other_subjects,
            grades=version.grades,
            requirements=version.requirements,
            language=version.language,
            authors=[AuthorIn.model_validate(each) for each in version.authors],
            licence=version.licence or None,
            sources=version.sources,
            rights_statement=version.rights_statement,
            duration=None if version.duration_seconds is None else dt.timedelta(seconds=version.duration_seconds),
            file=files[0] if files else None,
            files=files,
            in_use=material.published_number,
            usable=material.published_number is not None,
            allowed_actions=allowed_actions(work_of(version)),
            created_at=material.created_at,
            submitted_at=version.submitted_at,
            passed_at=version.passed_at,
            approved_at=version.approved_at,
            published_at=version.published_at,
            withdrawn_at=version.withdrawn_at,
        )


class MaterialOut(MaterialSummaryOut):
    """One material with the review history of its newest version, oldest step first."""

    reviews: list[ReviewStepOut]

    @classmethod
    def from_row(cls, record: MaterialRecord) -> "MaterialOut":
        summary = MaterialSummaryOut.from_row(record)
        return cls(**dict(summary), reviews=[ReviewStepOut.from_row(step) for step in record.steps])


class ReportUseOut(Shape):
    """A submission that names a version of the material as evidence."""

    submission_id: UUID
    version_id: UUID
    school_sourced_id: str
    counts: bool = Field(description="While it does, the version can be neither withdrawn nor lost.")
    since: dt.datetime

    @classmethod
    def from_row(cls, row: VersionUse) -> "ReportUseOut":
        return cls.model_validate(row, from_attributes=True)


class UsesOut(Shape):
    """Where a material is used."""

    school_sourced_id: str
    in_use: int | None = Field(description="Version the school uses.")
    shared: int | None = Field(description="Version the city shares.")
    reports: list[ReportUseOut]

    @classmethod
    def from_uses(cls, uses: Uses) -> "UsesOut":
        reports = [ReportUseOut.from_row(row) for row in uses.reports]
        return cls(school_sourced_id=uses.school, in_use=uses.in_use, shared=uses.shared, reports=reports)


class VersionOut(Shape):
    """One version in the list of a material's versions."""

    id: UUID
    number: int
    state: State
    author: str = Field(description="Subject of the author's token; never a name.")
    title: str
    created_at: dt.datetime
    submitted_at: dt.datetime | None
    approved_at: dt.datetime | None
    published_at: dt.datetime | None
    withdrawn_at: dt.datetime | None

    @classmethod
    def from_row(cls, row: MaterialVersion) -> "VersionOut":
        return cls.model_validate(row, from_attributes=True)


class OfferOut(Shape):
    grades: list[str]
    kind: Literal["compulsory", "elective", "optional"]
    verified: bool = Field(description="False: written from memory, to be confirmed with the official curriculum.")


class SubjectOut(Shape):
    code: str
    name: NameOut
    offers: list[OfferOut]

    @classmethod
    def from_subject(cls, subject: Subject) -> "SubjectOut":
        offers = [OfferOut(grades=list(one.grades), kind=one.kind, verified=one.verified) for one in subject.offers]
        return cls(code=subject.code, name=NameOut.from_text(subject.name), offers=offers)


class TypeOut(Shape):
    code: MaterialType
    name: NameOut

    @classmethod
    def all(cls) -> "list[TypeOut]":
        return [cls(code=code, name=NameOut.from_text(name)) for code, name in TYPE_NAMES.items()]
