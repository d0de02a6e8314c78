"""Pulling rosters from a OneRoster provider: when a run is due, how long to wait, and what can go wrong.

Times of day are those of Vietnam, which knows no summer time.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shared.clock import VIETNAM
from shared.errors import Text

# Clocks of two systems never agree, and a commit may show up later than its time: a delta looks back this much further.
OVERLAP = dt.timedelta(hours=1)
MOST_TRIES = 6
LONGEST_WAIT_SECONDS = 300.0
MOST_INTERRUPTIONS = 5


class RunKind(StrEnum):
    FULL = "full"
    DELTA = "delta"


class RunState(StrEnum):
    """`imported`: a package was handed in; `unchanged`: the provider had nothing new. The last four are final."""

    WAITING = "waiting"
    RUNNING = "running"
    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A run every day at `at`; the one on `full_on` (0 is Monday) reads everything."""

    at: dt.time
    full_on: int

    def next_after(self, instant: dt.datetime) -> dt.datetime:
        """The first moment of the schedule that lies behind `instant`, in UTC."""
        local = instant.astimezone(VIETNAM)
        slot = local.replace(hour=self.at.hour, minute=self.at.minute, second=0, microsecond=0)
        if slot <= local:
            slot += dt.timedelta(days=1)
        return slot.astimezone(dt.UTC)

    def kind_at(self, now: dt.datetime, last_full: dt.datetime | None) -> RunKind:
        """Full when nothing was ever read, or when the newest weekly moment has not been followed by a full run."""
        if last_full is None:
            return RunKind.FULL
        local = now.astimezone(VIETNAM)
        weekly = local.replace(hour=self.at.hour, minute=self.at.minute, second=0, microsecond=0)
        weekly -= dt.timedelta(days=(local.weekday() - self.full_on) % 7)
        if weekly > local:
            weekly -= dt.timedelta(days=7)
        return RunKind.FULL if last_full < weekly else RunKind.DELTA


def watermark_of(newest: dt.datetime | None, started: dt.datetime) -> dt.datetime:
    """Where the next delta begins, but for the overlap: the newest change that was seen, never behind the run's start.

    What changes while the pages are read may be newer than what another list had already shown.
    """
    return started if newest is None else min(newest, started)


