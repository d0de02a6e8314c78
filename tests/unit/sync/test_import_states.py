import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync.domain.import_state import _MOVES, UNFINISHED, State, Step, after
from shared.errors import AppError, Kind


@given(st.lists(st.sampled_from(list(Step)), max_size=40))
def test_whatever_is_tried_an_import_only_moves_along_the_table_and_final_states_stay(steps):
    state = State.RECEIVED
    for step in steps:
        if (state, step) in _MOVES:
            assert state not in {State.COMMITTED, State.REJECTED, State.DISCARDED}
            state = after(state, step)
        else:
            with pytest.raises(AppError) as refusal:
                after(state, step)
            assert refusal.value.kind is Kind.CONFLICT


def test_nothing_is_committed_without_validation_and_a_held_import_needs_a_decision():
    reached = {State.RECEIVED}
    for _ in State:
        reached |= {to for (at, step), to in _MOVES.items() if at in reached and step is not Step.VALIDATE}
    assert reached == {State.RECEIVED}
    assert [step for (at, step), to in _MOVES.items() if at is State.HELD] == [
        Step.RELEASE,
        Step.DISCARD,
        Step.EXPIRE,
    ]
    assert {at for (at, _), to in _MOVES.items() if to is State.COMMITTED} == {State.COMMITTING}


def test_every_state_the_worker_goes_on_with_leads_somewhere():
    for state in UNFINISHED:
        assert any(at is state for at, _ in _MOVES)
