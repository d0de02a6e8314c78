"""The city's appraisal of what a school proposes for the shared shelf: states, rubric, who is asked (letter 1950/2023).

A version that has both steps at its school is proposed, two reviewers of other schools appraise it independently, and
a lead decides. There is no way to the shelf around the two.
"""

import datetime as dt
import functools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from shared.errors import FieldError, Text, conflict, invalid

REQUIRED = 2
MAX_REVIEWERS = 5


class ProposalState(StrEnum):
    PROPOSED = "proposed"
    APPRAISED = "appraised"
    SHARED = "shared"
    RETURNED = "returned"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"


class ProposalAction(StrEnum):
    APPRAISE = "appraise"
    ASK_AGAIN = "ask_again"
    SHARE = "share"
    RETURN = "return"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    REPLACE = "replace"


class Recommendation(StrEnum):
    SHARE = "share"
    RETURN = "return"
    DECLINE = "decline"


def _row(**allowed: ProposalState) -> Mapping[ProposalAction, ProposalState | None]:
    return {action: allowed.get(action.value) for action in ProposalAction}


# Total: every action in every state has an entry, None where it is illegal.
TABLE: Mapping[ProposalState, Mapping[ProposalAction, ProposalState | None]] = {
    ProposalState.PROPOSED: _row(appraise=ProposalState.APPRAISED, withdraw=ProposalState.WITHDRAWN),
    ProposalState.APPRAISED: _row(
        ask_again=ProposalState.PROPOSED,
        share=ProposalState.SHARED,
        **{"return": ProposalState.RETURNED},
        decline=ProposalState.DECLINED,
        withdraw=ProposalState.WITHDRAWN,
    ),
    ProposalState.SHARED: _row(withdraw=ProposalState.WITHDRAWN, replace=ProposalState.REPLACED),
    ProposalState.RETURNED: _row(),
    ProposalState.DECLINED: _row(),
    ProposalState.WITHDRAWN: _row(),
    ProposalState.REPLACED: _row(),
}
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
OPEN = frozenset({ProposalState.PROPOSED, ProposalState.APPRAISED})


def move(state: ProposalState, action: ProposalAction, *, done: int, required: int) -> ProposalState:
    """The state after `action`. Raises `proposal.illegal_in_state` or `proposal.appraisals_missing` (conflict).

    `done` counts finished appraisals, `required` those asked for: at least two.
    """
    after = TABLE[state][action]
    if after is None:
        allowed = [each.value for each, to in TABLE[state].items() if to is not None]
        raise conflict(
            "proposal.illegal_in_state",
            vi=f"Không thể thực hiện '{action.value}' khi đề xuất ở trạng thái '{state.value}'.",
            en=f"'{action.value}' is not possible while the proposal is '{state.value}'.",
            state=state.value,
            allowedActions=allowed,
        )
    if after is ProposalState.APPRAISED and done < max(required, REQUIRED):
        raise conflict(
            "proposal.appraisals_missing",
            vi=f"Mới có {done} trên {required} thẩm định.",
            en=f"Only {done} of {required} appraisals are there.",
            done=done,
            required=required,
        )
    return after


@dataclass(frozen=True, slots=True)
class Criterion:
    code: str
    name: Text
    max: int


@dataclass(frozen=True, slots=True)
class Rubric:
    """`disagreement`: from which share of a criterion's maximum on two scores are said to disagree.

    `days`: how long a reviewer has for an appraisal by it.
    """

    code: str
    verified: bool
    days: int
    disagreement: Decimal
    criteria: tuple[Criterion, ...]

    def check(self, scores: Mapping[str, Decimal], remarks: Collection[str] = ()) -> None:
        """Raise `appraisal.scores_invalid` with every fault: each criterion needs a score from 0 to its maximum.

        `remarks` are the criteria something was written about.
        """
        faults = [
            FieldError(
                f"/scores/{each.code}",
                "score.out_of_range",
                Text(f"Điểm từ 0 đến {each.max}.", f"A score from 0 to {each.max}."),
            )
            for each in self.criteria
            if not Decimal(0) <= scores.get(each.code, Decimal(-1)) <= each.max
        ]
        known = {each.code for each in self.criteria}
        said = [*(f"/scores/{code}" for code in scores), *(f"/remarks/{code}" for code in remarks)]
        faults += [
            FieldError(place, "score.unknown", Text("Không có tiêu chí này.", "No such criterion."))
            for place in said
            if place.rpartition("/")[2] not in known
        ]
        if faults:
            raise invalid(
                "appraisal.scores_invalid", vi="Điểm chưa hợp lệ.", en="The scores are not valid.", errors=faults
            )

    def disagreements(self, appraisals: Sequence[tuple[Mapping[str, Decimal], str]]) -> list[str]:
        """Criteria whose scores lie far apart, and `recommendation` when the recommendations differ."""
        found = []
        for each in self.criteria:
            given = [scores[each.code] for scores, _ in appraisals if each.code in scores]
            if given and max(given) - min(given) >= self.disagreement * each.max:
                found.append(each.code)
        if len({recommendation for _, recommendation in appraisals}) > 1:
            found.append("recommendation")
        return found


@functools.cache
def rubrics() -> Mapping[str, Rubric]:
    """The rubrics by code; one is added beside the others and never changed."""
    folder = Path(__file__).with_name("rubrics")
    found = (_rubric(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json")))
    return {rubric.code: rubric for rubric in found}


CURRENT_RUBRIC = "city-1"


def _rubric(document: Mapping[str, Any]) -> Rubric:
    criteria = (Criterion(each["code"], Text(each["vi"], each["en"]), each["max"]) for each in document["criteria"])
    share = Decimal(document["disagreement"]["share"])
    return Rubric(document["code"], document["verified"], document["days"], share, tuple(criteria))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member of the panel who could be asked; `open` appraisals wait for them, `last` they were asked then."""

    person: str
    school: str
    open: int
    last: dt.datetime | None


def choose(
    candidates: Sequence[Candidate], *, school: str, authors: Collection[str], asked: Collection[str], count: int
) -> list[Candidate]:
    """Whom to ask next, at most `count`: never of the author's school, never an author, never somebody asked before.

    The one with the fewest open appraisals comes first, then whoever was asked longest ago; of several at one school
    the second comes after those of other schools. The person's subject breaks ties, so the choice can be explained.
    """
    free = [
        each for each in candidates if each.school != school and each.person not in authors and each.person not in asked
    ]
    free.sort(key=lambda each: (each.open, each.last is not None, each.last or _NEVER, each.person))
    chosen: list[Candidate] = []
    while free and len(chosen) < count:
        schools = {each.school for each in chosen}
        chosen.append(next((each for each in free if each.school not in schools), free[0]))
        free.remove(chosen[-1])
    return chosen


def level_of(grades: Collection[str]) -> str:
    """Which panel a version belongs to, by its highest grade."""
    return "upper_secondary" if max(int(grade) for grade in grades) >= 10 else "lower_secondary"
