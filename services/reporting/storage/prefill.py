"""Submissions of all schools at once, with their prefilled numbers: the same few statements for any number of schools.

The numbers come from the projections of the two event streams; each carries its source and the time it is true for.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.domain.templates import Field

_VALID = "coalesce({0}.valid_from, '-infinity') <= :day AND coalesce({0}.valid_to, 'infinity') >= :day"

# One row per school and source key. `source` names the event and what to look up there.
_NUMBERS = """
    SELECT roster.school_sourced_id, number.source_key, number.value, roster.committed_at AS as_of,
           jsonb_build_object('service', 'sync', 'event', 'sync.roster.committed.v1', 'importId', roster.import_id)
           AS source
    FROM roster_numbers AS roster
    CROSS JOIN LATERAL (VALUES
        ('roster.learners', roster.learners), ('roster.staff', roster.staff), ('roster.teachers', roster.teachers),
        ('roster.classes', roster.classes), ('roster.enrollments', roster.enrollments)
    ) AS number (source_key, value)
    UNION ALL
    SELECT school_sourced_id, 'materials.approved', count(*) FILTER (WHERE withdrawn_at IS NULL), max(changed_at),
           jsonb_build_object('service', 'materials', 'event', (array_agg(event ORDER BY changed_at DESC, id DESC))[1],
                              'materialId', (array_agg(id ORDER BY changed_at DESC, id DESC))[1])
    FROM (
        SELECT school_sourced_id, material_id AS id, withdrawn_at, greatest(approved_at, withdrawn_at) AS changed_at,
               'materials.material.' || CASE WHEN withdrawn_at IS NULL THEN 'approved' ELSE 'withdrawn' END || '.v1'
               AS event
        FROM approved_material
    ) AS material
    GROUP BY school_sourced_id
"""

# The recipient is the one unit of the configured kind above the school on the day; none or several stay undecided.
# Right after many rows have arrived PostgreSQL knows little about them, so no step leaves room for a bad plan: nothing
# is joined but by key, and each school's numbers are looked up once.
_OPEN = text(
    f"""
    WITH RECURSIVE school AS (
        SELECT org.sourced_id, org.level, rule.recipient_kind
        FROM org
        CROSS JOIN LATERAL (
            SELECT CASE WHEN count(*) = 1 THEN min(recipient_kind) END AS recipient_kind
            FROM recipient_rule WHERE recipient_rule.level = org.level AND {_VALID.format("recipient_rule")}
        ) AS rule
        WHERE org.kind = 'school' AND org.level = ANY(CAST(:levels AS text[])) AND {_VALID.format("org")}
          AND (CAST(:only AS text) IS NULL OR org.sourced_id = :only)
          AND NOT EXISTS (
              SELECT FROM submission
              WHERE submission.campaign_id = :campaign AND submission.school_sourced_id = org.sourced_id
          )
    ),
    chain (school_id, level, recipient_kind, sourced_id) AS (
        SELECT sourced_id, level, recipient_kind, sourced_id FROM school
        UNION
        SELECT chain.school_id, chain.level, chain.recipient_kind, edge.parent_sourced_id
        FROM chain JOIN org_parent AS edge ON edge.child_sourced_id = chain.sourced_id AND {_VALID.format("edge")}
    ),
    addressed AS (
        SELECT chain.school_id, chain.level, chain.recipient_kind, min(org.sourced_id) AS recipient,
               count(DISTINCT org.sourced_id) AS found
        FROM chain LEFT JOIN org ON org.sourced_id = chain.sourced_id AND org.kind = chain.recipient_kind
        GROUP BY chain.school_id, chain.level, chain.recipient_kind
    ),
    opened AS (
        INSERT INTO submission (id, campaign_id, school_sourced_id, school_level, recipient_kind,
                                recipient_sourced_id, recipient_found, state, version, created_at)
        SELECT uuidv7(), :campaign, school_id, level, recipient_kind, CASE WHEN found = 1 THEN recipient END, found,
               'open', 1, :now
        FROM addressed
        ORDER BY school_id
        ON CONFLICT (campaign_id, school_sourced_id) DO NOTHING
        RETURNING id, school_sourced_id
    ),
    filled AS (
        INSERT INTO submission_value (submission_id, field, school_sourced_id, source_key, prefilled,
                                      prefilled_source, prefilled_as_of, latest, latest_source, latest_as_of)
        SELECT opened.id, field.name, opened.school_sourced_id, field.source_key,
               known.value[spot.at], known.source[spot.at], known.as_of[spot.at],
               known.value[spot.at], known.source[spot.at], known.as_of[spot.at]
        FROM opened
        CROSS JOIN LATERAL (
            SELECT array_agg(source_key) AS source_key, array_agg(value) AS value, array_agg(source) AS source,
                   array_agg(as_of) AS as_of
            FROM ({_NUMBERS}) AS number
            WHERE number.school_sourced_id = opened.school_sourced_id
        ) AS known
        CROSS JOIN unnest(CAST(:fields AS text[]), CAST(:source_keys AS text[])) AS field (name, source_key)
        CROSS JOIN LATERAL (SELECT array_position(known.source_key, field.source_key) AS at) AS spot
    )
    SELECT count(*) FROM opened
    """  # noqa: S608  # composed of constants of this file
)

_LIVING = """
    SELECT submission.id, submission.state FROM submission
    JOIN campaign ON campaign.id = submission.campaign_id
    WHERE submission.school_sourced_id = :school AND campaign.closed_reason IS NULL
      AND coalesce(campaign.closes_at, 'infinity') >= :now
