"""What a reviewer is told before they decide: rights that are missing, personal data, the same work elsewhere.

Personal data is counted and never quoted: a warning must not spread what it warns of (PRODUCT rule 11).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.errors import Text

ALIKE = 0.6

_UPPER = "A-ZÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĐĨŨƠƯẠ-Ỹ"
_NAME = rf"(?:[{_UPPER}]\w+[ \t]+){{1,4}}[{_UPPER}]\w+"
_DATE = r"(?:0?[1-9]|[12]\d|3[01])[/.-](?:0?[1-9]|1[0-2])[/.-](?:19|20)\d{2}"
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "personal.phone": re.compile(r"(?<![\d.])(?:\+84|0)[ .-]?[35789](?:[ .-]?\d){8}(?!\d)"),
    # Twelve digits that begin with a province's number: 001 to 096.
    "personal.citizen_id": re.compile(r"(?<!\d)0[0-9]{11}(?!\d)"),
    # On one line, as in a list of a class.
    "personal.name_and_birth_date": re.compile(rf"{_NAME}[^\n]{{0,40}}?\b{_DATE}\b"),
}

TEXTS: Mapping[str, Text] = {
    "licence.missing": Text("Chưa nêu giấy phép sử dụng.", "No licence is named."),
    "sources.missing": Text("Chưa nêu nguồn tài liệu.", "No sources are named."),
    "personal.phone": Text("Có thể có số điện thoại trong tệp.", "The file may hold telephone numbers."),
    "personal.citizen_id": Text("Có thể có số định danh cá nhân trong tệp.", "The file may hold personal ID numbers."),
    "personal.name_and_birth_date": Text(
        "Có thể có họ tên kèm ngày sinh trong tệp.", "The file may hold names with birth dates."
    ),
    "duplicate.file": Text("Tệp này đã có ở một học liệu khác.", "Another material has this very file."),
    "duplicate.text": Text(
        "Nội dung chữ gần giống một học liệu khác.", "The text is much like that of another material."
    ),
    "scan.not_done": Text("Tệp chưa được quét virus.", "The file was not scanned for viruses."),
}


@dataclass(frozen=True, slots=True)
class Warned:
    """`position` is the file, `count` how often, `other` a material that is alike, `likeness` how much (0 to 1)."""

    code: str
    position: int | None = None
    count: int | None = None
    other: str | None = None
    place: str | None = None
    likeness: float | None = None

    @property
    def text(self) -> Text:
        return TEXTS[self.code]


def personal_data(text: str, position: int) -> Iterator[Warned]:
    """What looks like personal data in a file's text."""
    for code, pattern in PATTERNS.items():
        count = sum(1 for _ in pattern.finditer(text))
        if count:
            yield Warned(code, position=position, count=count)
