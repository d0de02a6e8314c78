import datetime as dt

import pytest

from services.reporting.api.campaign_documents import CloseIn
from services.reporting.domain.deadlines import no_later_than
from services.reporting.domain.windows import DECIDED, REASONS, ClosedReason, Window, check_window, window_closed
from shared.errors import AppError, Kind

NOON = dt.datetime(2026, 1, 16, 5, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MICROSECOND = dt.timedelta(microseconds=1)


def test_a_window_without_ends_is_always_open():
    assert Window().closed_because(NOON) is None


def test_a_window_is_open_from_its_first_to_its_last_instant():
    window = Window(opens_at=NOON, closes_at=NOON + HOUR)
    assert window.closed_because(NOON - MICROSECOND) is ClosedReason.NOT_YET_OPEN
    assert window.closed_because(NOON) is None
    assert window.closed_because(NOON + HOUR) is None
    assert window.closed_because(NOON + HOUR + MICROSECOND) is ClosedReason.ENDED


def test_an_extension_keeps_the_window_open_for_its_unit():
    window = Window(closes_at=NOON)
    assert window.closed_because(NOON + HOUR, no_later_than(NOON + HOUR)) is None
    assert window.closed_because(NOON + HOUR + MICROSECOND, no_later_than(NOON + HOUR)) is ClosedReason.ENDED


@pytest.mark.parametrize("reason", sorted(DECIDED))
def test_an_officers_decision_beats_the_clock_and_extensions(reason):
    window = Window(NOON - HOUR, NOON + HOUR, reason)
    assert window.closed_because(NOON, no_later_than(NOON + HOUR)) is reason


@pytest.mark.parametrize("reason", list(ClosedReason))
def test_a_closed_window_says_why_and_who_can_open_it(reason):
    refusal = window_closed(reason, opener="so", opener_name="Sở GDĐT")
    assert (refusal.code, refusal.kind) == ("window.closed", Kind.CONFLICT)
    assert refusal.details["reason"] == reason
    assert refusal.details["whoCanOpen"] == {"role": "department_officer", "org": "so", "name": "Sở GDĐT"}
    assert REASONS[reason].vi in refusal.text.vi
    assert "Sở GDĐT" in refusal.text.en


@pytest.mark.parametrize("window", [Window(opens_at=NOON + MICROSECOND), Window(closes_at=NOON - MICROSECOND)])
def test_a_window_that_leaves_no_time_before_the_deadline_is_refused(window):
    with pytest.raises(AppError) as refused:
        check_window(window, no_later_than(NOON))
    assert refused.value.code == "window.inconsistent"


def test_an_officer_can_give_exactly_the_reasons_that_are_decisions():
    assert set(CloseIn.model_json_schema()["properties"]["reason"]["enum"]) == set(DECIDED)
