"""One page of a OneRoster collection, streamed by COPY as PostgreSQL writes it: memory does not grow with `limit`.

A page far behind is found by key, not by counting rows: `ListingIndex` remembers each list's total and every thousandth
key for as long as no roster in scope changed.
"""

# ruff: noqa: S608  # statements are assembled from constants of storage.roster; values are always bound

import datetime as dt
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from services.sync.storage.roster import Rows, Term
from shared.oneroster.filters import Clause, Filter, FilterError, SortError

STEP = 1000
_MILLISECOND = dt.timedelta(milliseconds=1)
_LAST_INSTANT = dt.datetime.max.replace(tzinfo=dt.UTC) - _MILLISECOND
_KEPT_SECONDS = 60.0
_KEPT_LISTS = 256
_ENDED_SHOWN = frozenset({"status", "dateLastModified"})
# No JSON text holds these characters, so COPY's CSV never quotes one: rows leave as they are.
_QUOTE, _DELIMITER = "\x01", "\x02"

Write = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of a collection: filter, sort field and direction, `limit` rows from `offset` on."""

    where: Filter | None = None
    sort: str | None = None
    descending: bool = False
    limit: int = 100
    offset: int = 0

    @property
    def shows_ended(self) -> bool:
        return self.where is not None and bool(self.where.fields & _ENDED_SHOWN)

    @property
    def asks_since(self) -> bool:
        return self.where is not None and "dateLastModified" in self.where.fields


@dataclass(slots=True)
class Statement:
    """`FROM … WHERE …` over the rows `r`, with its values, and the order of the rows."""

    body: str
    values: list[Any]
    order: str
    by_key: bool
    descending: bool

    def after(self, key: str) -> "Statement":
        """The rows behind the record `key`."""
        beyond = f"r.sourced_id {'<' if self.descending else '>'} ${len(self.values) + 1}::text"
        return Statement(f"{self.body} AND {beyond}", [*self.values, key], self.order, self.by_key, self.descending)


@dataclass(slots=True)
class Known:
    """What is remembered of a list: its total, and the last key of every `STEP` rows where it was needed."""

    token: str
    until: float
    total: int
    marks: list[str] | None = None


@dataclass(slots=True)
class ListingIndex:
    """In memory, per process; losing it costs one counting query per list."""

    _known: OrderedDict[Any, Known] = field(default_factory=OrderedDict)

    def find(self, key: Any, token: str) -> Known | None:
        known = self._known.get(key)
        return known if known is not None and known.token == token and time.monotonic() < known.until else None

    def keep(self, key: Any, token: str, total: int, marks: list[str] | None) -> Known:
        known = self._known[key] = Known(token, time.monotonic() + _KEPT_SECONDS, total, marks)
        self._known.move_to_end(key)
        if len(self._known) > _KEPT_LISTS:
            self._known.popitem(last=False)
        return known


class _Values:
    """Values bound by position; each name once."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._places: dict[str, str] = {}
        self.values: list[Any] = []

    def bind(self, value: Any, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"

    def filled(self, part: str) -> str:
        """`part` with `{name}` replaced by the place of that value."""
        for name, value in self._given.items():
            mark = f"{{{name}}}"
            if mark in part:
                kind = "date" if isinstance(value, dt.date) else "text"
                place = self._places.get(name) or self._places.setdefault(name, self.bind(value, kind))
                part = part.replace(mark, place)
        return part


def statement_of(
    rows: Rows,
    terms: Mapping[str, Term],
    selection: Selection,
    given: Mapping[str, Any],
    *,
    only: str | None = None,
    settled: dt.datetime | None = None,
) -> Statement:
    """The statement of a selection; `given` are the values its parts name; `only` one record, ended or not.

    `settled`: rows modified at that instant or later are left for the next call. Raises FilterError.
    """
    values = _Values(given)
    source = values.filled(rows.source)
    conditions = [values.filled(each) for each in rows.conditions]
    if only is not None:
        # PostgreSQL takes no such character, so no record has it.
        conditions.append("false" if "\x00" in only else f"r.sourced_id = {values.bind(only, 'text')}")
    elif not selection.shows_ended:
        conditions.append("r.status = 'active'")
    if selection.where is not None:
        conditions.append(_condition(terms, selection.where, values))
    if settled is not None:
        conditions.append(f"r.date_last_modified < {values.bind(settled, 'timestamptz')}")
    body = f"FROM ({source}) r WHERE {' AND '.join(conditions or ['true'])}"
    direction = "DESC" if selection.descending else "ASC"
    if selection.sort is None or selection.sort == "sourcedId":
        return Statement(body, values.values, f"r.sourced_id {direction}", True, selection.descending)
    if selection.sort not in terms:
        raise SortError(f"no such field: {selection.sort[:100]}")
    order = f"{terms[selection.sort].sql} {direction}, r.sourced_id"
    return Statement(body, values.values, order, False, selection.descending)


def _condition(terms: Mapping[str, Term], where: Filter, values: _Values) -> str:
    parts = []
    for clause in where.clauses:
        if clause.field not in terms:
            raise FilterError(f"no such field: {clause.field[:100]}")
        parts.append(_comparison(terms[clause.field], clause, values))
    return "(" + f" {where.join} ".join(parts) + ")"


_SQL_TYPES = {"date": "date", "instant": "timestamptz", "boolean": "boolean", "text": "text", "list": "text"}
_SQL_TYPES["number"] = "numeric"


def _comparison(term: Term, clause: Clause, values: _Values) -> str:
    operator = "<>" if clause.operator == "!=" else clause.operator
    if operator == "~":
        place = values.bind(clause.value, "text")
        if term.type == "list":
            return f"EXISTS (SELECT 1 FROM unnest({term.sql}) item WHERE strpos(lower(item), lower({place})) > 0)"
        return f"strpos(lower(CAST({term.sql} AS text)), lower({place})) > 0"
    if term.type == "instant":
        return _comparison_of_instant(term, operator, _typed(clause, "instant"), values)
    place = values.bind(_typed(clause, term.type), _SQL_TYPES[term.type])
    if term.type == "list":
        return _comparison_of_list(term, operator, place)
    if operator == "<>":
        return f"{term.sql} IS DISTINCT FROM {place}"
    return f"{term.sql} {operator} {place}"


def _comparison_of_instant(term: Term, operator: str, instant: dt.datetime, values: _Values) -> str:
    """Instants are shown cut to the millisecond, and compared as they are shown; the column itself keeps its index."""
    cut = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    is_whole = cut == instant
    if operator in {"=", "<>"} and not is_whole:
        return "false" if operator == "=" else "true"
    above = instant if is_whole else cut + _MILLISECOND
    if operator in {">=", "<"}:
        return f"{term.sql} {operator} {values.bind(above, 'timestamptz')}"
    after = values.bind(cut + _MILLISECOND, "timestamptz")
    if operator in {">", "<="}:
        return f"{term.sql} {'>=' if operator == '>' else '<'} {after}"
    within = f"{term.sql} >= {values.bind(cut, 'timestamptz')} AND {term.sql} < {after}"
    return f"({within}) IS {'TRUE' if operator == '=' else 'NOT TRUE'}"


def _comparison_of_list(term: Term, operator: str, place: str) -> str:
    if operator in {"=", "<>"}:
        return f"{'NOT ' if operator == '<>' else ''}({place} = ANY (COALESCE({term.sql}, '{{}}')))"
    return f"EXISTS (SELECT 1 FROM unnest({term.sql}) item WHERE item {operator} {place})"


def _typed(clause: Clause, kind: str) -> Any:
    """The clause's value as the field's type; a bare date stands for its first instant in UTC."""
    try:
        if kind == "date":
            return dt.date.fromisoformat(clause.value)
        if kind == "instant":
            instant = dt.datetime.fromisoformat(clause.value)
            instant = instant.astimezone(dt.UTC) if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
            return min(instant, _LAST_INSTANT)
        if kind == "number":
            return _number(clause.value)
        if kind == "boolean":
            return {"true": True, "false": False}[clause.value.lower()]
    except (ValueError, KeyError, OverflowError) as failure:
        raise FilterError(f"not a value of {clause.field}: {clause.value[:50]}") from failure
    return clause.value


def _number(value: str) -> Decimal:
    """A JSON number no longer than a mark can be: PostgreSQL knows no other infinities than its own."""
    if re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", value) is None:
        raise ValueError(value)
    return Decimal(value)


async def change_token(driver: Any) -> tuple[str, str]:
    """The schools in scope (`*`: all), and a text that is another one whenever a roster among them changed."""
    row = await driver.fetchrow(
        "SELECT CASE current_setting('app.everything', true) WHEN 'on' THEN '*' "
        "ELSE current_setting('app.schools', true) END AS scope, "
        "(SELECT COALESCE(sum(version), 0) || '/' || count(*) FROM school_roster) AS token"
    )
    return row["scope"], row["token"]


async def read_in_key_order(driver: Any) -> None:
    """For the rest of the transaction: walk the key's index. For a caller who sees every school.

    The planner takes the policy for one that hides nearly all rows, and would sort all that is left for every page.
    """
    for method in ("sort", "bitmapscan", "seqscan"):
        await driver.execute(f"SET LOCAL enable_{method} = off")


async def settled_before(driver: Any) -> dt.datetime:
    """No running transaction will commit a row modified before this instant.

    The start of the oldest running transaction that writes, read before the rows are. A writer takes the time of its
    rows after its transaction got its id, so one that is not in the list yet writes later times.
    """
    found: dt.datetime = await driver.fetchval(
        "SELECT LEAST(now_, (SELECT min(a.xact_start) FROM pg_stat_activity a WHERE a.backend_xid IS NOT NULL "
        "AND a.pid <> pg_backend_pid() AND a.datname = current_database())) FROM (SELECT clock_timestamp() AS now_) t"
    )
    return found


async def total_of(driver: Any, statement: Statement) -> int:
    found: int = await driver.fetchval(f"SELECT count(*) {statement.body}", *statement.values)
    return found


async def marks_of(driver: Any, statement: Statement) -> tuple[int, list[str]]:
    """Total, and the key of every `STEP`th row."""
    rows = await driver.fetch(
        f"SELECT n, key FROM (SELECT r.sourced_id AS key, row_number() OVER w AS n, lead(r.sourced_id) OVER w AS next "
        f"{statement.body} WINDOW w AS (ORDER BY {statement.order})) k WHERE n % {STEP} = 0 OR next IS NULL",
        *statement.values,
    )
    return (rows[-1]["n"] if rows else 0), [row["key"] for row in rows if row["n"] % STEP == 0]


async def copy_page(driver: Any, statement: Statement, document: str, *, limit: int, offset: int, write: Write) -> None:
    """Write the page's documents, each after a comma."""
    await driver.copy_from_query(
        f"SELECT ',' || {document} {statement.body} ORDER BY {statement.order} LIMIT {limit:d} OFFSET {offset:d}",
        *statement.values,
        output=write,
        format="csv",
        quote=_QUOTE,
        delimiter=_DELIMITER,
    )


async def one_document(driver: Any, statement: Statement, document: str) -> str | None:
    found: str | None = await driver.fetchval(f"SELECT ({document})::text {statement.body} LIMIT 1", *statement.values)
    return found


async def has_rows(driver: Any, statement: Statement) -> bool:
    return bool(await driver.fetchval(f"SELECT EXISTS (SELECT 1 {statement.body})", *statement.values))


def start_of(marks: Sequence[str], offset: int) -> tuple[str | None, int]:
    """The key behind which to begin, and how many rows to step over from there."""
    place = min(offset // STEP, len(marks))
    return (marks[place - 1], offset - place * STEP) if place else (None, offset)
