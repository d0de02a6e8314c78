"""Counts of materials with both steps, as of any day: from the times of approval and withdrawal, set-based."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from services.materials.storage.tables import Base


class CoverageNeed(Base):
    """How many materials the department wants for a subject in a grade."""

    __tablename__ = "coverage_need"
    subject: Mapped[str] = mapped_column(primary_key=True)
    grade: Mapped[str] = mapped_column(primary_key=True)
    needed: Mapped[int]
    set_by: Mapped[str]
    set_at: Mapped[dt.datetime]


# Approved by then and not withdrawn by then; a day ends when it ends in Vietnam.
_STANDS = """
    v.approved_at < (CAST(:on AS date) + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh'
    AND (v.withdrawn_at IS NULL OR v.withdrawn_at >= (CAST(:on AS date) + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh')
    AND v.school_sourced_id = ANY(:schools)
"""
_CELLS = text(
    f"""
    SELECT said.subject, taught.grade, count(DISTINCT v.material_id) AS approved
    FROM material_version AS v
    CROSS JOIN LATERAL unnest(v.grades) AS taught (grade)
    CROSS JOIN LATERAL unnest(ARRAY[v.subject] || v.other_subjects) AS said (subject)
    WHERE {_STANDS}
    GROUP BY said.subject, taught.grade
    """  # noqa: S608  # composed of constants of this file
)
_TOTAL = text(
    f"""
    SELECT count(DISTINCT v.material_id) AS approved,
           count(DISTINCT v.material_id) FILTER (WHERE v.type = 'presentation') AS presentations
    FROM material_version AS v WHERE {_STANDS}
    """  # noqa: S608  # as above
)
_HISTORY = text(
    """
    SELECT day::date AS day, count(DISTINCT v.material_id) AS approved
    FROM generate_series(date_trunc('month', CAST(:first AS timestamp)), CAST(:last AS timestamp), interval '1 month')
         AS month
    CROSS JOIN LATERAL (SELECT least(month + interval '1 month' - interval '1 day', CAST(:last AS timestamp)) AS day)
         AS ends
    LEFT JOIN material_version AS v
      ON v.approved_at < (day::date + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh'
     AND (v.withdrawn_at IS NULL OR v.withdrawn_at >= (day::date + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh')
     AND v.school_sourced_id = ANY(:schools)
    GROUP BY day ORDER BY day
    """
)


_REQUIREMENTS = text(
    f"""
    WITH named AS (
        SELECT code, count(DISTINCT v.material_id) AS approved
        FROM material_version AS v CROSS JOIN LATERAL unnest(v.requirements) AS said (code)
        WHERE {_STANDS}
        GROUP BY code
    )
    SELECT r.code, r.subject, r.grades, r.text_vi, coalesce(named.approved, 0) AS approved
    FROM requirement AS r LEFT JOIN named USING (code)
    WHERE r.valid_to IS NULL AND r.subject = :subject AND :grade = ANY(r.grades)
      -- Only what has nothing below it: a chapter is covered by its requirements.
      AND NOT EXISTS (
          SELECT FROM requirement AS under
          WHERE under.framework_id = r.framework_id AND under.parent = r.code AND under.valid_to IS NULL
      )
    ORDER BY r.framework_id, r.position
    """  # noqa: S608  # as above
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement with nothing below it, and how many materials with both steps name it."""

    code: str
    text: str
    approved: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Materials with both steps; `presentations` of them are slides (type of Circular 21/2017)."""

    approved: int
    presentations: int


async def cells(session: AsyncSession, schools: Collection[str], on: dt.date) -> Mapping[tuple[str, str], int]:
    """By subject and grade; a material of several counts in each."""
    rows = await session.execute(_CELLS, {"schools": sorted(schools), "on": on})
    return {(row.subject, row.grade): row.approved for row in rows}


async def totals(session: AsyncSession, schools: Collection[str], on: dt.date) -> Totals:
    row = (await session.execute(_TOTAL, {"schools": sorted(schools), "on": on})).one()
    return Totals(row.approved, row.presentations)


async def history(
    session: AsyncSession, schools: Collection[str], first: dt.date, last: dt.date
) -> Sequence[tuple[dt.date, int]]:
    """Materials with both steps at the end of each month, the last one as of `last`."""
    rows = await session.execute(_HISTORY, {"schools": sorted(schools), "first": first, "last": last})
    return [(row.day, row.approved) for row in rows]


async def requirements(
    session: AsyncSession, schools: Collection[str], on: dt.date, subject: str, grade: str
) -> Sequence[Requirement]:
    """The requirements of a subject in a grade, in the curriculum's order."""
    parameters = {"schools": sorted(schools), "on": on, "subject": subject, "grade": grade}
    rows = await session.execute(_REQUIREMENTS, parameters)
    return [Requirement(row.code, row.text_vi, row.approved) for row in rows]


async def needs(session: AsyncSession) -> Mapping[tuple[str, str], int]:
    rows = await session.execute(text("SELECT subject, grade, needed FROM coverage_need"))
    return {(row.subject, row.grade): row.needed for row in rows}


async def set_needs(session: AsyncSession, rows: Sequence[CoverageNeed]) -> None:
    """In place of all that was said before."""
    await session.execute(text("DELETE FROM coverage_need"))
    for row in rows:
        values = {name: getattr(row, name) for name in ("subject", "grade", "needed", "set_by", "set_at")}
        await session.execute(insert(CoverageNeed).values(**values))
