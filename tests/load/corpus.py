"""Texts that look like Vietnamese lessons: words of real syllables in the frequencies of a language (Zipf)."""

import itertools
import random
import unicodedata
from collections.abc import Iterator

from services.materials.storage.search.port import Document

_ONSETS = (
    *("b", "c", "ch", "d", "đ", "g", "gh", "gi", "h", "k", "kh", "l", "m", "n", "ng", "nh", "ph", "qu", "r", "s"),
    *("t", "th", "tr", "v", "x"),
)
_RIMES = (
    *("a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y", "ai", "ao", "an", "ang", "anh", "ay", "âu", "em"),
    *("ên", "iên", "in", "inh", "oan", "ong", "ôn", "ôi", "ơi", "um", "ung", "uyên", "ương", "ich", "ac", "at", "ap"),
)
_TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
_VOCABULARY = 9_000
TITLE, BODY = 6, 60


class Corpus:
    """`words` from the most common to the rarest; the same seed gives the same texts."""

    def __init__(self, seed: int = 2026) -> None:
        self._chance = random.Random(seed)
        found: dict[str, None] = {}
        while len(found) < _VOCABULARY:
            found.setdefault(self._syllable() + (self._syllable() if self._chance.random() < 0.5 else ""))
        self.words = list(found)
        self._weights = list(itertools.accumulate(1 / (rank + 5) for rank in range(_VOCABULARY)))

    def _syllable(self) -> str:
        rime = self._chance.choice(_RIMES)
        place = self._chance.randrange(len(rime)) + 1
        tone = self._chance.choice(_TONES)
        return unicodedata.normalize("NFC", self._chance.choice(_ONSETS) + rime[:place] + tone + rime[place:])

    def text(self, length: int) -> str:
        return " ".join(self._chance.choices(self.words, cum_weights=self._weights, k=length))

    def documents(self, count: int) -> Iterator[Document]:
        """Materials of 600 schools, nine of ten shared by the city."""
        for number in range(count):
            yield Document(
                material_id=f"{number:032x}",
                place="school" if number % 10 == 0 else "shared",
                school=f"truong-{number % 600}",
                title=self.text(TITLE),
                description="",
                text=self.text(BODY),
                subjects=(f"subject-{number % 15}",),
                grades=(str(6 + number % 7),),
                type=f"type-{number % 12}",
                licence=f"licence-{number % 8}",
                requirements=(),
                changed=number,
            )
