"""A submission's life as a total table: every state meets every action, and the answer is data."""

from collections.abc import Mapping
from enum import StrEnum

from shared.errors import Text, conflict


class State(StrEnum):
    OPEN = "open"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"


class Action(StrEnum):
    EDIT = "edit"
    SUBMIT = "submit"
    RETURN = "return"
    ACCEPT = "accept"


# None: the action is illegal in this state.
TABLE: Mapping[State, Mapping[Action, State | None]] = {
    State.OPEN: {
        Action.EDIT: State.OPEN,
        Action.SUBMIT: State.SUBMITTED,
        Action.RETURN: None,
        Action.ACCEPT: None,
    },
    State.SUBMITTED: {
        Action.EDIT: None,
        Action.SUBMIT: None,
        Action.RETURN: State.RETURNED,
        Action.ACCEPT: State.ACCEPTED,
    },
    State.RETURNED: {
        Action.EDIT: State.RETURNED,
        Action.SUBMIT: State.SUBMITTED,
        Action.RETURN: None,
        Action.ACCEPT: None,
    },
    State.ACCEPTED: {
        Action.EDIT: None,
        Action.SUBMIT: None,
        Action.RETURN: None,
        Action.ACCEPT: None,
    },
}

# In these states the numbers are what the head certified; changes in the sources only become visible beside them.
FROZEN = frozenset({State.SUBMITTED, State.ACCEPTED})

_STATES: Mapping[State, Text] = {
    State.OPEN: Text("đang mở", "open"),
    State.SUBMITTED: Text("đã nộp", "submitted"),
    State.RETURNED: Text("đã trả lại", "returned"),
    State.ACCEPTED: Text("đã được chấp nhận", "accepted"),
}
_ACTIONS: Mapping[Action, Text] = {
    Action.EDIT: Text("sửa", "edit it"),
    Action.SUBMIT: Text("nộp", "submit it"),
    Action.RETURN: Text("trả lại", "return it"),
    Action.ACCEPT: Text("chấp nhận", "accept it"),
}


def move(state: State, action: Action) -> State:
    """The state after `action`. Raises `submission.illegal_move` (conflict)."""
    following = TABLE[state][action]
    if following is None:
        raise conflict(
            "submission.illegal_move",
            vi=f"Bài nộp {_STATES[state].vi} nên không thể {_ACTIONS[action].vi}.",
            en=f"The submission is {_STATES[state].en}: you cannot {_ACTIONS[action].en}.",
            state=state.value,
            action=action.value,
        )
    return following
