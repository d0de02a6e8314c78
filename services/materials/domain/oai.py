"""OAI-PMH 2.0 (openarchives.org/OAI/openarchivesprotocol.html): what may be asked, and resumption tokens."""

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from services.materials.domain.catalogue import subjects

PREFIXES = ("oai_dc", "lom")
PAGE = 100

Code = Literal[
    "badArgument",
    "badResumptionToken",
    "badVerb",
    "cannotDisseminateFormat",
    "idDoesNotExist",
    "noRecordsMatch",
    "noMetadataFormats",
    "noSetHierarchy",
]


class OaiError(Exception):
    """An error of the protocol: told with status 200 in an `error` element."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records: `first` and `last` inclusive to the second; `after` the key of the last record sent before."""

    prefix: str
    set: str | None = None
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    after: tuple[dt.datetime, UUID] | None = None
    sent: int = 0


# verb -> (required, optional); `resumptionToken` stands alone.
_VERBS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "Identify": (frozenset(), frozenset()),
    "ListMetadataFormats": (frozenset(), frozenset({"identifier"})),
    "ListSets": (frozenset(), frozenset({"resumptionToken"})),
    "ListIdentifiers": (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set", "resumptionToken"})),
    "ListRecords": (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set", "resumptionToken"})),
    "GetRecord": (frozenset({"identifier", "metadataPrefix"}), frozenset()),
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SECOND = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def arguments_of(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The arguments with their verb. Raises badVerb, or badArgument for one that is repeated, unknown or missing."""
    given: dict[str, str] = {}
    repeated = [name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1]
    verbs = [value for name, value in pairs if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in _VERBS:
        raise OaiError("badVerb", "The verb is missing, repeated or unknown.")
    if repeated:
        raise OaiError("badArgument", f"Repeated: {', '.join(sorted(set(repeated)))}.")
    given.update(pairs)
    required, optional = _VERBS[given["verb"]]
    names = given.keys() - {"verb"}
    if unknown := names - required - optional:
        raise OaiError("badArgument", f"Not an argument of this verb: {', '.join(sorted(unknown))}.")
    if "resumptionToken" in names:
        if len(names) > 1:
            raise OaiError("badArgument", "resumptionToken is an exclusive argument.")
        return given
    if missing := required - names:
        raise OaiError("badArgument", f"Missing: {', '.join(sorted(missing))}.")
    return given


def selection_of(given: Mapping[str, str]) -> Selection:
    """What a list request selects, from its arguments or from its token."""
    if "resumptionToken" in given:
        return _from_token(given["resumptionToken"], given["verb"])
    prefix = given["metadataPrefix"]
    require_prefix(prefix)
    first, last = given.get("from"), given.get("until")
    if first is not None and last is not None and len(first) != len(last):
        raise OaiError("badArgument", "from and until have different granularities.")
    begins = None if first is None else _moment(first, end=False)
    ends = None if last is None else _moment(last, end=True)
    if begins is not None and ends is not None and begins > ends:
        raise OaiError("badArgument", "from is later than until.")
    chosen = given.get("set")
    if chosen is not None and chosen.partition(":")[0] not in {"subject", "grade", "school"}:
        raise OaiError("noRecordsMatch", "There is no such set.")
    return Selection(prefix, chosen, begins, ends)


def require_prefix(prefix: str) -> None:
    if prefix not in PREFIXES:
        raise OaiError("cannotDisseminateFormat", f"Formats: {', '.join(PREFIXES)}.")


def _moment(value: str, *, end: bool) -> dt.datetime:
    try:
        if _SECOND.fullmatch(value):
            return dt.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
        if _DAY.fullmatch(value):
            day = dt.datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=dt.UTC)
            return day + dt.timedelta(hours=23, minutes=59, seconds=59) if end else day
    except ValueError as failure:
        raise OaiError("badArgument", f"Not a date: {value}.") from failure
    raise OaiError("badArgument", f"Not a UTC date of the form YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ: {value}.")


def token_of(selection: Selection, verb: str) -> str:
    """A token that holds everything needed to go on: the server keeps nothing."""
    assert selection.after is not None
    state = {
        "v": verb,
        "p": selection.prefix,
        "s": selection.set,
        "f": None if selection.first is None else selection.first.isoformat(),
        "u": None if selection.last is None else selection.last.isoformat(),
        "k": [selection.after[0].isoformat(), str(selection.after[1])],
        "n": selection.sent,
    }
    return base64.urlsafe_b64encode(json.dumps(state, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _from_token(token: str, verb: str) -> Selection:
    try:
        state = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        selection = Selection(
            prefix=state["p"],
            set=None if state["s"] is None else str(state["s"]),
            first=None if state["f"] is None else dt.datetime.fromisoformat(state["f"]),
            last=None if state["u"] is None else dt.datetime.fromisoformat(state["u"]),
            after=(dt.datetime.fromisoformat(state["k"][0]), UUID(state["k"][1])),
            sent=int(state["n"]),
        )
        ours = state["v"] == verb and selection.prefix in PREFIXES
    except (ValueError, KeyError, TypeError, IndexError, binascii.Error, AttributeError) as failure:
        raise _bad_token() from failure
    if not ours:
        raise _bad_token()
    return selection


def _bad_token() -> OaiError:
    return OaiError("badResumptionToken", "The token is not one of ours, or of another request.")


def identifier_of(domain: str, material_id: UUID) -> str:
    return f"oai:{domain}:{material_id}"


def material_of(identifier: str, domain: str) -> UUID:
    """Raises idDoesNotExist for an identifier that is not one of ours."""
    try:
        return UUID(identifier.removeprefix(f"oai:{domain}:"))
    except ValueError as failure:
        raise OaiError("idDoesNotExist", "There is no such item.") from failure


def set_names() -> list[tuple[str, str]]:
    """The sets of subjects and grades, with their names; those of schools come from the shelf."""
    said = [(f"subject:{subject.code}", subject.name.vi) for subject in subjects().values()]
    grades = [(f"grade:{grade}", f"Khối {grade}") for grade in ("6", "7", "8", "9", "10", "11", "12")]
    return [("subject", "Môn học"), *said, ("grade", "Khối lớp"), *grades, ("school", "Trường")]
