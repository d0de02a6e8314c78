"""How far approved materials cover the curriculum, against the dated roadmap of the letters (1950/2023)."""

import datetime as dt
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from services.materials.domain.catalogue import subjects

LEVEL_GRADES = {"lower_secondary": ("6", "7", "8", "9"), "upper_secondary": ("10", "11", "12")}


class Standing(StrEnum):
    """Of a cell against its target: `met`, not met before its day (`open`), or not met after it (`overdue`)."""

    MET = "met"
    OPEN = "open"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Cell:
    """One subject in one grade: materials with both steps, how many are needed (None: nobody has said), its day."""

    subject: str
    grade: str
    approved: int
    needed: int | None
    due: dt.date | None
    on: dt.date

    @property
    def share(self) -> Fraction | None:
        """Approved of needed, at most 1; None where no need was set: a share of an unknown is not invented."""
        if self.needed is None:
            return None
        return Fraction(1) if self.needed == 0 else min(Fraction(1), Fraction(self.approved, self.needed))

    @property
    def missing(self) -> int:
        """How many are still to be approved; without a need the first one."""
        return max(0, (1 if self.needed is None else self.needed) - self.approved)

    @property
    def standing(self) -> Standing:
        if not self.missing:
            return Standing.MET
        return Standing.OVERDUE if self.due is not None and self.on > self.due else Standing.OPEN


@functools.cache
def targets() -> Mapping[str, dt.date]:
    """The roadmap's last day by grade."""
    document = json.loads(Path(__file__).with_name("coverage_roadmap.json").read_text(encoding="utf-8"))
    return {grade: dt.date.fromisoformat(target["due"]) for target in document["targets"] for grade in target["grades"]}


def matrix(
    approved: Mapping[tuple[str, str], int],
    needs: Mapping[tuple[str, str], int],
    levels: Sequence[str],
    on: dt.date,
) -> list[Cell]:
    """Every subject in every grade it is taught in at these levels, in the curriculum's order, empty cells too."""
    return [
        Cell(subject, grade, approved.get((subject, grade), 0), needs.get((subject, grade)), targets().get(grade), on)
        for subject, grade in _places(levels)
    ]


def _places(levels: Sequence[str]) -> Iterator[tuple[str, str]]:
    grades = [grade for level in LEVEL_GRADES for grade in LEVEL_GRADES[level] if level in levels]
    for subject in subjects().values():
        for grade in grades:
            if grade in subject.grades:
                yield subject.code, grade
