"""The OneRoster filter grammar: `field op 'value'`, at most two clauses joined by AND or OR (REST binding 1.2)."""

import re
from dataclasses import dataclass
from typing import Literal

Join = Literal["AND", "OR"]
OPERATORS = ("=", "!=", ">", ">=", "<", "<=", "~")

_CLAUSE = r"\s*([A-Za-z][A-Za-z0-9.]*)\s*(!=|>=|<=|=|>|<|~)\s*'((?:[^'\\]|\\.)*)'\s*"
_FILTER = re.compile(rf"{_CLAUSE}(?:(AND|OR){_CLAUSE})?", re.IGNORECASE)


class FilterError(ValueError):
    """The text does not follow the grammar, or names a field the collection does not have."""


class SortError(FilterError):
    """The list cannot be sorted by that field."""


@dataclass(frozen=True, slots=True)
class Clause:
    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Filter:
    clauses: tuple[Clause, ...]
    join: Join = "AND"

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(clause.field for clause in self.clauses)


def parse_filter(text: str) -> Filter:
    """Raises FilterError."""
    found = _FILTER.fullmatch(text)
    if found is None or "\x00" in text:  # which no text of a record can hold
        raise FilterError(f"not a filter: {text[:100]}")
    first = Clause(found[1], found[2], _unescaped(found[3]))
    if found[4] is None:
        return Filter((first,))
    second = Clause(found[5], found[6], _unescaped(found[7]))
    return Filter((first, second), "AND" if found[4].upper() == "AND" else "OR")


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value)
