"""Which schools' rows the running transaction may see: the database's half of isolation (PRODUCT rule 12).

The scope travels in a context variable; the engine writes it into the transaction with `set_config(…, true)`, so it
ends with the transaction and can never leak to the next user of a pooled connection. Policies read it
(`school_policy`). Without a scope nothing is visible.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import TextClause, text


@dataclass(frozen=True, slots=True)
class Scope:
    """Either every school (`everything`) or the named ones; the default names none."""

    schools: frozenset[str] = frozenset()
    everything: bool = False

    @classmethod
    def of(cls, schools: Iterable[str]) -> "Scope":
        return cls(schools=frozenset(schools))

    def covers(self, school: str) -> bool:
        return self.everything or school in self.schools


NOTHING = Scope()
EVERYTHING = Scope(everything=True)

_scope: ContextVar[Scope] = ContextVar("db_scope", default=NOTHING)


def current_scope() -> Scope:
    return _scope.get()


@contextmanager
def scoped(scope: Scope) -> Iterator[None]:
    """Transactions that begin inside this block see only the schools of `scope`."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


SET_SCOPE = "SELECT set_config('app.everything', {0}, true), set_config('app.schools', {1}, true)"


def scope_values(scope: Scope) -> tuple[str, str]:
    """The two settings as text; `app.schools` is a PostgreSQL array literal."""
    quoted = ",".join('"' + school.replace("\\", "\\\\").replace('"', '\\"') + '"' for school in sorted(scope.schools))
    return ("on" if scope.everything else "off", "{" + quoted + "}")


def set_scope_statement(scope: Scope) -> TextClause:
    """The statement that narrows or widens the running transaction to `scope`."""
    everything, schools = scope_values(scope)
    return text(SET_SCOPE.format(":everything", ":schools")).bindparams(everything=everything, schools=schools)


def school_policy(table: str, column: str = "school_sourced_id") -> list[str]:
    """DDL that enforces the scope on `table`, for use in a migration, one statement an item.

    The settings sit in sub-selects, so PostgreSQL evaluates them once per statement and not per row. `FORCE` binds the
    owner too; `WITH CHECK` refuses writing into a school outside the scope.
    """
    visible = (
        "(SELECT current_setting('app.everything', true)) = 'on' "
        f"OR {column} = ANY ((SELECT NULLIF(current_setting('app.schools', true), '')::text[])::text[])"
    )
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY school_scope ON "{table}" USING ({visible}) WITH CHECK ({visible})',
    ]