"""
_LOCK_LIVING = text(f"{_LIVING} ORDER BY submission.id FOR UPDATE OF submission")

_REFRESH = text(
    f"""
    WITH living AS ({_LIVING}),
    written AS (
        UPDATE submission_value AS held
        SET latest = number.value, latest_source = number.source, latest_as_of = number.as_of,
            prefilled = CASE WHEN living.state = ANY(:frozen) THEN held.prefilled ELSE number.value END,
            prefilled_source = CASE WHEN living.state = ANY(:frozen) THEN held.prefilled_source ELSE number.source END,
            prefilled_as_of = CASE WHEN living.state = ANY(:frozen) THEN held.prefilled_as_of ELSE number.as_of END
        FROM living, ({_NUMBERS}) AS number
        WHERE held.submission_id = living.id AND number.school_sourced_id = :school
          AND number.source_key = held.source_key
          AND (held.latest, held.latest_source, held.latest_as_of)
              IS DISTINCT FROM (number.value, number.source, number.as_of)
        RETURNING held.submission_id
    )
    UPDATE submission SET version = version + 1 WHERE id IN (SELECT submission_id FROM written)
    """  # noqa: S608  # composed of constants of this file
)

_UNFREEZE = text(
    "UPDATE submission_value SET prefilled = latest, prefilled_source = latest_source, prefilled_as_of = latest_as_of "
    "WHERE submission_id = :submission"
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What to open: the schools of these levels that are valid on `day`; one school only when `only` is given."""

    campaign: UUID
    levels: Sequence[str]
    fields: Sequence[Field]
    day: dt.date
    now: dt.datetime
    only: str | None = None


async def open_submissions(session: AsyncSession, opening: Opening) -> int:
    """Create the missing submissions of a campaign, prefilled; the number created. One statement."""
    created = await session.execute(
        _OPEN,
        {
            "campaign": opening.campaign,
            "levels": list(opening.levels),
            "day": opening.day,
            "now": opening.now,
            "only": opening.only,
            "fields": [field.name for field in opening.fields],
            "source_keys": [field.prefill for field in opening.fields],
        },
    )
    count: int = created.scalar_one()
    return count


async def refresh(session: AsyncSession, school: str, now: dt.datetime, frozen: Sequence[str]) -> int:
    """Bring a school's numbers up to date in every campaign whose window has not ended; submissions touched.

    In the states of `frozen` only the `latest` numbers move.
    """
    await session.execute(_LOCK_LIVING, {"school": school, "now": now})
    return await _rowcount(session, _REFRESH, school=school, now=now, frozen=list(frozen))


async def unfreeze(session: AsyncSession, submission: UUID) -> None:
    """A returned submission shows the newest numbers of the sources again."""
    await session.execute(_UNFREEZE, {"submission": submission})


async def _rowcount(session: AsyncSession, statement: TextClause, **parameters: object) -> int:
    result = await session.execute(statement, parameters)
    count: int = result.rowcount  # type: ignore[attr-defined]  # a write always has one
    return count
