import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.materials.domain.search_words import Wish, fold, wish_of, words


@pytest.mark.parametrize(
    ("typed", "wish"),
    [
        ("", Wish()),
        ("  ", Wish()),
        ("phân s", Wish(words=("phân",), beginning="s")),
        ("phân số ", Wish(words=("phân", "số"))),
        ('"phân số" lớp', Wish(phrases=(("phân", "số"),), beginning="lớp")),
        ('"số"', Wish(words=("số",))),
        ('phân "số', Wish(words=("phân",), beginning="số")),
        ("Toán-6, bài_2!", Wish(words=("toán", "6", "bài", "2"))),
    ],
)
def test_what_is_typed_is_read_as_it_was_meant(typed, wish):
    assert wish_of(typed) == wish
    assert wish_of(unicodedata.normalize("NFD", typed)) == wish


def test_marks_are_told_from_their_absence():
    assert wish_of("phân số ").marked
    assert not wish_of("phan so ").marked
    assert wish_of("đo ").marked


@given(st.text(max_size=60))
def test_folding_keeps_the_words_and_is_done_once(text):
    for word in words(text):
        assert fold(fold(word)) == fold(word)
    wish_of(text)
