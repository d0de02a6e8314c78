import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync.domain.org_tree import Validity
from shared.oneroster.filters import OPERATORS, Clause, FilterError, parse_filter

fields = st.from_regex(r"[A-Za-z][A-Za-z0-9.]{0,20}", fullmatch=True)
values = st.text(st.characters(exclude_characters="'\\\x00", exclude_categories=["Cs"]), max_size=30)
clauses = st.builds(Clause, fields, st.sampled_from(OPERATORS), values)


@given(clauses, st.sampled_from(["", " "]))
def test_a_clause_is_read_as_it_was_written(clause, blank):
    parsed = parse_filter(f"{clause.field}{blank}{clause.operator}{blank}'{clause.value}'")
    assert parsed.clauses == (clause,)


@given(clauses, st.sampled_from(["AND", "OR"]), clauses)
def test_two_clauses_are_joined(first, join, second):
    text = f"{first.field}{first.operator}'{first.value}' {join} {second.field}{second.operator}'{second.value}'"
    parsed = parse_filter(text)
    assert (parsed.clauses, parsed.join) == ((first, second), join)


@pytest.mark.parametrize(
    "text", ["", "a", "a=b", "a='b", "a='b' AND", "a='1' AND b='2' OR c='3'", "='x'", "a=='x'", "a='\x00'"]
)
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(FilterError):
        parse_filter(text)


days = st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2020, 2, 1))


@given(days, days, days, days)
def test_two_validities_overlap_when_and_only_when_they_share_a_day(a, b, c, d):
    one, two = Validity(a, b), Validity(c, d)
    if one.is_reversed or two.is_reversed:
        return
    span = [dt.date(2019, 12, 31) + dt.timedelta(days=number) for number in range(35)]
    assert one.overlaps(two) == any(one.covers(day) and two.covers(day) for day in span)
