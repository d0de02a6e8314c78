"""The review of a material version at its school: two steps nobody can skip, as one table (Circular 09/2021 art. 7).

The subject group passes, the head approves, nobody reviews their own work, and a return has a reason. A school may add
steps of its own before either (`domain.policy`); these two stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.materials.domain.policy import Duty, ExtraStep, Person, Task
from shared.errors import AppError, FieldError, Text, conflict, forbidden, invalid

REASON_MAX = 2000


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    PASSED = "passed"
    APPROVED = "approved"
    PUBLISHED = "published"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    SUBMIT = "submit"
    CONFIRM = "confirm"
    PASS = "pass"  # noqa: S105  # a word of the vocabulary, not a password
    APPROVE = "approve"
    PUBLISH = "publish"
    RETURN = "return"
    WITHDRAW = "withdraw"


class By(StrEnum):
    """Whose turn it is: the author, whoever the school's own step names, the subject group, or the head."""

    AUTHOR = "author"
    STEP = "step"
    GROUP_LEAD = "group_lead"
    HEAD = "head"


REVIEWERS = frozenset({By.GROUP_LEAD.value, By.HEAD.value})
# Both steps are done: what the school may use, and what criterion 1.4 counts.
BOTH_STEPS = frozenset({State.APPROVED, State.PUBLISHED})


@dataclass(frozen=True, slots=True)
class Step:
    to: State
    by: By


def _row(**allowed: Step) -> Mapping[Action, Step | None]:
    """A line of the table; an action that is not named is illegal there."""
    return {action: allowed.get(action.name.lower()) for action in Action}


_TAKE_BACK = Step(State.WITHDRAWN, By.AUTHOR)
_TAKE_OUT = Step(State.WITHDRAWN, By.HEAD)

# Total: every action in every state has an entry, None where it is illegal.
TABLE: Mapping[State, Mapping[Action, Step | None]] = {
    State.DRAFT: _row(submit=Step(State.SUBMITTED, By.AUTHOR), withdraw=_TAKE_BACK),
    State.SUBMITTED: _row(
        confirm=Step(State.SUBMITTED, By.STEP),
        **{"pass": Step(State.PASSED, By.GROUP_LEAD), "return": Step(State.RETURNED, By.GROUP_LEAD)},
        withdraw=_TAKE_BACK,
    ),
    State.PASSED: _row(
        confirm=Step(State.PASSED, By.STEP),
        approve=Step(State.APPROVED, By.HEAD),
        **{"return": Step(State.RETURNED, By.HEAD)},
        withdraw=_TAKE_BACK,
    ),
    State.APPROVED: _row(publish=Step(State.PUBLISHED, By.HEAD), withdraw=_TAKE_OUT),
    # Published anew: the school goes back to an earlier version.
    State.PUBLISHED: _row(publish=Step(State.PUBLISHED, By.HEAD), withdraw=_TAKE_OUT),
    State.RETURNED: _row(submit=Step(State.SUBMITTED, By.AUTHOR), withdraw=_TAKE_BACK),
    State.WITHDRAWN: _row(),
}

# The step a school's own steps can stand before, by the state a version waits for it in.
_STEP_AHEAD = {State.SUBMITTED: Action.PASS, State.PASSED: Action.APPROVE}
_DECISIONS = frozenset({Action.CONFIRM, Action.PASS, Action.APPROVE, Action.PUBLISH, Action.RETURN})


@dataclass(frozen=True, slots=True)
class Work:
    """What is decided on. `authors` are subjects; `steps` are the school's own, of which `done` are behind it."""

    state: State
    authors: frozenset[str]
    subject: str
    grades: frozenset[str]
    steps: Sequence[ExtraStep] = ()
    done: int = 0


def decide(work: Work, action: Action, person: Person, *, reason: str | None = None) -> State:
    """The state after `action`. Raises a conflict, forbidden or invalid error that says which rule stands against it.

    `reason` is needed to return a version and to take one out of use; 1 to 2,000 characters.
    """
    step = TABLE[work.state][action]
    open_step = waiting_step(work)
    if step is None or (action is Action.CONFIRM and open_step is None):
        raise _illegal(work, action)
    if open_step is not None and action is _STEP_AHEAD[work.state]:
        raise _step_open(open_step)
    if action in _DECISIONS and person.subject in work.authors:
        raise _own_work()
    if step.by is By.AUTHOR:
        _require_author(person, work, action)
    else:
        _require_turn(work, step.by, person, open_step)
    if action is Action.RETURN or (action is Action.WITHDRAW and step.by is By.HEAD):
        _require_reason(reason)
    return step.to


