"""The rules of OAI-PMH 2.0: verbs and their arguments, dates, sets, resumption tokens.

Source: The Open Archives Initiative Protocol for Metadata Harvesting 2.0 (2002-06-14 with the errata of 2015-01-08).
"""

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.errors import Text

Code = Literal[
    "badArgument",
    "badResumptionToken",
    "badVerb",
    "cannotDisseminateFormat",
    "idDoesNotExist",
    "noRecordsMatch",
]
PREFIXES = ("oai_dc", "lom")
_SECOND = dt.timedelta(seconds=1)
_DAY = dt.timedelta(days=1)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", re.ASCII)
_SET = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*")
_PLAIN = re.compile(r"[A-Za-z0-9\-_.~]")
_ESCAPED = re.compile(r"!([0-9A-F]{2})")


class OaiError(Exception):
    """An answer of the protocol, not a failure of HTTP: it is sent with status 200."""

    def __init__(self, code: Code, *, vi: str, en: str) -> None:
        super().__init__(f"{code}: {en}")
        self.code = code
        self.text = Text(vi, en)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a verb takes; `exclusive` stands alone when it is given."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    exclusive: str | None = None


_LIST = Arguments(frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"}), "resumptionToken")
VERBS: Mapping[str, Arguments] = {
    "Identify": Arguments(),
    "ListMetadataFormats": Arguments(optional=frozenset({"identifier"})),
    "ListSets": Arguments(exclusive="resumptionToken"),
    "ListIdentifiers": _LIST,
    "ListRecords": _LIST,
    "GetRecord": Arguments(frozenset({"identifier", "metadataPrefix"})),
}


def read_request(pairs: Iterable[tuple[str, str]]) -> tuple[str, dict[str, str]]:
    """The verb and its arguments. Raises `badVerb` and `badArgument`."""
    given = list(pairs)
    verbs = [value for name, value in given if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in VERBS:
        raise OaiError(
            "badVerb",
            vi=f"Cần đúng một tham số verb, trong số: {', '.join(VERBS)}.",
            en=f"Exactly one verb is needed, one of: {', '.join(VERBS)}.",
        )
    verb, known = verbs[0], VERBS[verbs[0]]
    arguments = {name: value for name, value in given if name != "verb"}
    if len(arguments) != len(given) - 1:
        raise bad_argument("Một tham số xuất hiện nhiều lần.", "An argument is repeated.")
    if known.exclusive in arguments:
        if len(arguments) > 1:
            raise bad_argument(f"{known.exclusive} phải đứng một mình.", f"{known.exclusive} is an exclusive argument.")
        return verb, arguments
    if unknown := arguments.keys() - known.required - known.optional:
        raise bad_argument(f"{verb} không có tham số: {_names(unknown)}.", f"{verb} does not take: {_names(unknown)}.")
    if missing := known.required - arguments.keys():
        raise bad_argument(f"Thiếu tham số: {_names(missing)}.", f"Missing: {_names(missing)}.")
    return verb, arguments


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))[:200]


def bad_argument(vi: str, en: str) -> OaiError:
    return OaiError("badArgument", vi=vi, en=en)


@dataclass(frozen=True, slots=True)
class SetSpec:
    """A set: everything of that kind when `value` is None, which is the node above them all."""

    kind: str
    value: str | None = None

    def __str__(self) -> str:
        return self.kind if self.value is None else f"{self.kind}:{_escaped(self.value)}"


SET_KINDS = ("subject", "grade", "school")


def _escaped(value: str) -> str:
    """Codes of schools are opaque, a setSpec is not: what it may not hold is written as `!` and two hex digits."""
    return "".join(
        letter if _PLAIN.fullmatch(letter) else "".join(f"!{byte:02X}" for byte in letter.encode()) for letter in value
    )


