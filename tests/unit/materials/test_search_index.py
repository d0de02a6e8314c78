import dataclasses
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.materials.domain.search_words import wish_of
from services.materials.storage.search.port import FACETS, Document, Search, Visible
from services.materials.storage.search.tantivy_index import TantivyIndex

A = Visible(frozenset({"a"}))


def document(material_id: str, title: str = "Phân số", **changes) -> Document:
    plain = Document(
        material_id=material_id,
        place="school",
        school="a",
        title=title,
        description="",
        text="",
        subjects=("mathematics",),
        grades=("6",),
        type="e_lecture",
        licence="CC-BY-4.0",
        requirements=(),
        changed=0,
    )
    return dataclasses.replace(plain, **changes)


def index_of(*documents: Document) -> TantivyIndex:
    index = TantivyIndex()
    index.apply(documents, {each.material_id for each in documents})
    return index


def found(index: TantivyIndex, text: str, visible: Visible = A, **changes) -> list[str]:
    result = index.search(Search(wish=wish_of(text), visible=visible, limit=100, **changes))
    assert result.total == len(result.keys)
    return [key.partition("/")[0] for key in result.keys]


def test_an_exact_match_with_marks_comes_before_one_without():
    index = index_of(
        document("plain", "Phan so phan so phan so"),
        document("other-marks", "Phấn sơ phấn sơ phấn sơ"),
        document("exact", "Ôn tập", text="Bài về phân số"),
    )
    assert found(index, "phân số ")[0] == "exact"
    assert set(found(index, "phân số ")) == {"exact", "plain", "other-marks"}


def test_without_marks_everything_is_found():
    index = index_of(document("1", "Phân số"), document("2", "Đo độ dài"), document("3", "Do dai"))
    assert found(index, "phan so ") == ["1"]
    assert set(found(index, "do dai ")) == {"2", "3"}


def test_a_title_weighs_more_than_a_text():
    index = index_of(document("text", "Bài 1", text="tam giác"), document("title", "Tam giác", text="bài 1"))
    assert found(index, "tam giac ") == ["title", "text"]


def test_every_word_must_be_there_and_a_phrase_in_its_order():
    index = index_of(document("1", "Số nguyên tố"), document("2", "Nguyên tố số"), document("3", "Số nguyên"))
    assert set(found(index, "số nguyên tố ")) == {"1", "2"}
    assert found(index, '"số nguyên tố"') == ["1"]


def test_the_last_word_may_be_unfinished():
    index = index_of(document("1", "Hình chữ nhật"), document("2", "Hình vuông"))
    assert found(index, "hình ch") == ["1"]
    assert found(index, "hinh ch") == ["1"]
    assert found(index, "hình ch ") == []


def test_nobody_finds_counts_or_completes_what_they_may_not_see():
    index = index_of(
        document("own"),
        document("theirs", school="b", subjects=("physics",), title="Phân số bí mật"),
        document("shared", school="b", place="shared", subjects=("literature",)),
        document("own", place="shared"),
    )
    result = index.search(Search(wish=wish_of("phân số "), visible=A, facets=FACETS))
    assert set(result.keys) == {"own/school", "shared/shared"}
    assert result.total == 2
    assert result.facets["subject"] == {"mathematics": 1, "literature": 1}
    assert result.facets["school"] == {"a": 1, "b": 1}
    assert index.suggest(wish_of("phân"), A, 10) == ["Phân số"]
    assert found(index, "", Visible(frozenset(), shared=False)) == []
    assert set(found(index, "", Visible(None, shared=False))) == {"own", "theirs"}
    assert set(found(index, "", Visible(frozenset()))) == {"own", "shared"}


def test_filters_allow_any_of_their_values_and_facets_count_everything_found():
    index = index_of(
        *(document(str(number), grades=(str(6 + number % 4),), requirements=(f"T.{number}.1",)) for number in range(20))
    )
    result = index.search(
        Search(wish=wish_of(""), visible=A, filters={"grade": ["6", "7"]}, limit=3, facets=("grade", "type"))
    )
    assert (len(result.keys), result.total, result.more) == (3, 10, True)
    assert result.facets == {"grade": {"6": 5, "7": 5}, "type": {"e_lecture": 10}}


def test_a_requirement_finds_what_lies_below_it():
    index = index_of(document("1", requirements=("TOAN6.SO.1",)), document("2", requirements=("TOAN6.HINH.1",)))
    for code, expected in (("TOAN6", {"1", "2"}), ("TOAN6.SO", {"1"}), ("TOAN6.SO.1", {"1"}), ("TOAN", set())):
        assert set(found(index, "", filters={"requirement": [code]})) == expected


def test_pages_follow_each_other_without_gap_or_repeat():
    chance = random.Random(3)
    index = index_of(
        *(document(f"{number:03}", "Phân số " * chance.randrange(1, 5), changed=number) for number in range(57))
    )
    for sort in ("relevance", "newest"):
        seen: list[str] = []
        after = None
        while True:
            wanted = Search(wish=wish_of("phan "), visible=A, limit=10, seen=len(seen), after=after, sort=sort)
            page = index.search(wanted)
            seen += page.keys
            if not page.more:
                break
            after = page.keys[-1]
        assert len(seen) == len(set(seen)) == 57
    assert seen[0].startswith("056")


def test_a_misspelt_word_is_answered_with_one_that_exists():
    index = index_of(document("1", "Phân số"), document("2", "Phân thức"))
    assert index.did_you_mean(wish_of("phâm số ")) == "phân số"
    assert index.did_you_mean(wish_of("phân số ")) is None
    assert index.did_you_mean(wish_of("xyzxyz ")) is None


def test_a_material_is_replaced_and_removed():
    index = index_of(document("1", "Phân số"))
    index.apply([document("1", "Hình học")], ["1"])
    assert (found(index, "phân "), found(index, "hình ")) == ([], ["1"])
    index.apply([], ["1"])
    assert index.size == 0


@pytest.mark.parametrize("text", ['"', '""', "a" * 500, ".*", "\\", "(", "OR AND NOT", "title:x", "a^9"])
def test_no_text_is_a_query_language(text):
    index = index_of(document("1", "a or and not title x"))
    found(index, text)


def test_searches_and_changes_at_once_do_not_disturb_each_other():
    index = index_of(*(document(str(number)) for number in range(200)))

    def look(_: int) -> int:
        return len(index.search(Search(wish=wish_of("phân số "), visible=A, limit=100, facets=FACETS)).keys)

    with ThreadPoolExecutor(4) as threads:
        looked = threads.map(look, range(200))
        for number in range(20):
            index.apply([document(str(number))], [str(number)])
        assert set(looked) == {100}