def waiting_step(work: Work) -> ExtraStep | None:
    """The school's own step that must be confirmed next, None when the circular's step is next."""
    ahead = _STEP_AHEAD.get(work.state)
    if ahead is None or work.done >= len(work.steps):
        return None
    following = work.steps[work.done]
    return following if following.before == ahead.value else None


def allowed_actions(work: Work) -> list[Action]:
    """What the state and the school's steps allow; who may do it is decided at the call."""
    open_step = waiting_step(work)
    hidden = {Action.CONFIRM} if open_step is None else {_STEP_AHEAD[work.state]}
    return [action for action, step in TABLE[work.state].items() if step is not None and action not in hidden]


def may_act(work: Work, person: Person) -> bool:
    """Is it this person's turn: for work queues."""
    open_step = waiting_step(work)
    ahead = _STEP_AHEAD.get(work.state)
    if ahead is None or person.subject in work.authors:
        return False
    by = By.STEP if open_step is not None else (TABLE[work.state][ahead] or _TAKE_OUT).by
    return _is_turn(work, by, person, open_step)


def _is_turn(work: Work, by: By, person: Person, open_step: ExtraStep | None) -> bool:
    if by is By.STEP:
        return open_step is not None and (
            open_step.role in person.roles or person.holds(open_step.code, work.subject, work.grades)
        )
    if by is By.HEAD:
        return By.HEAD.value in person.roles or person.holds(Task.APPROVE, work.subject, work.grades)
    # A lead whose subjects are written down leads those; one of whom nothing is written leads every subject.
    if person.duties_of(Task.PASS):
        return person.holds(Task.PASS, work.subject, work.grades)
    return By.GROUP_LEAD.value in person.roles


def duty_used(work: Work, action: Action, person: Person) -> Duty | None:
    """The delegation this action rests on, None when the person's own role allows it: shown as KT. (ký thay)."""
    if action not in {Action.APPROVE, Action.PUBLISH} or By.HEAD.value in person.roles:
        return None
    return next((duty for duty in person.duties_of(Task.APPROVE) if duty.covers(work.subject, work.grades)), None)


def _require_author(person: Person, work: Work, action: Action) -> None:
    if person.subject not in work.authors:
        raise forbidden(
            "review.author_only",
            vi="Chỉ tác giả mới được trình học liệu này hoặc rút lại trước khi được phê duyệt.",
            en="Only its author may submit this material, or take it back before it is approved.",
            action=action.value,
        )


def _require_turn(work: Work, by: By, person: Person, open_step: ExtraStep | None) -> None:
    if _is_turn(work, by, person, open_step):
        return
    role = open_step.role if by is By.STEP and open_step is not None else by.value
    raise forbidden(
        "role.missing",
        vi=f"Việc này cần vai trò '{role}' của trường, phụ trách môn và khối của học liệu, hoặc được ủy quyền.",
        en=f"This needs the school's role '{role}' for the material's subject and grades, or a delegation.",
        roles=[role],
    )


def _own_work() -> AppError:
    return forbidden(
        "review.own_work",
        vi="Không ai được thông qua, phê duyệt hay trả lại học liệu của chính mình.",
        en="Nobody passes, approves or returns their own work.",
    )


def _step_open(step: ExtraStep) -> AppError:
    return conflict(
        "review.step_open",
        vi=f"Trường quy định bước '{step.name.vi}' trước; bước đó chưa được xác nhận.",
        en=f"The school has the step '{step.name.en}' before this one; it is not confirmed yet.",
        step=step.code,
    )


def _require_reason(reason: str | None) -> None:
    if reason is not None and reason.strip() and len(reason) <= REASON_MAX:
        return
    raise invalid(
        "review.reason_missing",
        vi="Trả lại học liệu hoặc ngừng sử dụng phải nêu lý do.",
        en="Returning a material or taking it out of use needs a reason.",
        errors=[
            FieldError(
                "/reason",
                "field.invalid",
                Text(f"Lý do gồm 1 đến {REASON_MAX} ký tự.", f"A reason has 1 to {REASON_MAX} characters."),
            )
        ],
    )


def _illegal(work: Work, action: Action) -> AppError:
    allowed = [each.value for each in allowed_actions(work)]
    vi = ", ".join(allowed) or "không có"
    en = ", ".join(allowed) or "none"
    return conflict(
        "review.illegal_in_state",
        vi=f"Không thể thực hiện '{action.value}' khi học liệu ở trạng thái '{work.state.value}'. Được phép: {vi}.",
        en=f"'{action.value}' is not possible in the state '{work.state.value}'. Allowed: {en}.",
        state=work.state.value,
        allowedActions=allowed,
    )
