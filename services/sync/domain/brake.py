"""The brake against mass removal (PRODUCT rule 5).

More than 10 % of a school's records of a type removed, or more than 75 % changed, waits until someone of the school
says yes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

REMOVED_AT_MOST = Fraction(10, 100)
CHANGED_AT_MOST = Fraction(75, 100)


@dataclass(frozen=True, slots=True)
class Difference:
    """What an import does to one record type of one school. `before` counts the active records now.

    `replaced` are removed roles whose holder gets the same role at the same school under another sourcedId, as happens
    when a vendor moves from OneRoster 1.1 to 1.2: nobody loses anything, so the brake does not count them.
    """

    school: str
    type: str
    before: int
    added: int = 0
    changed: int = 0
    removed: int = 0
    replaced: int = 0


@dataclass(frozen=True, slots=True)
class HoldReason:
    """`code`: `removedTooMany`, `changedTooMany`, or `olderThanCommitted`. The numbers say how many of how many."""

    code: str
    school: str
    type: str | None = None
    count: int | None = None
    before: int | None = None

    def as_json(self) -> dict[str, str | int | None]:
        return {
            "code": self.code,
            "school": self.school,
            "type": self.type,
            "count": self.count,
            "before": self.before,
        }


def hold_reasons(differences: Iterable[Difference]) -> list[HoldReason]:
    """Why these differences must wait; empty when they may be committed at once."""
    reasons = []
    for each in differences:
        lost = each.removed - each.replaced
        if lost > REMOVED_AT_MOST * each.before:
            reasons.append(HoldReason("removedTooMany", each.school, each.type, lost, each.before))
        if each.changed > CHANGED_AT_MOST * each.before:
            reasons.append(HoldReason("changedTooMany", each.school, each.type, each.changed, each.before))
    return reasons
