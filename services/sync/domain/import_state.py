"""The life of an import as a table: which step is allowed in which state, and where it leads."""

from collections.abc import Mapping
from enum import StrEnum

from shared.errors import conflict


class State(StrEnum):
    """`received`: a receipt was given; `ready` waits for a commit, `held` for the school; the last three are final."""

    RECEIVED = "received"
    VALIDATING = "validating"
    READY = "ready"
    HELD = "held"
    COMMITTING = "committing"
    COMMITTED = "committed"
    REJECTED = "rejected"
    DISCARDED = "discarded"


class Step(StrEnum):
    VALIDATE = "validate"
    PASS = "pass"  # noqa: S105  # a step, not a password
    HOLD = "hold"
    REJECT = "reject"
    COMMIT = "commit"
    RELEASE = "release"
    DISCARD = "discard"
    FINISH = "finish"
    EXPIRE = "expire"


_MOVES: Mapping[tuple[State, Step], State] = {
    (State.RECEIVED, Step.VALIDATE): State.VALIDATING,
    (State.VALIDATING, Step.VALIDATE): State.VALIDATING,  # a worker died half-way: start again
    (State.VALIDATING, Step.PASS): State.READY,
    (State.VALIDATING, Step.HOLD): State.HELD,
    (State.VALIDATING, Step.REJECT): State.REJECTED,
    (State.READY, Step.COMMIT): State.COMMITTING,
    (State.HELD, Step.RELEASE): State.COMMITTING,
    (State.HELD, Step.DISCARD): State.DISCARDED,
    # Nobody decided for so long that the staged rows, which are personal data, may not be kept any more.
    (State.READY, Step.EXPIRE): State.DISCARDED,
    (State.HELD, Step.EXPIRE): State.DISCARDED,
    # The base changed between validation and commit, and the new difference is too large to go on unseen.
    (State.COMMITTING, Step.HOLD): State.HELD,
    (State.COMMITTING, Step.FINISH): State.COMMITTED,
}
UNFINISHED = (State.RECEIVED, State.VALIDATING, State.COMMITTING)


def after(state: State, step: Step) -> State:
    """The state a step leads to. Raises `import.held` or `import.wrongState` (conflict) when it is not allowed now."""
    if (state, step) in _MOVES:
        return _MOVES[state, step]
    if state is State.HELD and step is Step.COMMIT:
        raise conflict(
            "import.held",
            vi="Gói này bị giữ lại vì thay đổi quá lớn. Hiệu trưởng hoặc cán bộ dữ liệu của trường mở, kèm lý do.",
            en="This import is held because it changes too much. The school's head or data officer releases it, "
            "with a reason.",
            state=state.value,
            whoCanRelease=["head", "data_officer"],
        )
    raise conflict(
        "import.wrongState",
        vi=f"Gói đang ở trạng thái {state.value} nên không thể làm việc này.",
        en=f"The import is {state.value}, which does not allow this.",
        state=state.value,
    )
