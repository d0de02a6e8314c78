import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.submissions import FROZEN, TABLE, Action, State, move
from shared.errors import AppError, Kind


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("action", list(Action))
def test_every_state_meets_every_action(state, action):
    following = TABLE[state][action]
    if following is None:
        with pytest.raises(AppError) as refused:
            move(state, action)
        assert (refused.value.code, refused.value.kind) == ("submission.illegal_move", Kind.CONFLICT)
        assert refused.value.details == {"state": state, "action": action}
    else:
        assert move(state, action) is following


def test_a_submission_goes_from_open_over_submitted_to_accepted():
    assert move(move(State.OPEN, Action.SUBMIT), Action.ACCEPT) is State.ACCEPTED


def test_a_returned_submission_is_submitted_again():
    assert move(move(State.SUBMITTED, Action.RETURN), Action.SUBMIT) is State.SUBMITTED


@given(st.lists(st.sampled_from(list(Action)), max_size=30))
def test_on_any_walk_what_is_accepted_was_submitted_and_never_changes_again(actions):
    state, walked = State.OPEN, []
    for action in actions:
        before = state
        try:
            state = move(state, action)
        except AppError:
            assert state is before
            continue
        assert before is not State.ACCEPTED
        assert not (action is Action.EDIT and before in FROZEN)
        walked.append((before, action))
        if state is State.ACCEPTED:
            assert (before, action) == (State.SUBMITTED, Action.ACCEPT)
