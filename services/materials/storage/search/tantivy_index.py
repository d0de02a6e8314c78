"""The index by tantivy, in memory: words as typed and words without marks, one beside the other."""

import collections
import re
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import tantivy
from tantivy import Occur, Query

from services.materials.domain.search_words import Wish, fold, words
from services.materials.storage.search.port import FACETS, Document, Found, Search, Visible

# Above any BM25 score there is: what has the very marks that were typed comes before what has not.
_TIER = 1000.0
_TITLE = 3.0
_DEEPEST = 10_000
_HEAP_BYTES = 64_000_000
_RAW = ("id", "key", "seen", "school", "subject", "grade", "type", "licence", "requirement")
_TEXTS = ("title", "body")
_MAX_FACET_VALUES = 2_000


class TantivyIndex:
    """A `SearchIndex`."""

    def __init__(self) -> None:
        builder = tantivy.SchemaBuilder()
        for name in _RAW:
            builder.add_text_field(
                name, stored=name == "key", fast=name in FACETS, tokenizer_name="raw", index_option="basic"
            )
        for name in _TEXTS:
            for field in (name, f"{name}_plain"):
                builder.add_text_field(field, tokenizer_name="whitespace", index_option="position")
        builder.add_text_field("shown", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_unsigned_field("changed", fast=True, indexed=True)
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        self._writer = self._index.writer(_HEAP_BYTES, 1)
        self._written = threading.Lock()
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
            for each in documents:
                self._writer.add_document(self._document(each))
                for word in words(each.title):
                    plain = fold(word)
                    self._vocabulary[plain] += 1
                    self._typed.setdefault(plain, word)
            self._writer.commit()
            self._index.reload()

    def _document(self, each: Document) -> tantivy.Document:
        document = tantivy.Document()
        document.add_text("id", each.material_id)
        document.add_text("key", each.key)
        document.add_text("shown", each.title)
        document.add_text("seen", "shared" if each.place == "shared" else f"school:{each.school}")
        document.add_text("school", each.school)
        document.add_text("type", each.type)
        document.add_text("licence", each.licence or "none")
        for name, values in (("subject", each.subjects), ("grade", each.grades)):
            for value in values:
                document.add_text(name, value)
        for above in {code for requirement in each.requirements for code in _above(requirement)}:
            document.add_text("requirement", above)
        for name, text in (("title", each.title), ("body", f"{each.description}\n{each.text}")):
            spaced = " ".join(words(text))
            document.add_text(name, spaced)
            document.add_text(f"{name}_plain", fold(spaced))
        document.add_unsigned("changed", each.changed)
        return document

    def search(self, wanted: Search) -> Found:
        searcher = self._index.searcher()
        query = self._query(wanted.wish, wanted.visible, wanted.filters)
        depth = min(_DEEPEST, wanted.seen + wanted.limit + 1)
        options: dict[str, Any] = {}
        if wanted.sort == "newest" or wanted.wish.empty:
            options = {"order_by_field": "changed", "order": tantivy.Order.Desc}
        result = searcher.search(query, depth, count=True, **options)
        keys = [searcher.doc(address)["key"][0] for _, address in result.hits[self._start(searcher, result, wanted) :]]
        counts = self._counts(searcher, query, wanted.facets)
        total: int = result.count  # type: ignore[attr-defined]  # left out of its stubs
        return Found(keys[: wanted.limit], total, counts, len(keys) > wanted.limit)

    def _start(self, searcher: tantivy.Searcher, result: tantivy.SearchResult, wanted: Search) -> int:
        """Behind the last item seen, wherever it stands now; where it stood then when it is gone."""
        if wanted.after is None:
            return 0
        around = range(max(0, wanted.seen - 50), len(result.hits))
        for place in around:
            if searcher.doc(result.hits[place][1])["key"][0] == wanted.after:
                return place + 1
        return wanted.seen

    def _counts(
        self, searcher: tantivy.Searcher, query: Query, facets: Collection[str]
    ) -> Mapping[str, Mapping[str, int]]:
        if not facets:
            return {}
        asked = {name: {"terms": {"field": name, "size": _MAX_FACET_VALUES}} for name in facets}
        said = searcher.aggregate(query, asked)
        return {name: {bucket["key"]: bucket["doc_count"] for bucket in said[name]["buckets"]} for name in facets}

    def suggest(self, wish: Wish, visible: Visible, limit: int) -> list[str]:
        searcher = self._index.searcher()
        query = self._query(wish, visible, {}, fields=("title",))
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

    def _query(
        self,
        wish: Wish,
        visible: Visible,
        filters: Mapping[str, Sequence[str]],
        fields: Sequence[str] = _TEXTS,
    ) -> Query:
        parts: list[tuple[Occur, Query]] = [(Occur.Must, self._unscored(self._visible(visible)))]
        parts += [(Occur.Must, self._unscored(self._any(name, values))) for name, values in filters.items() if values]
        parts += [(Occur.Must, query) for query in self._text(wish, fields, plain=True)]
        if wish.marked:
            exact = Query.boolean_query([(Occur.Must, query) for query in self._text(wish, fields, plain=False)])
            parts.append((Occur.Should, Query.const_score_query(exact, _TIER)))
        return Query.boolean_query(parts)

    def _visible(self, visible: Visible) -> Query:
        """Own schools' documents, and shared ones of others: what a school shares is found once by its own people."""
        shared = self._term("seen", "shared")
        if visible.schools is None:
            everything = [(Occur.Must, Query.all_query()), (Occur.MustNot, shared)]
            return shared if visible.shared else Query.boolean_query(everything)
        own = [self._term("seen", f"school:{school}") for school in sorted(visible.schools)]
        ways = [(Occur.Should, query) for query in own]
        if visible.shared:
            here = [(Occur.MustNot, self._term("school", school)) for school in sorted(visible.schools)]
            ways.append((Occur.Should, Query.boolean_query([(Occur.Must, shared), *here])))
        return Query.boolean_query(ways) if ways else Query.empty_query()

    def _text(self, wish: Wish, fields: Sequence[str], *, plain: bool) -> Iterable[Query]:
        """One query per word, phrase and beginning; each of them must be somewhere."""
        names = [f"{name}_plain" if plain else name for name in fields]

        def said(word: str) -> str:
            return fold(word) if plain else word

        for word in wish.words:
            yield self._best(names, [self._term(name, said(word)) for name in names])
        for phrase in wish.phrases:
            spoken: list[str | tuple[int, str]] = [said(word) for word in phrase]
            yield self._best(names, [Query.phrase_query(self._schema, name, spoken) for name in names])
        if wish.beginning is not None:
            begun = said(wish.beginning)
            for_word = [self._term(name, begun) for name in names]
            pattern = f"{re.escape(begun)}.*"
            starts = [Query.regex_query(self._schema, name, pattern) for name in names]
            yield Query.disjunction_max_query([self._best(names, for_word), self._best(names, starts)])

    def _best(self, names: Sequence[str], queries: Sequence[Query]) -> Query:
        weighted = [
            Query.boost_query(query, _TITLE) if name.startswith("title") else query
            for name, query in zip(names, queries, strict=True)
        ]
        return Query.disjunction_max_query(weighted)

    def _any(self, name: str, values: Sequence[str]) -> Query:
        return Query.boolean_query([(Occur.Should, self._term(name, value)) for value in values])

    def _term(self, name: str, value: str) -> Query:
        return Query.term_query(self._schema, name, value, index_option="basic")

    def _unscored(self, query: Query) -> Query:
        return Query.const_score_query(query, 0.0)


def _above(code: str) -> list[str]:
    """A requirement's code and those above it: A.1.2 is found by A.1 and by A."""
    parts = code.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


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
