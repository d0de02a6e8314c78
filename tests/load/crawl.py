"""`make bench-crawl`: reading every user through the OneRoster provider, page by page, against one COPY of the same.

    python -m tests.load.crawl [--users 1100000] [--rounds 3] [--page 10000]

The API is the process of production on a throw-away PostgreSQL; users and roles are put into its tables by SQL, as an
import leaves them. The limit is `COPY (SELECT json_build_object(…)) TO STDOUT` of the same users with the same fields
and roles, read by one client without HTTP, pages or policies.
"""

# ruff: noqa: T201  # a table on the terminal is what it is for

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import httpx

from deploy.local.ephemeral import throw_away_servers
from deploy.local.plan import REPOSITORY
from tests.load.figures import Figure, against, alone, show, write
from tests.load.stack import Running, running
from tests.support.tokens import TestSigner, serving_keys

SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/roster.readonly sync.read sync.orgs"
USERS = "/ims/oneroster/rostering/v1p2/users"
LEARNERS_OF_A_SCHOOL = 2000
_OF_A_USER = b'"userIds"'

_PERSONS = """
INSERT INTO person (sourced_id, school_sourced_id, status, date_last_modified, version, last_import_id, enabled_user,
  username, user_ids, given_name, family_name, middle_name, identifier, email, grades)
SELECT 'hs-' || lpad(n::text, 8, '0'), 'truong-' || lpad((n / $2)::text, 4, '0'), 'active', now(), 1,
  gen_random_uuid(), true, 'hs' || n, ARRAY['LMS:' || n], 'An', 'Nguyễn', 'Văn ' || (n % 100), 'M' || n,
  'hs' || n || '@truong.example', ARRAY['0' || (6 + n % 4)]
FROM generate_series(0, $1::int - 1) n
"""
_ROLES = """
INSERT INTO role (sourced_id, school_sourced_id, status, date_last_modified, version, last_import_id,
  user_sourced_id, role_type, role, begin_date)
SELECT p.sourced_id || '-r', p.school_sourced_id, 'active', now(), 1, p.last_import_id,
  p.sourced_id, 'primary', 'student', DATE '2026-09-05' FROM person p
"""
_ROSTERS = """
INSERT INTO school_roster (school_sourced_id, version, last_import_id, last_received_at, committed_at, content_hash,
  counts) SELECT school_sourced_id, 1, gen_random_uuid(), now(), now(), '', '{}'::jsonb FROM person GROUP BY 1
"""
_LIMIT = """
SELECT json_build_object('sourcedId', p.sourced_id, 'status', p.status, 'dateLastModified',
  to_char(p.date_last_modified AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'username', p.username,
  'userIds', (SELECT json_agg(json_build_object('type', split_part(i, ':', 1), 'identifier', split_part(i, ':', 2)))
    FROM unnest(p.user_ids) i), 'enabledUser', p.enabled_user::text, 'givenName', p.given_name, 'familyName',
  p.family_name, 'middleName', p.middle_name, 'roles', (SELECT json_agg(json_build_object('roleType', r.role_type,
    'role', r.role, 'org', json_build_object('href', 'https://host/ims/oneroster/rostering/v1p2/orgs/' ||
    r.school_sourced_id, 'sourcedId', r.school_sourced_id, 'type', 'org'), 'beginDate', r.begin_date))
    FROM role r WHERE r.user_sourced_id = p.sourced_id AND r.status = 'active'),
  'identifier', p.identifier, 'email', p.email, 'grades', to_json(p.grades))
FROM person p WHERE p.status = 'active' ORDER BY p.sourced_id
"""


def _headers() -> dict[str, str]:
    return TestSigner().bearer(sub="bench", scope=SCOPE, orgs=["SO"], seconds=7200)


async def fill(url: str, dsn: str, users: int) -> None:
    async with httpx.AsyncClient(base_url=url, headers=_headers(), timeout=60) as http:
        (await http.put("/sync/v1/orgs/SO", json={"kind": "department", "name": "Sở"})).raise_for_status()
        for number in range((users - 1) // LEARNERS_OF_A_SCHOOL + 1):
            school = {"kind": "school", "name": f"Trường {number}", "level": "lower_secondary"} | {
                "parents": [{"sourcedId": "SO"}]
            }
            (await http.put(f"/sync/v1/orgs/truong-{number:04}", json=school)).raise_for_status()
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_PERSONS, users, LEARNERS_OF_A_SCHOOL)
        await connection.execute(_ROLES)
        await connection.execute(_ROSTERS)
        await connection.execute("VACUUM ANALYZE person, role, school_roster")
    finally:
        await connection.close()


async def copy_seconds(dsn: str) -> tuple[float, int]:
    """Seconds and bytes of the one COPY."""
    read = 0

    async def count(data: bytes) -> None:
        nonlocal read
        read += len(data)

    connection = await asyncpg.connect(dsn)
    try:
        started = time.perf_counter()
        await connection.copy_from_query(_LIMIT, output=count)
        return time.perf_counter() - started, read
    finally:
        await connection.close()


async def crawl_seconds(url: str, users: int, page: int) -> list[float]:
    """Seconds of each page, in order. Raises AssertionError when the pages are not all users, once."""
    seconds, seen = [], 0
    async with httpx.AsyncClient(base_url=url, headers=_headers(), timeout=600) as http:
        for offset in range(0, users, page):
            started = time.perf_counter()
            async with http.stream("GET", USERS, params={"limit": page, "offset": offset}) as answer:
                answer.raise_for_status()
                left = b""
                async for part in answer.aiter_bytes():
                    seen += (left + part).count(_OF_A_USER)
                    left = part[1 - len(_OF_A_USER) :]  # a piece may end inside the word
            seconds.append(time.perf_counter() - started)
            assert answer.headers["x-total-count"] == str(users)
    assert seen == users
    return seconds


def measure(service: Running, users: int, page: int, rounds: int) -> list[Figure]:
    asyncio.run(fill(service.api.url, service.admin_dsn, users))
    # The very first request counts the list, and the first far one marks its keys; both are shown by themselves.
    new = asyncio.run(crawl_seconds(service.api.url, users, page))
    print(f"not yet counted: first page {new[0]:.3f} s, second {new[1]:.3f} s, all {sum(new):.2f} s", flush=True)
    crawls, copies, first, last = [], [], [], []
    for number in range(rounds):
        copied, size = asyncio.run(copy_seconds(service.admin_dsn))
        pages = asyncio.run(crawl_seconds(service.api.url, users, page))
        copies.append(copied)
        crawls.append(sum(pages))
        first.append(pages[0])
        last.append(pages[-1])
        print(f"round {number + 1}: COPY {copied:.2f} s of {size:,} bytes, crawl {sum(pages):.2f} s", flush=True)
        print(f"  first page {pages[0]:.3f} s, last {pages[-1]:.3f} s", flush=True)
    return [
        against(f"crawl of {users:,} users by {page:,}, against COPY", "s", crawls, copies, 1.2),
        against("its last page against the first", "s", last, first, 1.2),
        alone("first page of a list that was not counted yet", "s", [new[0]]),
        alone("memory of the service, peak", "MiB", [service.peak_megabytes()], 300),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", type=int, default=10_000)
    options = parser.parse_args()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="bench-crawl-")))
        servers = opened.enter_context(throw_away_servers()).addresses
        jwks_url = opened.enter_context(serving_keys())
        with running("sync", servers, jwks_url, folder) as service:
            figures = measure(service, options.users, options.page, options.rounds)
    print(show(figures))
    write(REPOSITORY / ".run" / "bench" / "sync-crawl.json", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
