"""Values of a material that the use cases hand around."""

from dataclasses import dataclass

from services.materials.domain.catalogue import MaterialType


@dataclass(frozen=True, slots=True)
class Author:
    """Someone to be credited: the `name` that stands in the work, and their token's subject when they have one."""

    name: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the author says about a version; checked, in NFC, grades in curriculum order without repeats.

    `subject` is the main one: its subject group reviews. `requirements` are codes of the curriculum (yêu cầu cần đạt).
    """

    title: str
    description: str
    type: MaterialType
    subject: str
    other_subjects: tuple[str, ...]
    grades: tuple[str, ...]
    requirements: tuple[str, ...]
    language: str
    authors: tuple[Author, ...]
    licence: str | None
    sources: tuple[str, ...]
    rights_statement: str
    duration_seconds: int | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A new material: its school and what its first version says."""

    school_sourced_id: str
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: `schools` they were granted (None: all of them), and `reviews_at` the schools they review for.

    What is not published yet is there for its author, the reviewers of its school, and those who see all schools.
    """

    subject: str
    schools: frozenset[str] | None
    reviews_at: frozenset[str]
