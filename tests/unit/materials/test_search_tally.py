"""What the bitmaps count is what the index finds, for any question, also while documents come and go."""

import random

import pytest
from tantivy import Query

from services.materials.domain.search_words import fold, wish_of
from services.materials.storage.search.port import FACETS, Document, Search, Visible
from services.materials.storage.search.tantivy_index import TantivyIndex

WORDS = ("phân", "phan", "phấn", "số", "so", "hình", "tam", "giác", "đo", "do", "dài", "bài")
SCHOOLS = ("a", "b", "c")


def some_document(chance: random.Random, number: int) -> Document:
    return Document(
        material_id=f"m{number}",
        place=chance.choice(("school", "shared")),
        school=chance.choice(SCHOOLS),
        title=" ".join(chance.choices(WORDS, k=chance.randrange(1, 4))),
        description=" ".join(chance.choices(WORDS, k=2)),
        text=" ".join(chance.choices(WORDS, k=chance.randrange(6))),
        subjects=tuple(chance.sample(("mathematics", "physics", "history"), k=chance.randrange(1, 3))),
        grades=tuple(chance.sample(("6", "7", "8"), k=chance.randrange(1, 3))),
        type=chance.choice(("video", "test")),
        licence=chance.choice(("CC-BY-4.0", "")),
        requirements=tuple(chance.sample(("A.1.2", "A.1.3", "B.2"), k=chance.randrange(3))),
        changed=number,
    )


def some_question(chance: random.Random) -> Search:
    text = " ".join(chance.choices(WORDS, k=chance.randrange(4))) + chance.choice(("", " "))
    if chance.random() < 0.3:
        text = f'"{chance.choice(WORDS)} {chance.choice(WORDS)}" {text}'
    if chance.random() < 0.3:
        text = fold(text)
    filters = {
        "subject": chance.sample(("mathematics", "physics"), k=chance.randrange(3)),
        "school": chance.sample(SCHOOLS, k=chance.randrange(2)),
        "requirement": chance.sample(("A", "A.1", "B.2"), k=chance.randrange(2)),
    }
    schools = None if chance.random() < 0.2 else frozenset(chance.sample(SCHOOLS, k=chance.randrange(3)))
    return Search(
        wish=wish_of(text),
        visible=Visible(schools, shared=chance.random() < 0.7),
        filters=filters,
        limit=1000,
        facets=FACETS,
    )


def counted_by_the_index(index: TantivyIndex, wanted: Search) -> tuple[int, dict[str, dict[str, int]]]:
    searcher, query = index._index.searcher(), index._query(wanted, "plain")
    counts = {name: dict(each) for name, each in index._counts(searcher, query, FACETS).items()}
    return searcher.search(query, 1, count=True).count, counts  # type: ignore[attr-defined]  # not in its stubs


@pytest.mark.parametrize("seed", range(6))
def test_both_count_alike(seed, monkeypatch):
    chance, index = random.Random(seed), TantivyIndex()
    monkeypatch.setattr("services.materials.storage.search.tally._MANY", chance.choice((0, 10, 10_000)))
    alive: dict[str, Document] = {}
    for step in range(6):
        fresh = [some_document(chance, number) for number in range(step * 40, step * 40 + 40)]
        again = [some_document(chance, int(name[1:])) for name in chance.sample(sorted(alive), k=len(alive) // 3)]
        gone = chance.sample(sorted(alive), k=len(alive) // 4)
        changed = {each.material_id: each for each in (*fresh, *again)}
        index.apply(list(changed.values()), [*changed, *gone])
        alive = {name: each for name, each in (alive | changed).items() if name not in gone or name in changed}
        assert index.size == len(alive)
        for _ in range(60):
            wanted = some_question(chance)
            found = index.search(wanted)
            total, counts = counted_by_the_index(index, wanted)
            assert (found.total, len(found.keys)) == (total, total), wanted
            assert {name: dict(each) for name, each in found.facets.items()} == counts, wanted
            assert len(set(found.keys)) == len(found.keys)


@pytest.mark.parametrize("seed", range(4))
def test_a_first_page_is_the_beginning_of_the_whole(seed):
    """However many candidates had to be left out, and however the pages are cut."""
    chance, index = random.Random(seed), TantivyIndex()
    index.apply([some_document(chance, number) for number in range(300)], [])
    for _ in range(80):
        wanted = some_question(chance)
        whole = index.search(wanted).keys
        seen: list[str] = []
        while True:
            page = index.search(
                Search(
                    wish=wanted.wish,
                    visible=wanted.visible,
                    filters=wanted.filters,
                    limit=7,
                    seen=len(seen),
                    after=seen[-1] if seen else None,
                )
            )
            seen += page.keys
            if not page.more:
                break
        assert sorted(seen) == sorted(whole), wanted
        assert seen == whole, wanted


def test_what_is_gone_is_forgotten():
    chance, index = random.Random(1), TantivyIndex()
    for _ in range(20):
        index.apply([some_document(chance, number) for number in range(50)], [f"m{number}" for number in range(50)])
    tally = index._tally
    assert len(tally._alive) == 50
    assert len(tally._gone) <= 50
    assert max(len(each) for each in tally._words.values()) <= 120
    assert isinstance(index._query(some_question(chance), "plain"), Query)
