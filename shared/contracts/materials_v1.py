"""Events of the materials service, version 1."""

from datetime import date, datetime
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


class MaterialWithdrawn(EventData):
    """No version of the material has both steps any more: it no longer counts. Aggregate `material:<materialId>`."""

    TYPE: ClassVar[str] = "materials.material.withdrawn.v1"

    material_id: UUID
    version_id: UUID = Field(description="The version that was withdrawn last.")
    school_sourced_id: str
    withdrawn_at: datetime


class ReviewMoved(EventData):
    """A version moved in its review, for those who notify people. Aggregate `review:<materialId>`.

    `author` and `actor` are subjects of tokens, never names.
    """

    TYPE: ClassVar[str] = "materials.review.moved.v1"

    material_id: UUID
    version_id: UUID
    version_number: int
    school_sourced_id: str
    subject: str
    grades: tuple[str, ...] = ()
    author: str
    actor: str
    action: str = Field(description="submit, confirm, pass, approve, publish, return or withdraw.")
    from_state: str
    to_state: str
    at: datetime


class ProposalMoved(EventData):
    """A version before the city's panel moved on, for those who notify people. Aggregate `proposal:<proposalId>`.

    `reviewers` are those now asked to appraise it; subjects of tokens, never names.
    """

    TYPE: ClassVar[str] = "materials.proposal.moved.v1"

    proposal_id: UUID
    material_id: UUID
    version_id: UUID
    version_number: int
    school_sourced_id: str
    subject: str
    level: str
    state: str
    reviewers: tuple[str, ...] = ()
    at: datetime


class ShelfChanged(EventData):
    """The city shares a version of a material, or shares the material no longer. Aggregate `shelf:<materialId>`."""

    TYPE: ClassVar[str] = "materials.shelf.changed.v1"

    material_id: UUID
    version_id: UUID
    version_number: int
    school_sourced_id: str
    shared: bool = Field(description="False: withdrawn from the shelf; a tombstone stays.")
    at: datetime


class CoverageUpdated(EventData):
    """How many materials of a school have both steps now: criterion 1.4 counts them. Aggregate `coverage:<school>`."""

    TYPE: ClassVar[str] = "materials.coverage.updated.v1"

    school_sourced_id: str
    on: date
    approved: int = Field(ge=0, description="Materials passed by the group and approved by the head, not withdrawn.")
    presentations: int = Field(ge=0, description="Of these, slides only (type presentation of Circular 21/2017).")
    at: datetime
