"""The index by tantivy, in memory: words as typed and words without marks, one beside the other."""

import collections
import os
import re
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import tantivy
from pyroaring import BitMap
from tantivy import Occur, Query

from services.materials.domain.search_words import Wish, fold, words
from services.materials.storage.search.port import FACETS, Document, Found, Search, Visible
from services.materials.storage.search.tally import Tally, values_of

# How often a title's words stand in the field that is ranked: there one word weighs as much as several in a text.
_TITLE_TIMES = 4
# No word: keeps a phrase from going over the border of two texts.
_BORDER = " \u00b6 "
_DEEPEST = 10_000
_HEAP_BYTES = 64_000_000
_RAW = ("id", "key", "place", "school", "subject", "grade", "type", "licence", "requirement")
_TYPED, _PLAIN = "typed", "plain"
_MAX_FACET_VALUES = 2_000
# Above any score there is, for titles that are suggested.
_TIER = 1000.0
# Below this share of allowed hits it is cheaper to let the index filter than to leave hits out afterwards.
_MOST = 0.4


class TantivyIndex:
    """A `SearchIndex`: tantivy ranks, the tally counts.

    `typed` holds the words as they are written, `plain` without marks; title and text in one field each, so that one
    word of a question is one list to walk.
    """

    def __init__(self) -> None:
        builder = tantivy.SchemaBuilder()
        for name in _RAW:
            builder.add_text_field(
                name, stored=name == "key", fast=name in FACETS, tokenizer_name="raw", index_option="basic"
            )
        for field in (_TYPED, _PLAIN, f"title_{_TYPED}", f"title_{_PLAIN}"):
            builder.add_text_field(field, tokenizer_name="whitespace", index_option="position")
        builder.add_text_field("shown", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_unsigned_field("changed", fast=True, indexed=True)
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        self._writer = self._index.writer(_HEAP_BYTES, 1)
        self._written = threading.Lock()
        self._tally = Tally()
        # More threads at once than half the cores only take the interpreter from each other: eight of them on two cores
        # made a search of half a millisecond wait for nine.
        self._turns = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) // 2))
        self._vocabulary: collections.Counter[str] = collections.Counter()
        self._typed: dict[str, str] = {}

    @property
    def size(self) -> int:
        count: int = self._index.searcher().num_docs
        return count

    def apply(self, documents: Sequence[Document], gone: Collection[str]) -> None:
        with self._written:
            for material_id in gone:
                self._writer.delete_documents_by_term("id", material_id)
            self._tally.apply([(each, self._add(each)) for each in documents], gone)
            self._writer.commit()
            self._index.reload()

    def _add(self, each: Document) -> list[str]:
        """Hand a document to the writer; its words without marks."""
        heading, text = words(each.title), words(f"{each.description}\n{each.text}")
        title, body = " ".join(heading), " ".join(text)
        plain_title, plain_body = fold(title), fold(body)
        document = tantivy.Document()
        document.add_text("id", each.material_id)
        document.add_text("key", each.key)
        document.add_text("shown", each.title)
        for name, values in values_of(each).items():
            for value in values:
                document.add_text(name, value)
        for name, said, rest in ((_TYPED, title, body), (_PLAIN, plain_title, plain_body)):
            document.add_text(f"title_{name}", said)
            document.add_text(name, _BORDER.join([*([said] * _TITLE_TIMES), rest]))
        document.add_unsigned("changed", each.changed)
        self._writer.add_document(document)
        plain = plain_title.split()
        for typed, word in zip(heading, plain, strict=False):
            self._vocabulary[word] += 1
            self._typed.setdefault(word, typed)
        return plain + plain_body.split()

    def search(self, wanted: Search) -> Found:
        with self._turns:
            return self._search(wanted)

    def _search(self, wanted: Search) -> Found:
        searcher = self._index.searcher()
        depth = min(_DEEPEST, wanted.seen + wanted.limit + 1)
        holding = self._tally.holding(wanted.wish)
        allowed = self._tally.allowed(wanted.visible, wanted.filters)
        hits = None if holding is None else holding & allowed
        share = 0.0 if hits is None or holding is None else len(hits) / max(1, len(holding))
        if wanted.sort == "newest" or wanted.wish.empty:
            found = self._newest(searcher, wanted, depth)
        elif wanted.after is None and share >= _MOST and hits is not None:
            keys = self._first(searcher, wanted, hits, depth, share)
            return self._found(wanted, keys, len(hits), self._tally.counts(hits, wanted.facets))
        else:
            found = self._ranked(searcher, wanted, depth)
        keys = [searcher.doc(address)["key"][0] for address in found[self._start(searcher, found, wanted) :]]
        if hits is not None:
            return self._found(wanted, keys, len(hits), self._tally.counts(hits, wanted.facets))
        query = self._query(wanted, _PLAIN)
        total: int = searcher.search(query, 1, count=True).count  # type: ignore[attr-defined]  # not in its stubs
        return self._found(wanted, keys, total, self._counts(searcher, query, wanted.facets))

    def _found(self, wanted: Search, keys: list[str], total: int, counts: Mapping[str, Mapping[str, int]]) -> Found:
        return Found(keys[: wanted.limit], total, counts, len(keys) > wanted.limit)

    def _newest(self, searcher: tantivy.Searcher, wanted: Search, depth: int) -> list[Any]:
        query = self._query(wanted, _PLAIN)
        found = searcher.search(query, depth, count=False, order_by_field="changed", order=tantivy.Order.Desc)
        return [address for _, address in found.hits]

    def _ranked(self, searcher: tantivy.Searcher, wanted: Search, depth: int) -> list[Any]:
        """What has the very marks that were typed, then what has not; the index filters."""
        query = self._query(wanted, _PLAIN)
        if not wanted.wish.marked:
            return [address for _, address in searcher.search(query, depth, count=False).hits]
        exact = self._query(wanted, _TYPED)
        first = [address for _, address in searcher.search(exact, depth, count=False).hits]
        if len(first) < depth:
            other = Query.boolean_query([(Occur.Must, query), (Occur.MustNot, exact)])
            first += [address for _, address in searcher.search(other, depth - len(first), count=False).hits]
        return first

    def _first(self, searcher: tantivy.Searcher, wanted: Search, hits: BitMap, depth: int, share: float) -> list[str]:
        """The same order for a first page most of whose candidates are allowed: those that are not are left out."""
        keys: dict[str, None] = {}
        asked = round(depth / share * 1.2) + 10
        for field in (_TYPED, _PLAIN) if wanted.wish.marked else (_PLAIN,):
            query = Query.boolean_query([(Occur.Must, part) for part in self._text(wanted.wish, field)])
            found = searcher.search(query, asked, count=False).hits
            for _, address in found:
                key = searcher.doc(address)["key"][0]
                if self._tally.number(key) in hits:
                    keys.setdefault(key)
                if len(keys) == depth:
                    return list(keys)
            if len(found) == asked:  # there are more, and too few of these were allowed
                rest = self._ranked(searcher, wanted, depth)
                return [searcher.doc(address)["key"][0] for address in rest]
        return list(keys)

    def _start(self, searcher: tantivy.Searcher, found: Sequence[Any], wanted: Search) -> int:
        """Behind the last item seen, wherever it stands now; where it stood then when it is gone."""
        if wanted.after is None:
            return 0
        for place in range(max(0, wanted.seen - 50), len(found)):
            if searcher.doc(found[place])["key"][0] == wanted.after:
                return place + 1
        return wanted.seen

    def _counts(
        self, searcher: tantivy.Searcher, query: Query, facets: Collection[str]
    ) -> Mapping[str, Mapping[str, int]]:
        """Where the tally cannot tell: with phrases."""
        if not facets:
            return {}
        asked = {name: {"terms": {"field": name, "size": _MAX_FACET_VALUES}} for name in facets}
        said = searcher.aggregate(query, asked)
        return {name: {bucket["key"]: bucket["doc_count"] for bucket in said[name]["buckets"]} for name in facets}

    def suggest(self, wish: Wish, visible: Visible, limit: int) -> list[str]:
        searcher = self._index.searcher()
        parts = [self._unscored(self._visible(visible)), *self._text(wish, f"title_{_PLAIN}")]
        ways = [(Occur.Must, part) for part in parts]
        if wish.marked:
            exact = [(Occur.Must, part) for part in self._text(wish, f"title_{_TYPED}")]
            ways.append((Occur.Should, Query.const_score_query(Query.boolean_query(exact), _TIER)))
        query = Query.boolean_query(ways)
        found: dict[str, None] = {}
        for _, address in searcher.search(query, limit * 5, count=False).hits:
            found.setdefault(searcher.doc(address)["shown"][0])
        return list(found)[:limit]

    def did_you_mean(self, wish: Wish) -> str | None:
        typed = [*wish.words, *([wish.beginning] if wish.beginning else [])]
        meant = [self._nearest(word) for word in typed]
        return " ".join(meant) if meant != typed else None

    def _nearest(self, word: str) -> str:
        """The word itself when a title has it; otherwise the most used word one letter away."""
        plain = fold(word)
        if plain in self._vocabulary:
            return word
        near = {each for each in _one_letter_away(plain) if each in self._vocabulary}
        if not near:
            return word
        best = max(near, key=lambda each: (self._vocabulary[each], each))
        return self._typed[best]

    def _query(self, wanted: Search, field: str) -> Query:
        """Everything that was asked for, over one field."""
        parts = [self._unscored(self._visible(wanted.visible))]
        parts += [self._unscored(self._any(name, values)) for name, values in wanted.filters.items() if values]
        parts += self._text(wanted.wish, field)
        return Query.boolean_query([(Occur.Must, part) for part in parts])

    def _visible(self, visible: Visible) -> Query:
        """Own schools' documents, and shared ones of others: what a school shares is found once by its own people."""
        shared = self._term("place", "shared")
        if visible.schools is None:
            everything = [(Occur.Must, Query.all_query()), (Occur.MustNot, shared)]
            return shared if visible.shared else Query.boolean_query(everything)
        own = self._any("school", sorted(visible.schools))
        there = Query.boolean_query([(Occur.Must, own), (Occur.MustNot, shared)])
        if not visible.shared:
            return there
        elsewhere = Query.boolean_query([(Occur.Must, shared), (Occur.MustNot, own)])
        return Query.boolean_query([(Occur.Should, there), (Occur.Should, elsewhere)])

    def _text(self, wish: Wish, field: str) -> list[Query]:
        """One query per word, phrase and beginning; each of them must be somewhere."""
        plain = field.endswith(_PLAIN)

        def said(word: str) -> str:
            return fold(word) if plain else word

        parts = [self._scored(field, said(word)) for word in wish.words]
        for phrase in wish.phrases:
            spoken: list[str | tuple[int, str]] = [said(word) for word in phrase]
            parts.append(Query.phrase_query(self._schema, field, spoken))
        if wish.beginning is not None:
            begun = said(wish.beginning)
            starts = Query.regex_query(self._schema, field, f"{re.escape(begun)}.*")
            parts.append(Query.disjunction_max_query([self._scored(field, begun), starts]))
        return parts

    def _any(self, name: str, values: Sequence[str]) -> Query:
        return Query.boolean_query([(Occur.Should, self._term(name, value)) for value in values])

    def _scored(self, field: str, word: str) -> Query:
        return Query.term_query(self._schema, field, word, index_option="freq")

    def _term(self, name: str, value: str) -> Query:
        return Query.term_query(self._schema, name, value, index_option="basic")

    def _unscored(self, query: Query) -> Query:
        return Query.const_score_query(query, 0.0)


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _one_letter_away(word: str) -> set[str]:
    """One letter dropped, changed, added or swapped with its neighbour."""
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    return {
        *(left + right[1:] for left, right in cuts if right),
        *(left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1),
        *(left + letter + right[1:] for left, right in cuts if right for letter in _LETTERS),
        *(left + letter + right for left, right in cuts for letter in _LETTERS),
    }
