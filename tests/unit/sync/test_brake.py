import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync.domain.brake import Difference, hold_reasons
from services.sync.domain.brake_texts import HOLD_TEXTS

numbers = st.integers(0, 5000)


@pytest.mark.parametrize(
    ("before", "changed", "removed", "codes"),
    [
        (0, 0, 0, []),
        (10, 0, 1, []),
        (10, 0, 2, ["removedTooMany"]),
        (1000, 0, 100, []),
        (1000, 0, 101, ["removedTooMany"]),
        (4, 3, 0, []),
        (4, 4, 0, ["changedTooMany"]),
        (1000, 750, 0, []),
        (1000, 751, 101, ["removedTooMany", "changedTooMany"]),
    ],
)
def test_over_ten_percent_removed_or_over_seventy_five_changed_is_held(before, changed, removed, codes):
    difference = Difference("A", "users", before, changed=changed, removed=removed)
    assert [reason.code for reason in hold_reasons([difference])] == codes


@given(numbers, numbers, numbers)
def test_additions_alone_never_hold_and_the_limit_is_exact(before, added, removed):
    held = hold_reasons([Difference("A", "users", before, added=added, removed=removed)])
    assert bool(held) == (removed * 10 > before)


def test_a_role_that_only_changed_its_id_is_not_lost():
    assert hold_reasons([Difference("A", "roles", 10, added=10, removed=10, replaced=10)]) == []


def test_every_reason_has_words():
    for text in HOLD_TEXTS.values():
        assert text.vi.format(count=1, before=2, type="users", school="A")
        assert text.en.format(count=1, before=2, type="users", school="A")
