"""Pushing the change feed to a receiver: what its answers mean, how long to wait, what is sent."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal

from shared.clock import VIETNAM
from shared.errors import Text

Profile = Literal["plain", "ndc"]
LONGEST_PAUSE_SECONDS = 3600.0
SECRET_PREFIX = "whsec_"  # noqa: S105  # how Standard Webhooks marks a secret, not a secret
# The receiver says that the data is wrong. Other 4xx (no access, no such address) are no fault of a record.
REFUSING = frozenset({400, 409, 413, 422})
# A receiver that refuses so many records one after the other has another trouble than these records.
MOST_REFUSED_IN_A_ROW = 100
_NDC_EVENT = {"added": "NEW", "changed": "UPdate", "removed": "CANCEL"}


class Verdict(StrEnum):
    """`refused`: this very content; `later`: anything else, the same again after a pause."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"


def verdict_of(status: int) -> Verdict:
    if 200 <= status < 300:
        return Verdict.TAKEN
    return Verdict.REFUSED if status in REFUSING else Verdict.LATER


def pause_seconds(failures: int, chance: float, retry_after: float | None) -> float:
    """Doubling from two seconds to an hour, spread by `chance` (0 to 1) so that feeds do not come back all at once.

    Never shorter than the receiver asked for with Retry-After, as far as that is within a day.
    """
    longest = min(2.0 ** min(failures, 20), LONGEST_PAUSE_SECONDS)
    return max(longest * (0.5 + 0.5 * chance), min(retry_after or 0.0, 86_400.0))


def cursor_of(place: Sequence[Any]) -> str:
    """A place in the feed as `GET /sync/v1/changes` writes it, so that a receiver may go on by reading."""
    raw = json.dumps(list(place), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def message_id(feed: str, settings: int, start: Sequence[Any], end: Sequence[Any]) -> str:
    """The same for the same range of the same feed, however often it is sent under the same version of its settings.

    Other settings make other content of a range, and a restart is for a receiver that lost what it once confirmed:
    neither may pass for something that was already dealt with.
    """
    named = json.dumps([feed, settings, list(start), list(end)]).encode()
    return "msg_" + hashlib.sha256(named).hexdigest()[:40]


def signed_headers(secret: str, message: str, now: dt.datetime, body: bytes) -> dict[str, str]:
    """`webhook-id`, `-timestamp` and `-signature` (Standard Webhooks 1.0.0): HMAC-SHA256 over `id.timestamp.body`."""
    stamp = str(int(now.timestamp()))
    key = signing_key(secret)
    made = hmac.new(key, b".".join((message.encode(), stamp.encode(), body)), hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(made).decode()
    return {"webhook-id": message, "webhook-timestamp": stamp, "webhook-signature": signature}


def signing_key(secret: str) -> bytes:
    """The bytes behind `whsec_<base64>`, 24 to 64 of them. Raises ValueError."""
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError("no whsec_")
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    if not 24 <= len(key) <= 64:
        raise ValueError("24 to 64 bytes")
    return key


def action_of(row: Mapping[str, Any]) -> Literal["added", "changed", "removed"]:
    if row["status"] != "active":
        return "removed"
    return "added" if row["version"] == 1 else "changed"


def plain_change(row: Mapping[str, Any]) -> dict[str, Any]:
    """A version of a record as an item of `GET /sync/v1/changes`."""
    return {
        "type": row["type"],
        "school": row["school_sourced_id"],
        "sourcedId": row["sourced_id"],
        "action": action_of(row),
        "version": row["version"],
        "recordedAt": row["recorded_at"].astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "importId": str(row["last_import_id"]),
        "record": row["record"],
    }


def ndc_change(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the record envelope the ministry uses with the National Data Centre."""
    key = {"school": row["school_sourced_id"], "sourcedId": row["sourced_id"]}
    return {
        "IdBanGhi": "|".join((row["type"], *key.values())),
        "SuKien": _NDC_EVENT[action_of(row)],
        "PhienBan": row["version"],
        "ThoiGianCapNhat": f"{row['recorded_at'].astimezone(VIETNAM):%Y-%m-%dT%H:%M:%S}",
        "Loai": row["type"],
        "DuLieu": key | row["record"],
    }


def body_of(feed: str, profile: Profile, rows: Sequence[Mapping[str, Any]], end: Sequence[Any]) -> bytes:
    """`{"feed", "profile", "cursor", "changes"}`; `cursor` is the place behind the last change."""
    shape = ndc_change if profile == "ndc" else plain_change
    document = {"feed": feed, "profile": profile, "cursor": cursor_of(end), "changes": [shape(row) for row in rows]}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


FEED_TEXTS: Mapping[str, Text] = {
    "feed.refusedAccess": Text(
        "Nơi nhận từ chối: kiểm tra địa chỉ và cách xác thực.",
        "The receiver refuses: check address and authentication.",
    ),
    "feed.busy": Text("Nơi nhận đang bận hoặc lỗi.", "The receiver is busy or broken."),
    "feed.unreachable": Text("Không kết nối được nơi nhận.", "The receiver cannot be reached."),
    "feed.addressRefused": Text(
        "Địa chỉ này thuộc mạng nội bộ nên không được phép gọi.",
        "The address is inside a private network: not allowed.",
    ),
    "feed.refusesAll": Text(
        f"Nơi nhận đã từ chối {MOST_REFUSED_IN_A_ROW} bản ghi liên tiếp nên tạm dừng, không bỏ qua thêm bản ghi nào. "
        "Hãy sửa nơi nhận; hoặc gửi lại cài đặt (PUT) để đi tiếp.",
        f"The receiver refused {MOST_REFUSED_IN_A_ROW} records in a row: no more are put aside. Mend the receiver; or "
        "send the settings again (PUT) to go on.",
    ),
    "feed.refused": Text("Nơi nhận từ chối bản ghi này.", "The receiver refuses this record."),
    "feed.crashed": Text("Lỗi của hệ thống; xem nhật ký của worker.", "Something broke on our side; see the log."),
    "changes.cursorAhead": Text(
        "Con trỏ không thuộc cơ sở dữ liệu hiện tại (vừa khôi phục?). Hãy bắt đầu lại từ đầu (restart).",
        "The cursor is not of this database (was it restored?). Begin again (restart).",
    ),
    "connector.secretUnreadable": Text(
        "Không giải mã được mật khẩu: CONNECTOR_KEY đã đổi? Hãy nhập lại mật khẩu.",
        "The secret cannot be decrypted: did CONNECTOR_KEY change? Set the secret again.",
    ),
}
