import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.materials.domain.policy import Duty, ExtraStep, Person, ordered
from services.materials.domain.review import (
    BOTH_STEPS,
    TABLE,
    Action,
    By,
    State,
    Work,
    allowed_actions,
    decide,
    may_act,
    waiting_step,
)
from shared.errors import AppError, Kind, Text

AUTHOR, COAUTHOR = "author", "co-author"
STEPS = (
    ExtraStep("format_check", Text("Kiểm tra thể thức", "Format check"), "pass", "librarian"),
    ExtraStep("deputy", Text("Phó hiệu trưởng xem", "Deputy head"), "approve", "deputy_head"),
)
ROLES = ((), ("group_lead",), ("head",), ("group_lead", "head"), ("teacher",), ("librarian",), ("deputy_head",))
LEADS_MATHS = Duty("1", "pass", frozenset({"mathematics"}), frozenset())
LEADS_POEMS = Duty("2", "pass", frozenset({"literature"}), frozenset())
FOR_THE_HEAD = Duty("3", "approve", frozenset(), frozenset({"6", "7"}))
PEOPLE = [
    Person(subject, frozenset(roles), duties)
    for subject in (AUTHOR, COAUTHOR, "b", "c")
    for roles in ROLES
    for duties in ((), (LEADS_MATHS,), (LEADS_POEMS,), (FOR_THE_HEAD,))
]
NEW = Work(State.DRAFT, frozenset({AUTHOR, COAUTHOR}), "mathematics", frozenset({"6"}))
REASON = "Thiếu nguồn"


def person(subject: str, *roles: str, duties: tuple[Duty, ...] = ()) -> Person:
    return Person(subject, frozenset(roles), duties)


def at(state: State, **changes) -> Work:
    return dataclasses.replace(NEW, state=state, **changes)


def test_the_table_is_total():
    assert set(TABLE) == set(State)
    for row in TABLE.values():
        assert set(row) == set(Action)


def ways_to(target: State) -> set[tuple[State, Action, By]]:
    steps = ((state, action, step) for state, row in TABLE.items() for action, step in row.items())
    return {(state, action, step.by) for state, action, step in steps if step and step.to is target}


def test_the_two_steps_are_the_only_way_into_use():
    assert ways_to(State.PUBLISHED) == {
        (State.APPROVED, Action.PUBLISH, By.HEAD),
        (State.PUBLISHED, Action.PUBLISH, By.HEAD),
    }
    assert ways_to(State.APPROVED) == {(State.PASSED, Action.APPROVE, By.HEAD)}
    assert ways_to(State.PASSED) == {
        (State.SUBMITTED, Action.PASS, By.GROUP_LEAD),
        (State.PASSED, Action.CONFIRM, By.STEP),
    }


def tried(work: Work, action: Action, who: Person, reason: str | None) -> State | AppError:
    try:
        return decide(work, action, who, reason=reason)
    except AppError as refused:
        return refused


def moved(work: Work, action: Action, after: State) -> Work:
    """What the use case writes down."""
    done = 0 if action is Action.SUBMIT else work.done + (action is Action.CONFIRM)
    return dataclasses.replace(work, state=after, done=done)


MOVES = st.tuples(st.sampled_from(list(Action)), st.sampled_from(PEOPLE), st.sampled_from([None, "", "  ", REASON]))
# Random walks alone seldom get far: most moves are the right one at the right time.
GOOD = st.sampled_from(
    [
        (Action.SUBMIT, person(AUTHOR), None),
        (Action.CONFIRM, person("d", "librarian"), None),
        (Action.PASS, person("b", "group_lead"), None),
        (Action.CONFIRM, person("e", "deputy_head"), None),
        (Action.APPROVE, person("c", "head"), None),
        (Action.PUBLISH, person("c", "head"), None),
    ]
)


@given(st.lists(GOOD | MOVES, max_size=80), st.sampled_from([(), STEPS[:1], STEPS[1:], STEPS]))
def test_no_walk_comes_into_use_without_every_step_by_others_since_the_last_submission(walk, steps):
    work, history = dataclasses.replace(NEW, steps=steps), []
    for action, who, reason in walk:
        outcome = tried(work, action, who, reason)
        if isinstance(outcome, AppError):
            assert outcome.kind in {Kind.CONFLICT, Kind.FORBIDDEN, Kind.INVALID}
            assert outcome.text.vi
            assert outcome.text.en
            continue
        step = TABLE[work.state][action]
        assert step is not None
        assert outcome is step.to
        assert action in allowed_actions(work)
        assert action is not Action.RETURN or reason == REASON
        history.append((action, who))
        work = moved(work, action, outcome)
        if outcome is State.APPROVED:
            since = [index for index, (done, _) in enumerate(history) if done is Action.SUBMIT][-1]
            confirms: dict[str, list[Action]] = {"pass": [], "approve": []}
            confirms |= {each.before: [Action.CONFIRM] for each in steps}
            expected = [Action.SUBMIT, *confirms["pass"], Action.PASS, *confirms["approve"], Action.APPROVE]
            assert [done for done, _ in history[since:]] == expected
            assert {AUTHOR, COAUTHOR}.isdisjoint(who.subject for _, who in history[since + 1 :])
    if work.state in BOTH_STEPS:
        assert Action.APPROVE in {done for done, _ in history}


