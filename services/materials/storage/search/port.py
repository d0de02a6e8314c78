"""What is found, how it is asked for, and what an index must do."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from services.materials.domain.search_words import Wish

Place = Literal["school", "shared"]
FACETS = ("subject", "grade", "type", "school", "licence")


@dataclass(frozen=True, slots=True)
class Document:
    """One thing to find: a material as its school uses it, or as the city shares it. `changed` is Unix time."""

    material_id: str
    place: Place
    school: str
    title: str
    description: str
    text: str
    subjects: tuple[str, ...]
    grades: tuple[str, ...]
    type: str
    licence: str
    requirements: tuple[str, ...]
    changed: int

    @property
    def key(self) -> str:
        return f"{self.material_id}/{self.place}"


@dataclass(frozen=True, slots=True)
class Visible:
    """What the caller may find: `schools` None means every school; `shared` whether the city's shelf is wanted."""

    schools: frozenset[str] | None
    shared: bool = True


@dataclass(frozen=True, slots=True)
class Search:
    """A question. `filters` hold alternatives by name of a facet or `requirement`; `after` is the last key seen."""

    wish: Wish
    visible: Visible
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: Literal["relevance", "newest"] = "relevance"
    limit: int = 20
    seen: int = 0
    after: str | None = None
    facets: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Keys in order, how many there are in all, and counts by facet over all of them."""

    keys: list[str]
    total: int
    facets: Mapping[str, Mapping[str, int]]
    more: bool


class SearchIndex(Protocol):
    """Calls of `search` and `suggest` may come from several threads at once; `apply` from one."""

    def apply(self, documents: Sequence[Document], gone: Collection[str]) -> None:
        """Replace these materials' documents: `gone` are the ids of materials all of whose documents go first."""

    def search(self, wanted: Search) -> Found: ...

    def suggest(self, wish: Wish, visible: Visible, limit: int) -> list[str]:
        """Titles that begin to say what is being typed, best first, each once."""

    def did_you_mean(self, wish: Wish) -> str | None:
        """The wish with words nobody wrote replaced by near ones that somebody did."""

    @property
    def size(self) -> int:
        """Documents in the index."""
