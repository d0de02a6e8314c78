import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.materials.domain.review import TABLE, Action, By, Person, State, decide
from shared.errors import AppError, Kind

AUTHOR = "author"
ROLES = ((), ("group_lead",), ("head",), ("group_lead", "head"), ("teacher",))
PEOPLE = [Person(subject, frozenset(roles)) for subject in (AUTHOR, "b", "c") for roles in ROLES]


def test_the_table_is_total():
    assert set(TABLE) == set(State)
    for row in TABLE.values():
        assert set(row) == set(Action)


def ways_to(target: State) -> set[tuple[State, Action, By]]:
    steps = ((state, action, step) for state, row in TABLE.items() for action, step in row.items())
    return {(state, action, step.by) for state, action, step in steps if step and step.to is target}


def test_the_two_steps_are_the_only_way_to_approved():
    assert ways_to(State.APPROVED) == {(State.PASSED, Action.APPROVE, By.HEAD)}
    assert ways_to(State.PASSED) == {(State.SUBMITTED, Action.PASS, By.GROUP_LEAD)}


def tried(state: State, action: Action, person: Person, reason: str | None) -> State | AppError:
    try:
        return decide(state, action, person, author=AUTHOR, reason=reason)
    except AppError as refused:
        return refused


REASON = "Thiếu nguồn"
MOVES = st.tuples(st.sampled_from(list(Action)), st.sampled_from(PEOPLE), st.sampled_from([None, "", "  ", REASON]))
# Random walks alone seldom get far: most moves are the right one at the right time.
GOOD = st.sampled_from(
    [
        (Action.SUBMIT, PEOPLE[0], None),
        (Action.PASS, Person("b", frozenset({"group_lead"})), None),
        (Action.APPROVE, Person("c", frozenset({"head"})), None),
    ]
)


@given(st.lists(GOOD | MOVES, max_size=60))
def test_no_walk_reaches_approved_without_both_steps_by_others_since_the_last_submission(walk):
    state, history = State.DRAFT, []
    for action, person, reason in walk:
        outcome = tried(state, action, person, reason)
        if isinstance(outcome, AppError):
            assert outcome.kind in {Kind.CONFLICT, Kind.FORBIDDEN, Kind.INVALID}
            assert outcome.text.vi
            assert outcome.text.en
            continue
        step = TABLE[state][action]
        assert step is not None
        assert outcome is step.to
        assert action is not Action.RETURN or reason == REASON
        history.append((action, person))
        state = outcome
    if state is State.APPROVED:
        (submit, author), (passed, lead), (approved, head) = history[-3:]
        assert (submit, passed, approved) == (Action.SUBMIT, Action.PASS, Action.APPROVE)
        assert author.subject == AUTHOR
        assert AUTHOR not in {lead.subject, head.subject}
        assert "group_lead" in lead.roles
        assert "head" in head.roles


@pytest.mark.parametrize("action", list(Action))
def test_an_approved_version_takes_no_further_action(action):
    for person in PEOPLE:
        with pytest.raises(AppError) as refused:
            decide(State.APPROVED, action, person, author=AUTHOR, reason="x")
        assert refused.value.kind is Kind.CONFLICT


def test_a_reason_has_a_bound():
    lead = Person("b", frozenset({"group_lead"}))
    with pytest.raises(AppError, match=r"review\.reason_missing"):
        decide(State.SUBMITTED, Action.RETURN, lead, author=AUTHOR, reason="x" * 2001)
    assert decide(State.SUBMITTED, Action.RETURN, lead, author=AUTHOR, reason="x" * 2000) is State.RETURNED
