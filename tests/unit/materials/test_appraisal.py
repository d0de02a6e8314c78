import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.materials.domain.appraisal import (
    REQUIRED,
    TABLE,
    Candidate,
    ProposalAction,
    ProposalState,
    choose,
    level_of,
    move,
    rubrics,
)
from shared.errors import AppError, Kind

RUBRIC = rubrics()["city-1"]
FULL = {each.code: Decimal(each.max) for each in RUBRIC.criteria}


def test_the_table_is_total():
    assert set(TABLE) == set(ProposalState)
    for row in TABLE.values():
        assert set(row) == set(ProposalAction)


def tried(state: ProposalState, action: ProposalAction, done: int, required: int) -> ProposalState | None:
    try:
        return move(state, action, done=done, required=required)
    except AppError:
        return None


def test_an_illegal_action_says_what_is_allowed():
    with pytest.raises(AppError) as refused:
        move(ProposalState.PROPOSED, ProposalAction.SHARE, done=2, required=2)
    assert (refused.value.kind, refused.value.details["allowedActions"]) == (Kind.CONFLICT, ["appraise", "withdraw"])


@given(st.lists(st.tuples(st.sampled_from(list(ProposalAction)), st.integers(0, 3), st.integers(0, 5)), max_size=30))
def test_no_walk_reaches_the_shelf_without_two_appraisals(walk):
    state, appraised = ProposalState.PROPOSED, 0
    for action, done, required in walk:
        after = tried(state, action, done, required)
        if after is None:
            continue
        assert TABLE[state][action] is after
        if after is ProposalState.APPRAISED:
            appraised = done
        state = after
        if state is ProposalState.SHARED:
            assert appraised >= REQUIRED


def test_the_criteria_make_a_hundred():
    assert sum(each.max for each in RUBRIC.criteria) == 100
    assert RUBRIC.verified is False


@pytest.mark.parametrize(
    ("scores", "pointer"),
    [
        (FULL | {"rights": Decimal("10.5")}, "/scores/rights"),
        (FULL | {"accuracy": Decimal(-1)}, "/scores/accuracy"),
        ({code: score for code, score in FULL.items() if code != "pedagogy"}, "/scores/pedagogy"),
        (FULL | {"beauty": Decimal(1)}, "/scores/beauty"),
    ],
)
def test_a_score_is_missing_too_high_or_unknown(scores, pointer):
    with pytest.raises(AppError) as refused:
        RUBRIC.check(scores)
    assert [fault.pointer for fault in refused.value.errors] == [pointer]


def test_disagreement_is_shown_by_criterion_and_by_recommendation():
    other = FULL | {"accuracy": Decimal(15), "pedagogy": Decimal("15.1")}
    assert RUBRIC.disagreements([(FULL, "share"), (other, "share")]) == ["accuracy"]
    assert RUBRIC.disagreements([(FULL, "share"), (FULL, "decline")]) == ["recommendation"]


def candidate(person: str, school: str, waiting: int = 0, day: int | None = None) -> Candidate:
    last = None if day is None else dt.datetime(2026, 11, day, tzinfo=dt.UTC)
    return Candidate(person, school, waiting, last)


def test_nobody_of_the_authors_school_no_author_and_nobody_twice():
    found = [candidate("a", "s1"), candidate("b", "s2"), candidate("c", "s3"), candidate("d", "s4")]
    chosen = choose(found, school="s1", authors={"b"}, asked={"c"}, count=2)
    assert [each.person for each in chosen] == ["d"]


def test_the_load_is_balanced_then_who_waited_longest_then_another_school():
    found = [
        candidate("busy", "s2", waiting=3),
        candidate("asked-yesterday", "s3", day=20),
        candidate("asked-long-ago", "s4", day=1),
        candidate("new", "s5"),
        candidate("new-too", "s5"),
    ]
    chosen = choose(found, school="s1", authors=(), asked=(), count=5)
    assert [each.person for each in chosen] == ["new", "asked-long-ago", "asked-yesterday", "busy", "new-too"]


def test_a_version_goes_to_the_panel_of_its_highest_grade():
    assert level_of(["6", "9"]) == "lower_secondary"
    assert level_of(["9", "10"]) == "upper_secondary"
