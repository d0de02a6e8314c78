"""The review of a material version: two steps nobody can skip, as one table (Circular 09/2021 art. 7).

The subject group passes, the head approves, nobody reviews their own work, and a return has a reason. A school may add
steps later; these two stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import FieldError, Text, conflict, forbidden, invalid

REASON_MAX = 2000


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    PASSED = "passed"
    APPROVED = "approved"
    RETURNED = "returned"


class Action(StrEnum):
    SUBMIT = "submit"
    PASS = "pass"  # noqa: S105  # a word of the vocabulary, not a password
    APPROVE = "approve"
    RETURN = "return"


class By(StrEnum):
    """Whose turn it is: the author, or a role at the material's school."""

    AUTHOR = "author"
    GROUP_LEAD = "group_lead"
    HEAD = "head"


REVIEWERS = frozenset({By.GROUP_LEAD.value, By.HEAD.value})


@dataclass(frozen=True, slots=True)
class Step:
    to: State
    by: By


# Total: every action in every state has an entry, None where it is illegal.
TABLE: Mapping[State, Mapping[Action, Step | None]] = {
    State.DRAFT: {
        Action.SUBMIT: Step(State.SUBMITTED, By.AUTHOR),
        Action.PASS: None,
        Action.APPROVE: None,
        Action.RETURN: None,
    },
    State.SUBMITTED: {
        Action.SUBMIT: None,
        Action.PASS: Step(State.PASSED, By.GROUP_LEAD),
        Action.APPROVE: None,
        Action.RETURN: Step(State.RETURNED, By.GROUP_LEAD),
    },
    State.PASSED: {
        Action.SUBMIT: None,
        Action.PASS: None,
        Action.APPROVE: Step(State.APPROVED, By.HEAD),
        Action.RETURN: Step(State.RETURNED, By.HEAD),
    },
    State.APPROVED: {
        Action.SUBMIT: None,
        Action.PASS: None,
        Action.APPROVE: None,
        Action.RETURN: None,
    },
    State.RETURNED: {
        Action.SUBMIT: Step(State.SUBMITTED, By.AUTHOR),
        Action.PASS: None,
        Action.APPROVE: None,
        Action.RETURN: None,
    },
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: the subject of their token and their roles at the material's school."""

    subject: str
    roles: frozenset[str]


def decide(state: State, action: Action, person: Person, *, author: str, reason: str | None = None) -> State:
    """The state after `action`. Raises a conflict, forbidden or invalid error that says which rule stands against it.

    `reason` is needed to return a version and refused nowhere else; 1 to 2,000 characters.
    """
    step = TABLE[state][action]
    if step is None:
        raise _illegal(state, action)
    if step.by is By.AUTHOR:
        _require_author(person, author)
    else:
        _require_reviewer(person, author, step.by)
    if action is Action.RETURN:
        _require_reason(reason)
    return step.to


def allowed_actions(state: State) -> list[str]:
    return [action.value for action, step in TABLE[state].items() if step is not None]


def _require_author(person: Person, author: str) -> None:
    if person.subject != author:
        raise forbidden(
            "review.author_only",
            vi="Chỉ tác giả mới được trình học liệu này.",
            en="Only its author may submit this material.",
        )


def _require_reviewer(person: Person, author: str, role: By) -> None:
    if role.value not in person.roles:
        raise forbidden(
            "role.missing",
            vi=f"Việc này cần một trong các vai trò: {role.value}.",
            en=f"This needs one of the roles: {role.value}.",
            roles=[role.value],
        )
    if person.subject == author:
        raise forbidden(
            "review.own_work",
            vi="Không ai được thông qua, phê duyệt hay trả lại học liệu của chính mình.",
            en="Nobody passes, approves or returns their own work.",
        )


def _require_reason(reason: str | None) -> None:
    if reason is not None and reason.strip() and len(reason) <= REASON_MAX:
        return
    raise invalid(
        "review.reason_missing",
        vi="Trả lại học liệu phải nêu lý do.",
        en="Returning a material needs a reason.",
        errors=[
            FieldError(
                "/reason",
                "field.invalid",
                Text(f"Lý do gồm 1 đến {REASON_MAX} ký tự.", f"A reason has 1 to {REASON_MAX} characters."),
            )
        ],
    )


def _illegal(state: State, action: Action) -> Exception:
    allowed = allowed_actions(state)
    vi = ", ".join(allowed) or "không có"
    en = ", ".join(allowed) or "none"
    return conflict(
        "review.illegal_in_state",
        vi=f"Không thể thực hiện '{action.value}' khi học liệu ở trạng thái '{state.value}'. Được phép: {vi}.",
        en=f"'{action.value}' is not possible in the state '{state.value}'. Allowed: {en}.",
        state=state.value,
        allowedActions=allowed,
    )
