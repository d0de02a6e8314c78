"""Search over 200,000 materials against plain BM25 of tantivy over the same texts, with 1 and with 8 clients."""

# ruff: noqa: T201  # a table on the terminal is what it is for

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import tantivy
from tantivy import Occur, Query

from services.materials.domain.search_words import fold, wish_of, words
from services.materials.storage.search.port import FACETS, Document, Search, Visible
from services.materials.storage.search.tantivy_index import TantivyIndex
from tests.load.corpus import Corpus
from tests.load.figures import Figure, against, alone

TARGET = 1.5
_BATCH = 20_000
_TOP = 20
_ASKED = 160
_VISIBLE = Visible(frozenset({"truong-1"}))


class Plain:
    """What it is measured against: one field with all words, best twenty by BM25, nothing else."""

    def __init__(self) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("text", tokenizer_name="whitespace", index_option="position")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        self._writer = self._index.writer(64_000_000, 1)

    def add(self, documents: Sequence[Document]) -> None:
        for each in documents:
            document = tantivy.Document()
            document.add_text("text", fold(" ".join(words(f"{each.title} {each.text}"))))
            self._writer.add_document(document)
        self._writer.commit()
        self._index.reload()

    def search(self, said: Sequence[str]) -> int:
        terms = [(Occur.Must, Query.term_query(self._schema, "text", word)) for word in said]
        return len(self._index.searcher().search(Query.boolean_query(terms), _TOP, count=False).hits)


def figures(*, items: int, rounds: int) -> list[Figure]:
    corpus = Corpus()
    ours, plain = TantivyIndex(), Plain()
    built = 0.0
    batch: list[Document] = []
    for document in corpus.documents(items):
        batch.append(document)
        if len(batch) == _BATCH:
            built += _added(ours, plain, batch)
            batch = []
    built += _added(ours, plain, batch)
    found = [alone(f"search: index of {items:,} materials built from nothing", "s", [built])]
    classes = {
        "rare word": corpus.words[6000 : 6000 + 40],
        "title word": corpus.words[300:340],
        "common pair": [f"{one} {other}" for one, other in zip(corpus.words[5:45], corpus.words[50:90], strict=True)],
        "very common word": corpus.words[:4],
    }
    for clients in (1, 8):
        for name, texts in classes.items():
            for marked in (True, False):
                found.append(_class(ours, plain, name, texts, clients=clients, marked=marked, rounds=rounds))
                print(f"{found[-1].name}: {found[-1].value:.2f} {found[-1].unit}, ratio {found[-1].ratio}", flush=True)
    return found


def _added(ours: TantivyIndex, plain: Plain, batch: Sequence[Document]) -> float:
    """Seconds ours took."""
    started = time.perf_counter()
    if batch:
        ours.apply(batch, [])
    spent = time.perf_counter() - started
    if batch:
        plain.add(batch)
    return spent


def _class(
    ours: TantivyIndex, plain: Plain, name: str, texts: Sequence[str], *, clients: int, marked: bool, rounds: int
) -> Figure:
    wishes = [wish_of((text if marked else fold(text)) + " ") for text in texts]

    def search(number: int) -> None:
        wish = wishes[number % len(wishes)]
        ours.search(Search(wish=wish, visible=_VISIBLE, limit=_TOP, facets=FACETS))

    def bare(number: int) -> None:
        plain.search([fold(word) for word in wishes[number % len(wishes)].words])

    values, limits = [], []
    for _ in range(rounds):
        limits.append(_p95(bare, clients))
        values.append(_p95(search, clients))
    spelt = "with marks" if marked else "without marks"
    return against(f"search, p95, {clients} client{'s' * (clients > 1)}, {name}, {spelt}", "ms", values, limits, TARGET)


def _p95(ask: Callable[[int], None], clients: int) -> float:
    """Milliseconds of one question, the 95th of a hundred."""

    def timed(number: int) -> float:
        started = time.perf_counter()
        ask(number)
        return (time.perf_counter() - started) * 1000

    with ThreadPoolExecutor(clients) as threads:
        spent = sorted(threads.map(timed, range(_ASKED)))
    return spent[int(len(spent) * 0.95)]
