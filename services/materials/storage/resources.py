"""Materials as OneRoster resources in SQL: what a reader's schools use and what the city shares, each once."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, any_, func, literal, not_, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import column
from sqlalchemy.types import Boolean, Text

from services.materials.domain.resources import FIELDS
from shared.oneroster.filters import Clause, Filter, FilterError, SortError

# A version the school uses goes before the city's of the same material, a tombstone after both.
_ROWS = """
WITH own AS (
  SELECT m.id, m.school_sourced_id AS school, v.number, v.title, 'school' AS place, m.withdrawn_at IS NULL AS is_active,
         coalesce(m.withdrawn_at, v.published_at, v.created_at) AS changed_at
  FROM material AS m JOIN material_version AS v
    ON v.material_id = m.id AND v.number = coalesce(m.published_number, m.latest_number)
  WHERE (m.published_number IS NOT NULL OR (m.withdrawn_at IS NOT NULL AND m.approved_number IS NOT NULL))
    AND (CAST(:schools AS text[]) IS NULL OR m.school_sourced_id = ANY(CAST(:schools AS text[])))
), city AS (
  SELECT material_id AS id, school_sourced_id AS school, number, title, 'shared' AS place,
         withdrawn_at IS NULL AS is_active, changed_at
  FROM shelf_item
), one AS (
  SELECT * FROM own WHERE is_active OR NOT EXISTS (SELECT 1 FROM city WHERE city.id = own.id AND city.is_active)
  UNION ALL
  SELECT * FROM city WHERE NOT EXISTS (
    SELECT 1 FROM own WHERE own.id = city.id AND (own.is_active OR NOT city.is_active))
)
SELECT CAST(id AS text) AS "sourcedId", CASE WHEN is_active THEN 'active' ELSE 'tobedeleted' END AS status,
       date_trunc('milliseconds', changed_at) AS "dateLastModified", title,
       ARRAY['student', 'teacher'] AS roles, 'primary' AS importance, CAST(id AS text) AS "vendorResourceId",
       CAST(:vendor AS text) AS "vendorId", CAST(:application AS text) AS "applicationId", school, number, place
FROM one
"""
_TYPES: dict[str, Any] = {"text": Text(), "instant": TIMESTAMP(timezone=True), "list": ARRAY(Text())}
_COLUMNS: dict[str, ColumnElement[Any]] = {name: column(name, _TYPES[kind]) for name, kind in FIELDS.items()}
_ENDED_SHOWN = frozenset({"status", "dateLastModified"})


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which resources: `limit` of them from `offset` on. Ended ones too where the filter names status or time."""

    where: Filter | None = None
    sort: str | None = None
    descending: bool = False
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Provider:
    """`schools` None: all that row-level security lets through."""

    schools: Collection[str] | None
    vendor: str
    application: str

    @property
    def parameters(self) -> dict[str, Any]:
        schools = None if self.schools is None else sorted(self.schools)
        return {"schools": schools, "vendor": self.vendor, "application": self.application}


async def page(session: AsyncSession, provider: Provider, chosen: Chosen) -> tuple[int, Sequence[Mapping[str, Any]]]:
    """The whole number, and the rows of the page. Raises FilterError."""
    rows = _rows(provider)
    condition = _condition(chosen.where)
    total = (await session.execute(select(func.count()).select_from(rows).where(condition))).scalar_one()
    # The order of the standard is open; ids make it the same on every page.
    key = _order(chosen.sort)
    order = [each.desc() if chosen.descending else each.asc() for each in (key, _COLUMNS["sourcedId"])]
    statement = select(text("*")).select_from(rows).where(condition).order_by(*order)
    found = await session.execute(statement.limit(chosen.limit).offset(chosen.offset))
    return total, found.mappings().all()


async def one(session: AsyncSession, provider: Provider, sourced_id: str) -> Mapping[str, Any] | None:
    """A resource, ended or not."""
    statement = select(text("*")).select_from(_rows(provider)).where(_COLUMNS["sourcedId"] == sourced_id)
    found: Mapping[str, Any] | None = (await session.execute(statement)).mappings().one_or_none()
    return found


def _rows(provider: Provider) -> Any:
    return text(_ROWS).bindparams(**provider.parameters).columns(*_COLUMNS.values()).subquery("r")


def _order(sort: str | None) -> ColumnElement[Any]:
    if sort is None:
        return _COLUMNS["sourcedId"]
    if sort not in _COLUMNS:
        raise SortError(f"no such field: {sort[:100]}")
    return _COLUMNS[sort]


def _condition(where: Filter | None) -> ColumnElement[bool]:
    active: ColumnElement[bool] = _COLUMNS["status"] == "active"
    if where is None:
        return active
    parts = [_comparison(clause) for clause in where.clauses]
    joined = and_(*parts) if where.join == "AND" else or_(*parts)
    return joined if where.fields & _ENDED_SHOWN else and_(active, joined)


def _comparison(clause: Clause) -> ColumnElement[bool]:
    kind = FIELDS.get(clause.field)
    if kind is None:
        raise FilterError(f"no such field: {clause.field[:100]}")
    field = _COLUMNS[clause.field]
    if clause.operator == "~":
        words = func.array_to_string(field, "\n") if kind == "list" else field.cast(Text)
        return func.strpos(func.lower(words), clause.value.lower(), type_=None) > 0
    if kind == "list":
        return _comparison_of_list(field, clause)
    value = _instant(clause) if kind == "instant" else clause.value
    return field.bool_op(_sql(clause.operator))(value)


def _comparison_of_list(field: ColumnElement[Any], clause: Clause) -> ColumnElement[bool]:
    value = literal(clause.value, Text())
    if clause.operator in {"=", "!="}:
        holds: ColumnElement[bool] = value == any_(field)
        return holds if clause.operator == "=" else not_(holds)
    turned = clause.operator.translate(str.maketrans("<>", "><"))
    return value.op(turned, return_type=Boolean())(any_(field))


def _sql(operator: str) -> str:
    return "<>" if operator == "!=" else operator


def _instant(clause: Clause) -> dt.datetime:
    """A bare date stands for its first instant in UTC."""
    try:
        instant = dt.datetime.fromisoformat(clause.value)
        return instant.astimezone(dt.UTC) if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError) as failure:
        raise FilterError(f"not a value of {clause.field}: {clause.value[:50]}") from failure