@pytest.mark.parametrize("action", list(Action))
def test_a_withdrawn_version_takes_no_further_action(action):
    for who in PEOPLE:
        with pytest.raises(AppError) as refused:
            decide(at(State.WITHDRAWN), action, who, reason="x")
        assert refused.value.kind is Kind.CONFLICT


@pytest.mark.parametrize("state", [State.APPROVED, State.PUBLISHED])
def test_taking_a_version_out_of_use_needs_the_head_and_a_reason(state):
    head = person("c", "head")
    assert decide(at(state), Action.WITHDRAW, head, reason=REASON) is State.WITHDRAWN
    with pytest.raises(AppError, match=r"review\.reason_missing"):
        decide(at(state), Action.WITHDRAW, head)
    with pytest.raises(AppError, match=r"role\.missing"):
        decide(at(state), Action.WITHDRAW, person(AUTHOR), reason=REASON)


def test_a_reason_has_a_bound():
    lead = person("b", "group_lead")
    with pytest.raises(AppError, match=r"review\.reason_missing"):
        decide(at(State.SUBMITTED), Action.RETURN, lead, reason="x" * 2001)
    assert decide(at(State.SUBMITTED), Action.RETURN, lead, reason="x" * 2000) is State.RETURNED


def test_a_co_author_does_not_review_either():
    with pytest.raises(AppError, match=r"review\.own_work"):
        decide(at(State.SUBMITTED), Action.PASS, person(COAUTHOR, "group_lead"))


def test_a_lead_whose_subjects_are_written_down_leads_those_only():
    assert decide(at(State.SUBMITTED), Action.PASS, person("b", duties=(LEADS_MATHS,))) is State.PASSED
    assert decide(at(State.SUBMITTED), Action.PASS, person("b", "group_lead")) is State.PASSED
    with pytest.raises(AppError, match=r"role\.missing"):
        decide(at(State.SUBMITTED), Action.PASS, person("b", "group_lead", duties=(LEADS_POEMS,)))


def test_a_delegation_covers_its_grades_and_no_others():
    delegate = person("b", duties=(FOR_THE_HEAD,))
    assert decide(at(State.PASSED), Action.APPROVE, delegate) is State.APPROVED
    with pytest.raises(AppError, match=r"role\.missing"):
        decide(at(State.PASSED, grades=frozenset({"6", "9"})), Action.APPROVE, delegate)


def test_a_schools_own_step_comes_before_the_circulars_and_cannot_replace_it():
    submitted = at(State.SUBMITTED, steps=STEPS)
    with pytest.raises(AppError, match=r"review\.step_open"):
        decide(submitted, Action.PASS, person("b", "group_lead"))
    assert decide(submitted, Action.CONFIRM, person("b", "librarian")) is State.SUBMITTED
    confirmed = dataclasses.replace(submitted, done=1)
    assert waiting_step(confirmed) is None
    with pytest.raises(AppError, match=r"review\.illegal_in_state"):
        decide(confirmed, Action.CONFIRM, person("b", "deputy_head"))
    assert decide(confirmed, Action.PASS, person("b", "group_lead")) is State.PASSED


def test_the_queue_shows_what_may_be_decided_and_nothing_else():
    for state in State:
        for steps, done in (((), 0), (STEPS, 0), (STEPS, 1), (STEPS, 2)):
            work = at(state, steps=steps, done=done)
            for who in PEOPLE:
                forward = (Action.CONFIRM, Action.PASS, Action.APPROVE)
                moves = [action for action in forward if isinstance(tried(work, action, who, None), State)]
                assert may_act(work, who) is bool(moves), (work, who)


@pytest.mark.parametrize("code", ["Viết hoa", "", "pass", "approve", "a" * 41])
def test_a_step_has_a_code_of_its_own(code):
    with pytest.raises(AppError, match=r"policy\.steps_invalid"):
        ordered([ExtraStep(code, Text("x", "x"), "pass", "librarian")])


def test_steps_are_taken_in_the_order_of_the_review():
    assert ordered(STEPS[::-1]) == STEPS
    with pytest.raises(AppError, match=r"policy\.steps_invalid"):
        ordered([STEPS[0], STEPS[0]])
