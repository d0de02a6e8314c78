"""multipart/form-data as a stream of parts, with flat memory (RFC 7578).

python-multipart's parser is used directly: Starlette's `request.form()` would write each file to a temporary place,
from which it would have to be copied to its own.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.errors import AppError, invalid


@dataclass(frozen=True, slots=True)
class PartBegin:
    """`filename` as sent (UTF-8), None for a plain field."""

    name: str
    filename: str | None


@dataclass(frozen=True, slots=True)
class PartEnd:
    name: str


Event = PartBegin | bytes | PartEnd


async def multipart_events(content_type: str | None, body: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """Events in the order of the body. Raises `media_type.unsupported` (415) or `upload.malformed`."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise _not_multipart()
    collector = _Collector()
    try:
        parser = MultipartParser(boundary, collector.callbacks())  # type: ignore[arg-type]  # a plain dict of the same keys
        async for chunk in body:
            parser.write(chunk)
            for event in collector.take():
                yield event
        parser.finalize()
    except FormParserError as failure:
        raise _malformed() from failure
    if not collector.complete:
        raise _malformed()


class _Collector:
    """Turns the parser's callbacks into a list that is emptied after each chunk."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        self._name = ""
        self.complete = False

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": lambda data, start, end: self._events.append(bytes(data[start:end])),
            "on_part_end": lambda: self._events.append(PartEnd(self._name)),
            "on_end": self._on_end,
        }

    def take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _on_part_begin(self) -> None:
        self._disposition = b""

    def _on_header_end(self) -> None:
        if bytes(self._header_name).lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition.decode("latin-1"))
        try:
            self._name = options[b"name"].decode("utf-8")
            filename = options[b"filename"].decode("utf-8") if b"filename" in options else None
        except (KeyError, UnicodeDecodeError) as failure:
            raise _malformed() from failure
        self._events.append(PartBegin(self._name, None if filename is None else _unescaped(filename)))

    def _on_end(self) -> None:
        self.complete = True


def _unescaped(filename: str) -> str:
    """Browsers and httpx write these three letters as percent codes inside the quotes, and nothing else (WHATWG)."""
    return filename.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _not_multipart() -> AppError:
    return invalid(
        "media_type.unsupported",
        vi="Hãy gửi multipart/form-data với hai phần: metadata (JSON), rồi file.",
        en="Send multipart/form-data with two parts: metadata (JSON), then file.",
    )


def _malformed() -> AppError:
    return invalid(
        "upload.malformed",
        vi="Nội dung multipart bị hỏng hoặc bị cắt ngang.",
        en="The multipart body is damaged or cut off.",
    )
