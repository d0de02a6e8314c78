import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import VIETNAM, SystemClock, rfc3339
from shared.errors import AppError, Text
from shared.http.etag import etag_of
from shared.http.language import language_of
from shared.http.paging import decode_cursor, encode_cursor
from shared.ids import new_id


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "vi"),
        ("", "vi"),
        ("en", "en"),
        ("en-GB,vi;q=0.8", "en"),
        ("fr, vi;q=0.4, en;q=0.3", "vi"),
        ("fr", "vi"),
        ("en;q=0", "vi"),
        ("en;q=broken", "vi"),
    ],
)
def test_answers_are_vietnamese_unless_english_is_preferred(header, language):
    assert language_of(header) == language


@given(st.lists(st.one_of(st.text(), st.integers(), st.none(), st.booleans()), min_size=1, max_size=4))
def test_a_cursor_gives_back_the_key_it_was_made_of(key):
    assert decode_cursor(encode_cursor(*key), len(key)) == tuple(key)


@given(st.text())
def test_a_made_up_cursor_is_refused_and_never_crashes(cursor):
    try:
        decode_cursor(cursor, 7)
    except AppError as refusal:
        assert refusal.code == "paging.cursor_invalid"  # noqa: PT017  # both outcomes are right, a crash is not
    else:
        assert len(decode_cursor(cursor, 7) or ()) == 7


def test_no_cursor_is_the_first_page():
    assert decode_cursor(None, 2) is None


def test_ids_are_version_7_and_ordered_by_time():
    made = [new_id() for _ in range(1000)]
    assert {each.version for each in made} == {7}
    assert made == sorted(made)


def test_contract_times_are_utc_with_z():
    evening = dt.datetime(2026, 3, 24, 16, 0, tzinfo=VIETNAM)
    assert rfc3339(evening) == "2026-03-24T09:00:00.000Z"
    assert SystemClock().now().utcoffset() == dt.timedelta(0)
    with pytest.raises(ValueError, match="naive"):
        rfc3339(dt.datetime(2026, 3, 24))  # noqa: DTZ001  # the point of the test


def test_a_text_has_both_languages():
    assert [Text("có", "yes").of("vi"), Text("có", "yes").of("en")] == ["có", "yes"]


def test_etags_are_strong_and_quoted():
    assert etag_of(3) == '"3"'
