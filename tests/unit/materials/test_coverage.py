import datetime as dt
from fractions import Fraction

import pytest

from services.materials.domain.coverage import Cell, Standing, matrix, targets

DUE = dt.date(2023, 12, 31)


def cell(approved: int, needed: int | None, on: dt.date = DUE, due: dt.date | None = DUE) -> Cell:
    return Cell("mathematics", "6", approved, needed, due, on)


@pytest.mark.parametrize(
    ("approved", "needed", "share", "missing"),
    [(0, None, None, 1), (1, None, None, 0), (3, 4, Fraction(3, 4), 1), (9, 4, Fraction(1), 0), (0, 0, Fraction(1), 0)],
)
def test_a_share_is_of_what_is_needed_and_never_of_a_guess(approved, needed, share, missing):
    assert (cell(approved, needed).share, cell(approved, needed).missing) == (share, missing)


def test_the_last_day_is_in_time_and_the_day_after_is_not():
    assert cell(0, 1).standing is Standing.OPEN
    assert cell(0, 1, on=DUE + dt.timedelta(days=1)).standing is Standing.OVERDUE
    assert cell(1, 1, on=DUE + dt.timedelta(days=1)).standing is Standing.MET
    assert cell(0, 1, on=dt.date(2030, 1, 1), due=None).standing is Standing.OPEN


def test_the_roadmap_is_that_of_the_letters():
    assert targets() == {
        **dict.fromkeys(["6", "7", "8", "10", "11"], dt.date(2023, 12, 31)),
        **dict.fromkeys(["9", "12"], dt.date(2024, 12, 31)),
    }


def test_the_matrix_has_every_subject_in_the_grades_it_is_taught_in():
    cells = matrix({("mathematics", "6"): 2}, {("mathematics", "6"): 4}, ["lower_secondary"], DUE)
    assert {each.grade for each in cells} == {"6", "7", "8", "9"}
    first = next(each for each in cells if (each.subject, each.grade) == ("mathematics", "6"))
    assert (first.approved, first.needed, first.share) == (2, 4, Fraction(1, 2))
    assert not any(each.subject == "physics" for each in cells)
