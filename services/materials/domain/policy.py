"""What a school decides for itself about its review: steps of its own, delegations, who leads which subject.

Letter 1950/SGDĐT-GDTrH (HCMC, 2023): the head prescribes the school's own procedure. It adds to the two steps of
Circular 09/2021 art. 7 and cannot take one away: there is no value of these that does.
"""

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from shared.errors import FieldError, Text, invalid

MAX_STEPS = 10
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Task(StrEnum):
    """What a duty lets its holder do; besides these, the code of a step of the school's own."""

    PASS = "pass"  # noqa: S105  # a word of the vocabulary, not a password
    APPROVE = "approve"


@dataclass(frozen=True, slots=True)
class ExtraStep:
    """A step a school inserts: confirmed by `role` (or a duty with its code), before the group or before the head."""

    code: str
    name: Text
    before: Literal["pass", "approve"]
    role: str


@dataclass(frozen=True, slots=True)
class Duty:
    """One person's task at a school; empty `subjects` or `grades` mean all of them."""

    id: str
    task: str
    subjects: frozenset[str]
    grades: frozenset[str]

    def covers(self, subject: str, grades: Collection[str]) -> bool:
        return (not self.subjects or subject in self.subjects) and (not self.grades or self.grades.issuperset(grades))


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: the subject of their token, their roles, and what the material's school has put into their hands."""

    subject: str
    roles: frozenset[str]
    duties: tuple[Duty, ...] = ()

    def duties_of(self, task: str) -> list[Duty]:
        return [duty for duty in self.duties if duty.task == task]

    def holds(self, task: str, subject: str, grades: Collection[str]) -> bool:
        return any(duty.covers(subject, grades) for duty in self.duties_of(task))


@dataclass(frozen=True, slots=True)
class Policy:
    """`publish_on_approval`: approval publishes at once, which is the default; otherwise publishing is its own act."""

    publish_on_approval: bool = True
    steps: tuple[ExtraStep, ...] = ()


def ordered(steps: Collection[ExtraStep]) -> tuple[ExtraStep, ...]:
    """The steps in the order they are taken: those before the group's first. Raises `policy.steps_invalid`."""
    faults = [
        *(_fault(place, "code", _CODE_RULE) for place, step in enumerate(steps) if not _CODE.fullmatch(step.code)),
        *(_fault(place, "code", _RESERVED) for place, step in enumerate(steps) if step.code in set(Task)),
    ]
    if len({step.code for step in steps}) != len(steps):
        faults.append(FieldError("/steps", "step.repeated", Text("Mã bước bị lặp.", "A step's code is repeated.")))
    if faults:
        raise invalid(
            "policy.steps_invalid",
            vi="Các bước bổ sung chưa hợp lệ.",
            en="The extra steps are not valid.",
            errors=faults,
        )
    return tuple(sorted(steps, key=lambda step: step.before != "pass"))


_CODE_RULE = Text("Mã gồm chữ thường, số, gạch dưới.", "A code has lower-case letters, digits and underscores.")
_RESERVED = Text("Mã này dành cho bước của Thông tư 09/2021.", "This code is kept for the circular's own steps.")


def _fault(place: int, field: str, text: Text) -> FieldError:
    return FieldError(f"/steps/{place}/{field}", "field.invalid", text)


def active(valid_from: dt.date, valid_to: dt.date | None, today: dt.date) -> bool:
    """Does a duty hold today; both ends inclusive."""
    return valid_from <= today and (valid_to is None or today <= valid_to)
