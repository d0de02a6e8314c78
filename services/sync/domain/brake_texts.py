"""Why an import waits, in words; `{count}`, `{before}`, `{type}` and `{school}` come from the reason."""

from collections.abc import Mapping

from shared.errors import Text

HOLD_TEXTS: Mapping[str, Text] = {
    "removedTooMany": Text(
        "Gói sẽ kết thúc {count} trên {before} bản ghi {type} của trường {school}, quá 10 %.",
        "The package would end {count} of {before} {type} records of school {school}, more than 10 %.",
    ),
    "changedTooMany": Text(
        "Gói sẽ thay đổi {count} trên {before} bản ghi {type} của trường {school}, quá 75 %.",
        "The package would change {count} of {before} {type} records of school {school}, more than 75 %.",
    ),
    "olderThanCommitted": Text(
        "Trường {school} đã có dữ liệu được ghi từ một gói nhận sau gói này.",
        "School {school} already has data committed from a package received after this one.",
    ),
}
