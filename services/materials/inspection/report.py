"""What an inspection found, and the limits it works under; both cross the border of the process as JSON."""

import base64
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Text

TEXT_LIMIT = 200_000
LINE_LIMIT = 1_000
CONTENTS_LIMIT = 500
PROBLEMS_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. The child refuses what goes beyond the first part; the rest stops the child."""

    max_entries: int = 20_000
    max_directory_bytes: int = 8 * 1024 * 1024
    max_unpacked_bytes: int = 20 * 1024**3
    max_ratio: int = 200
    max_pixels: int = 100_000_000
    max_pages: int = 10_000
    memory_bytes: int = 1024**3
    cpu_seconds: int = 20
    wall_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a reviewer should know that does not keep the file out; `place` is a name or path inside the file."""

    code: str
    text: Text
    place: str | None = None


@dataclass(slots=True)
class Inspection:
    """`kind` is a code of `domain.file_types`; `launch` the path a package starts at; `contents` what it lists.

    `text` is in NFC and has at most `TEXT_LIMIT` letters; `thumbnail` is a WebP picture of at most 320 pixels a side,
    `sketch` what the text is compared with others by (`domain.fingerprint`).
    """

    kind: str
    title: str | None = None
    launch: str | None = None
    standard: str | None = None
    pages: int | None = None
    text: str = ""
    contents: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    thumbnail: bytes | None = None
    sketch: list[int] = field(default_factory=list)

    def note(self, code: str, vi: str, en: str, place: str | None = None) -> None:
        """Add a problem; more than a reviewer would read are not kept."""
        if len(self.problems) < PROBLEMS_LIMIT:
            self.problems.append(Problem(code, Text(vi, en), place))

    def details(self) -> dict[str, Any]:
        """What is kept in the database beside the kind, the text and the picture; camelCase as the API shows it."""
        return {
            "title": self.title,
            "launch": self.launch,
            "standard": self.standard,
            "pages": self.pages,
            "contents": self.contents,
            "problems": [
                {"code": each.code, "vi": each.text.vi, "en": each.text.en, "place": each.place}
                for each in self.problems
            ],
        }

    def as_json(self) -> dict[str, Any]:
        picture = None if self.thumbnail is None else base64.b64encode(self.thumbnail).decode()
        return self.details() | {
            "kind": self.kind,
            "text": self.text[:TEXT_LIMIT],
            "thumbnail": picture,
            "sketch": self.sketch,
        }