def wait_seconds(tries: int, retry_after: float | None) -> float:
    """Before try number `tries` + 1: what the provider asked for, otherwise doubling from one second."""
    wanted = 2.0 ** (tries - 1) if retry_after is None else retry_after
    return min(max(wanted, 0.0), LONGEST_WAIT_SECONDS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the provider's answers: path, offset of the page, HTTP status, what was expected and what came."""

    path: str = ""
    offset: int | None = None
    status: int | None = None
    expected: str | None = None
    got: str | None = None

    def document(self) -> dict[str, Any]:
        names = ("path", "offset", "status", "expected", "got")
        return {name: getattr(self, name) for name in names if getattr(self, name) not in {None, ""}}


class PullError(Exception):
    """Stops a run; nothing of it is imported. `code` is one of `PULL_TEXTS`."""

    def __init__(self, code: str, place: Place | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.place = place or Place()


@dataclass(slots=True)
class Pages:
    """The safe page rule over one list: a page that is not what was announced stops the pull.

    Sources: OneRoster 1.1 and 1.2, paging by `limit`, `offset` and `X-Total-Count`. Many readers take a page below
    `limit` for the last one, and then unenrol everybody behind it.
    """

    path: str
    limit: int
    taken: int = 0
    total: int | None = None
    _first: str | None = None
    _asked: int = 0
    _seen: set[str] = field(default_factory=set)

    def take(self, ids: list[str], total: int | None, *, has_next: bool) -> bool:
        """Judge the page at offset `taken`; answers whether there is another. Raises `PullError`."""
        if self._asked and total != self.total:
            raise self._fault("pull.totalChanged", self.total, total)
        self.total = total
        self._asked += 1
        self._refuse_known(ids)
        if total is None:
            if not ids and has_next:
                raise self._fault("pull.pageMissing", "Link: rel=next", 0)
            self.taken += len(ids)
            # Without a total only an empty page proves the end.
            return bool(ids)
        if self.taken + len(ids) > total:
            raise self._fault("pull.moreThanTotal", total, self.taken + len(ids))
        if self.taken + len(ids) < total and len(ids) < self.limit:
            code = "pull.pageShort" if ids else "pull.pageMissing"
            raise self._fault(code, min(self.limit, total - self.taken), len(ids))
        self.taken += len(ids)
        return self.taken < total

    def _refuse_known(self, ids: list[str]) -> None:
        if ids and ids[0] == self._first:
            raise self._fault("pull.pageRepeated", None, None)
        for each in ids:
            if each in self._seen:
                raise self._fault("pull.recordRepeated", None, each)
            self._seen.add(each)
        self._first = ids[0] if ids else self._first

    def _fault(self, code: str, expected: object, got: object) -> PullError:
        said = [None if each is None else str(each)[:200] for each in (expected, got)]
        return PullError(code, Place(self.path, self.taken, 200, *said))


PULL_TEXTS: Mapping[str, Text] = {
    "pull.secretRefused": Text(
        "Máy chủ mã truy cập của nhà cung cấp từ chối mã khách hoặc mật khẩu: xem oauthClientId, oauthClientSecret.",
        "The provider's token server refused the client id or secret. Check oauthClientId and oauthClientSecret.",
    ),
    "pull.scopeRefused": Text(
        "Nhà cung cấp chưa cấp cho mã khách này quyền đọc danh sách của phiên bản OneRoster đã chọn.",
        "The provider has not granted the client the scope to read rosters of the chosen OneRoster version.",
    ),
    "pull.tokenAnswer": Text(
        "Máy chủ mã truy cập không trả về access_token hợp lệ.", "The token server did not answer with an access_token."
    ),
    "pull.tokenRefused": Text(
        "Nhà cung cấp không nhận mã truy cập vừa cấp.", "The provider refuses a token it has just issued."
    ),
    "pull.forbidden": Text(
        "Mã truy cập thiếu phạm vi để đọc danh sách này.", "The token lacks the scope to read this list."
    ),
    "pull.schoolUnknown": Text("Nhà cung cấp không biết trường này.", "The provider does not know this school."),
    "pull.wrongStatus": Text(
        "Nhà cung cấp trả lời bằng mã HTTP không mong đợi.", "The provider answered with an unexpected HTTP status."
    ),
    "pull.unavailable": Text(
        "Nhà cung cấp không trả lời sau nhiều lần thử.", "The provider did not answer after several tries."
    ),
    "pull.addressRefused": Text(
        "Địa chỉ này thuộc mạng nội bộ nên không được phép gọi.",
        "The address is inside a private network: not allowed.",
    ),
    "pull.notJson": Text("Trang trả về không phải JSON.", "The page is not JSON."),
    "pull.wrongShape": Text(
        "JSON không có danh sách đúng tên, hoặc bản ghi thiếu sourcedId.",
        "The JSON lacks the list by its name, or a record lacks its sourcedId.",
    ),
    "pull.totalUnreadable": Text("X-Total-Count không phải là số.", "X-Total-Count is not a number."),
    "pull.totalChanged": Text(
        "X-Total-Count thay đổi giữa các trang: dữ liệu đổi trong khi đọc.",
        "X-Total-Count changed between pages: the data changed while it was read.",
    ),
    "pull.pageShort": Text(
        "Trang ngắn hơn limit trong khi X-Total-Count cho biết còn nữa.",
        "A page is shorter than limit although X-Total-Count says there is more.",
    ),
    "pull.pageMissing": Text("Một trang trống ở giữa danh sách.", "A page is empty in the middle of the list."),
    "pull.pageRepeated": Text(
        "Nhà cung cấp gửi lại trang trước: offset bị bỏ qua.", "The page before came again: offset is ignored."
    ),
    "pull.recordRepeated": Text("Một bản ghi có ở hai trang.", "A record appears on two pages."),
    "pull.moreThanTotal": Text("Nhiều bản ghi hơn X-Total-Count.", "More records than X-Total-Count."),
    "pull.tooLarge": Text("Dữ liệu vượt quá giới hạn dung lượng.", "The data is larger than the limit."),
    "pull.packageRefused": Text(
        "Gói tạo từ dữ liệu này bị từ chối tại cửa.", "The package made from this data was refused at the door."
    ),
    "pull.gaveUp": Text(
        "Bị gián đoạn quá nhiều lần; xem nhật ký của worker.", "Interrupted too often; see the worker's log."
    ),
    "pull.crashed": Text("Lỗi của hệ thống; xem nhật ký của worker.", "Something broke on our side; see the log."),
    "connector.secretUnreadable": Text(
        "Không giải mã được mật khẩu: CONNECTOR_KEY đã đổi? Hãy nhập lại mật khẩu.",
        "The secret cannot be decrypted: did CONNECTOR_KEY change? Set the secret again.",
    ),
}
