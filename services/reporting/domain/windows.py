"""The window of a campaign: late is accepted while it is open; a closed one says why and who can open it (rule 2)."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.reporting.domain.deadlines import Cutoff
from shared.errors import AppError, Text, conflict, invalid


class ClosedReason(StrEnum):
    """The closed list. The first two follow from the clock, the others are an officer's decision."""

    NOT_YET_OPEN = "not_yet_open"
    ENDED = "ended"
    FIGURES_SENT = "figures_sent"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


REASONS: Mapping[ClosedReason, Text] = {
    ClosedReason.NOT_YET_OPEN: Text("Đợt báo cáo chưa mở.", "The campaign has not opened yet."),
    ClosedReason.ENDED: Text("Đợt báo cáo đã kết thúc.", "The campaign has ended."),
    ClosedReason.FIGURES_SENT: Text(
        "Số liệu đã được tổng hợp và gửi lên cấp trên.", "The figures have been compiled and sent to the level above."
    ),
    ClosedReason.SUSPENDED: Text("Đợt báo cáo đang tạm dừng.", "The campaign is suspended."),
    ClosedReason.CANCELLED: Text("Đợt báo cáo đã bị hủy.", "The campaign was cancelled."),
}
DECIDED = frozenset({ClosedReason.FIGURES_SENT, ClosedReason.SUSPENDED, ClosedReason.CANCELLED})


@dataclass(frozen=True, slots=True)
class Window:
    """`opens_at` and `closes_at` (inclusive) may be open ends; `closed` is an officer's decision and beats both."""

    opens_at: dt.datetime | None = None
    closes_at: dt.datetime | None = None
    closed: ClosedReason | None = None

    def closed_because(self, received: dt.datetime, extended_until: Cutoff | None = None) -> ClosedReason | None:
        """None while open. An extension keeps the window open for its unit beyond the common end."""
        if self.closed is not None:
            return self.closed
        if self.opens_at is not None and received < self.opens_at:
            return ClosedReason.NOT_YET_OPEN
        ended = self.closes_at is not None and received > self.closes_at
        if ended and not (extended_until is not None and extended_until.on_time(received)):
            return ClosedReason.ENDED
        return None


def window_closed(reason: ClosedReason, *, opener: str, opener_name: str) -> AppError:
    """The refusal: why, and who can open it. `opener` is the sourcedId of the unit whose officer decides."""
    return conflict(
        "window.closed",
        vi=f"{REASONS[reason].vi} Người có thể mở lại: chuyên viên của {opener_name}.",
        en=f"{REASONS[reason].en} Who can open it: an officer of {opener_name}.",
        reason=reason.value,
        whoCanOpen={"role": "department_officer", "org": opener, "name": opener_name},
    )


def check_window(window: Window, cutoff: Cutoff) -> None:
    """Raise `window.inconsistent` unless opening < deadline and deadline <= closing."""
    opens_late = window.opens_at is not None and not cutoff.on_time(window.opens_at)
    closes_early = window.closes_at is not None and window.closes_at < cutoff.instant
    if opens_late or closes_early:
        raise invalid(
            "window.inconsistent",
            vi="Thời điểm mở phải trước hạn nộp, và thời điểm đóng không được trước hạn nộp.",
            en="The window must open before the deadline and must not close before it.",
        )
