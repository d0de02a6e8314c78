"""Who holds which word, school and subject, as compressed bitmaps (Roaring): counts without going through the hits.

The index ranks; this counts. Both hold the same documents, words and values, so that what one finds the other counts.
"""

import array
import bisect
import collections
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pyroaring import BitMap

from services.materials.domain.search_words import Wish, fold
from services.materials.storage.search.port import FACETS, Document, Visible

_NONE = BitMap()
# Up to so many hits it is cheaper to look at each of them than at each value.
_MANY = 20_000
# Facets of which a document has exactly one value: that one is kept by document number as well.
_SINGLE = ("school", "type", "licence")


class Tally:
    """Every document has a number of its own; numbers of documents that are gone are not given again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._keys_of: dict[str, list[str]] = {}
        self._next = 0
        self._alive = BitMap()
        self._gone = BitMap()
        self._words: dict[str, BitMap] = {}
        self._sorted: list[str] | None = None
        self._values: dict[str, dict[str, BitMap]] = collections.defaultdict(dict)
        self._columns: dict[str, array.array[int]] = {name: array.array("I") for name in _SINGLE}
        self._codes: dict[str, dict[str, int]] = {name: {} for name in _SINGLE}

    def apply(self, documents: Sequence[tuple[Document, Iterable[str]]], gone: Collection[str]) -> None:
        """Documents with their words, without marks, each once or more."""
        with self._lock:
            for material_id in gone:
                for key in self._keys_of.pop(material_id, ()):
                    number = self._numbers.pop(key)
                    self._alive.discard(number)
                    self._gone.add(number)
            added: dict[str, list[int]] = collections.defaultdict(list)
            for each, plain in documents:
                self._add(each)
                number = self._next - 1
                for word in set(plain):
                    added[word].append(number)
            for word, numbers in added.items():
                known = self._words.get(word)
                if known is None:
                    self._words[word] = BitMap(numbers)
                    self._sorted = None
                else:
                    known.update(numbers)
            if len(self._gone) > len(self._alive) // 4:
                self._forget()

    def _add(self, each: Document) -> None:
        number, self._next = self._next, self._next + 1
        self._numbers[each.key] = number
        self._keys_of.setdefault(each.material_id, []).append(each.key)
        self._alive.add(number)
        for name, values in values_of(each).items():
            held = self._values[name]
            for value in values:
                held.setdefault(value, BitMap()).add(number)
            if name in _SINGLE:
                codes = self._codes[name]
                self._columns[name].extend(codes.setdefault(value, len(codes)) for value in values)

    def _forget(self) -> None:
        """Take numbers that are gone out of every bitmap."""
        for held in (self._words, *self._values.values()):
            for name in list(held):
                held[name] -= self._gone
                if not held[name]:
                    del held[name]
        self._gone, self._sorted = BitMap(), None

    def allowed(self, visible: Visible, filters: Mapping[str, Sequence[str]]) -> BitMap:
        """What the caller may find of what the filters leave. It is theirs to keep."""
        with self._lock:
            left = self._alive & self._visible(visible)
            for name, values in filters.items():
                if values:
                    left &= self._any(name, values)
            return left

    def holding(self, wish: Wish) -> BitMap | None:
        """What holds every word, also of documents that are gone; None when only the index can tell (phrases)."""
        if wish.phrases:
            return None
        with self._lock:
            found: list[BitMap] = [self._words.get(fold(word), _NONE) for word in wish.words]
            if wish.beginning is not None:
                found.append(self._beginning(fold(wish.beginning)))
            if not found:
                return self._alive.copy()
            found.sort(key=len)
            left = found[0].copy()
            for each in found[1:]:
                left &= each
            return left

    def counts(self, hits: BitMap, facets: Collection[str]) -> Mapping[str, Mapping[str, int]]:
        """By facet and value, over all the hits."""
        numbers = np.frombuffer(hits.to_array(), dtype=np.uint32) if 0 < len(hits) <= _MANY else None
        with self._lock:
            return {name: self._count(name, hits, numbers) for name in facets}

    def _count(self, name: str, hits: BitMap, numbers: "np.ndarray[Any, Any] | None") -> Mapping[str, int]:
        if numbers is not None and name in _SINGLE:
            # The view must be gone before the column grows again: it lives in this one line.
            counted = np.bincount(np.frombuffer(self._columns[name], dtype=np.uint32)[numbers]).tolist()
            return {value: count for value, count in zip(self._codes[name], counted, strict=False) if count}
        common: Callable[[BitMap], int] = hits.intersection_cardinality
        found = ((value, common(held)) for value, held in self._values[name].items())
        return {value: count for value, count in found if count}

    def number(self, key: str) -> int:
        """Of a document, or one that nothing holds."""
        return self._numbers.get(key, self._next)

    def _visible(self, visible: Visible) -> BitMap:
        """Own schools' documents, and shared ones of others: what a school shares is found once by its own people."""
        shared = self._values["place"].get("shared", _NONE)
        if visible.schools is None:
            return shared if visible.shared else self._alive - shared
        own = self._any("school", visible.schools)
        return own ^ shared if visible.shared else own - shared

    def _any(self, name: str, values: Iterable[str]) -> BitMap:
        held = self._values[name]
        return BitMap.union(_NONE, *(held.get(value, _NONE) for value in values))

    def _beginning(self, begun: str) -> BitMap:
        if self._sorted is None:
            self._sorted = sorted(self._words)
        first = bisect.bisect_left(self._sorted, begun)
        last = bisect.bisect_left(self._sorted, begun + "\U0010ffff")
        return BitMap.union(_NONE, *(self._words[word] for word in self._sorted[first:last]))


def values_of(each: Document) -> Mapping[str, Collection[str]]:
    """What a document is filtered and counted by."""
    return {
        "school": (each.school,),
        "subject": set(each.subjects),
        "grade": set(each.grades),
        "type": (each.type,),
        "licence": (each.licence or "none",),
        "requirement": {code for requirement in each.requirements for code in _above(requirement)},
        "place": (each.place,),
    }


def _above(code: str) -> list[str]:
    """A requirement's code and those above it: A.1.2 is found by A.1 and by A."""
    parts = code.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


assert set(FACETS) <= {"school", "subject", "grade", "type", "licence"}