def _unescaped(value: str) -> str:
    raw = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
    try:
        return raw.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def read_set(text: str) -> SetSpec:
    """Raises `badArgument` for what is no setSpec. One that does not exist has no records."""
    if _SET.fullmatch(text) is None:
        raise bad_argument("Giá trị của set không đúng cú pháp.", "The value of set is not a setSpec.")
    kind, colon, value = text.partition(":")
    return SetSpec(kind, _unescaped(value) if colon else None)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list is to hold: `since` inclusive, `before` exclusive. The texts are what the harvester wrote."""

    prefix: str
    set: SetSpec | None = None
    since: dt.datetime | None = None
    before: dt.datetime | None = None
    arguments: Mapping[str, str] | None = None


def read_selection(arguments: Mapping[str, str]) -> Selection:
    """Raises `badArgument` and `cannotDisseminateFormat`."""
    chosen, since, until = (arguments.get(name) for name in ("set", "from", "until"))
    spec = None if chosen is None else read_set(chosen)
    first, last = _date(since), _date(until)
    if since is not None and until is not None and len(since) != len(until):
        raise bad_argument("from và until phải cùng độ chính xác.", "from and until have different granularities.")
    if first is not None and last is not None and first > last:
        raise bad_argument("from muộn hơn until.", "from is later than until.")
    before = None
    if last is not None and until is not None:
        step = _DAY if len(until) == 10 else _SECOND
        before = last + step if last < dt.datetime.max.replace(tzinfo=dt.UTC) - step else None
    check_prefix(arguments["metadataPrefix"])
    return Selection(arguments["metadataPrefix"], spec, first, before, dict(arguments))


def _date(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        written = text if _DATE.fullmatch(text) else ""
        return dt.datetime.fromisoformat(written.removesuffix("Z")).replace(tzinfo=dt.UTC)
    except ValueError as failure:
        raise bad_argument(
            "Ngày giờ phải có dạng YYYY-MM-DD hoặc YYYY-MM-DDThh:mm:ssZ.",
            "A date is written YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ.",
        ) from failure


def check_prefix(prefix: str) -> None:
    if prefix not in PREFIXES:
        raise OaiError(
            "cannotDisseminateFormat",
            vi=f"Không có định dạng này. Có: {', '.join(PREFIXES)}.",
            en=f"There is no such format. There are: {', '.join(PREFIXES)}.",
        )


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list: just behind the record with this key; `cursor` records were sent before it."""

    changed_at: dt.datetime
    material_id: UUID
    cursor: int


def write_token(verb: str, selection: Selection, place: Place) -> str:
    """All it takes to go on, so that the server remembers nothing and the token never ends."""
    content = [verb, selection.arguments, place.changed_at.isoformat(), str(place.material_id), place.cursor]
    raw = json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read_token(verb: str, token: str) -> tuple[Selection, Place]:
    """Raises `badResumptionToken`. It holds nothing secret: what it says is checked like arguments."""
    try:
        content = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        made_for, arguments, changed_at, material_id, cursor = _typed(content)
        place = Place(dt.datetime.fromisoformat(changed_at), UUID(material_id), cursor)
        _, checked = read_request([("verb", made_for), *arguments.items()])
        selection = read_selection(checked)
    except (binascii.Error, ValueError, KeyError, OaiError) as failure:
        raise bad_token() from failure
    if made_for != verb or place.changed_at.tzinfo is None or cursor < 0:
        raise bad_token()
    return selection, place


def _typed(content: object) -> tuple[str, dict[str, str], str, str, int]:
    if not isinstance(content, list) or len(content) != 5:
        raise ValueError(content)
    verb, arguments, changed_at, material_id, cursor = content
    texts: Sequence[object] = (verb, changed_at, material_id)
    if not isinstance(arguments, dict) or type(cursor) is not int or not all(isinstance(each, str) for each in texts):
        raise ValueError(content)
    if not all(isinstance(value, str) for value in arguments.values()):
        raise ValueError(content)
    return verb, arguments, changed_at, material_id, cursor


def bad_token() -> OaiError:
    return OaiError(
        "badResumptionToken",
        vi="resumptionToken không hợp lệ. Hãy dùng nguyên giá trị của phản hồi trước, hoặc thu hoạch lại từ đầu.",
        en="The resumptionToken is not valid. Use it exactly as it was given, or start the list anew.",
    )


def utc(instant: dt.datetime) -> str:
    """Seconds granularity; a datestamp is cut, never rounded up."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def identifier_of(repository: str, material_id: UUID) -> str:
    return f"oai:{repository}:{material_id}"


def read_identifier(repository: str, identifier: str) -> UUID | None:
    """None for an identifier that no item of this repository can have."""
    start = f"oai:{repository}:"
    try:
        found = UUID(identifier.removeprefix(start))
    except ValueError:
        return None
    return found if identifier == identifier_of(repository, found) else None
