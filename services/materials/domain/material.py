"""Values of a material that the use cases hand around."""

from dataclasses import dataclass

from services.materials.domain.catalogue import Licence, MaterialType
from services.materials.domain.file_types import FileType


@dataclass(frozen=True, slots=True)
class Draft:
    """What the author says about a material; checked, in NFC, grades in curriculum order without repeats."""

    school_sourced_id: str
    title: str
    description: str
    type: MaterialType
    subject: str
    grades: tuple[str, ...]
    language: str
    licence: Licence
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that already lies in the content store; `sha256` is hexadecimal, `size` in bytes."""

    name: str
    kind: FileType
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: `schools` they were granted (None: all of them), and `reviews_at` the schools they review for.

    What is not approved yet is there for its author, the reviewers of its school, and those who see all schools.
    """

    subject: str
    schools: frozenset[str] | None
    reviews_at: frozenset[str]
