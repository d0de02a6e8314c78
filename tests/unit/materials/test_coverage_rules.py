import datetime as dt
from decimal import Decimal

from services.materials.domain.coverage import missing_of, roadmap, share_of, standing

DUE = dt.date(2023, 12, 31)


def test_the_roadmap_dates_every_grade_as_the_letter_does():
    assert {grade for grade, due in roadmap().items() if due == DUE} == {"6", "7", "8", "10", "11"}
    assert {grade for grade, due in roadmap().items() if due == dt.date(2024, 12, 31)} == {"9", "12"}


def test_a_share_is_never_above_one_and_never_invented():
    assert share_of(3, 4) == Decimal("0.75")
    assert share_of(9, 4) == 1
    assert share_of(9, None) is None
    assert (missing_of(3, 4), missing_of(9, 4), missing_of(9, None)) == (1, 0, None)


def test_a_target_is_late_from_the_day_after_it_was_due():
    assert standing(DUE, DUE, approved=3, needed=4).days_late == 0
    assert standing(DUE, DUE + dt.timedelta(days=1), approved=3, needed=4).days_late == 1


def test_a_target_that_is_met_is_not_late_and_one_without_a_need_is_neither():
    after = DUE + dt.timedelta(days=99)
    met, unknown = standing(DUE, after, approved=4, needed=4), standing(DUE, after, approved=4, needed=None)
    assert (met.met, met.days_late) == (True, 0)
    assert (unknown.met, unknown.days_late) == (None, 0)
