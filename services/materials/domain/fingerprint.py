"""How alike two texts are, from a sketch of each: the smallest hashes of their runs of words (bottom-k MinHash)."""

import hashlib
from collections.abc import Sequence

from services.materials.domain.search_words import fold, words

RUN = 4
SIZE = 64
# Below this many runs two texts are alike by chance: a title page, a form.
FEWEST_RUNS = 20


def sketch_of(text: str) -> list[int]:
    """At most `SIZE` signed 64-bit numbers in order; empty for a text too short to be compared."""
    said = words(fold(text))
    runs = {" ".join(said[place : place + RUN]) for place in range(len(said) - RUN + 1)}
    if len(runs) < FEWEST_RUNS:
        return []
    hashes = (hashlib.blake2b(run.encode(), digest_size=8).digest() for run in runs)
    return sorted(int.from_bytes(each, "big", signed=True) for each in hashes)[:SIZE]


def likeness(one: Sequence[int], other: Sequence[int]) -> float:
    """An estimate of how many runs of words the two texts share, from 0 to 1."""
    together = sorted({*one, *other})[:SIZE]
    common = {*one} & {*other}
    return sum(each in common for each in together) / len(together) if together else 0.0
