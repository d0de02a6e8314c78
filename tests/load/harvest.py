"""`python -m tests.load.harvest`: pages of an OAI-PMH harvest far behind, against the first page.

    python -m tests.load.harvest [--materials 200000] [--at 190000] [--rounds 15]

The API is the process of production on a throw-away PostgreSQL; the shelf is filled by SQL with what a share leaves
there. The limit is the first page of the same list, asked for in turn with the far one.
"""

# ruff: noqa: T201  # a table on the terminal is what it is for

import argparse
import asyncio
import re
import statistics
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
from tests.support.tokens import serving_keys

PAGE = 100
FAR = 190_000
ROUNDS = 15
_TOKEN = re.compile(rb"<resumptionToken[^>]*>([^<]+)</resumptionToken>")
_RECORD = re.compile(rb"<record>")
_FILL = """
INSERT INTO shelf_item (material_id, version_id, school_sourced_id, number, title, description, type, subject,
  other_subjects, grades, requirements, language, authors, licence, sources, rights_statement, duration_seconds, files,
  history, public, public_since, shared_at, changed_at)
SELECT gen_random_uuid(), gen_random_uuid(), 'truong-' || lpad((n % 500)::text, 4, '0'), 1,
  'Bài ' || n || ': tính chất của phân số', repeat('Bài giảng có câu hỏi tương tác và phiếu bài tập. ', 6),
  'e_lecture', (ARRAY['mathematics', 'physics', 'literature', 'chemistry', 'biology'])[1 + n % 5], '{}',
  ARRAY[(6 + n % 7)::text], ARRAY['TOAN.6.SO.' || n % 300], 'vi', '[{"name": "Nguyễn Thị Lan"}]', 'CC-BY-4.0',
  ARRAY['Sách giáo khoa Toán 6'], '', 2700, (SELECT jsonb_agg(jsonb_build_object('position', p, 'name', 'bai.pdf',
  'mediaType', 'application/pdf', 'size', 84213, 'sha256', repeat('0', 64))) FROM generate_series(1, 5) AS p),
  '[]', true, s.at, s.at, s.at
FROM generate_series(1, $1::int) AS n,
  LATERAL (SELECT timestamptz '2024-01-01 00:00:00Z' + n * interval '7 min' AS at) AS s
"""


async def fill(dsn: str, materials: int) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_FILL, materials)
        await connection.execute("VACUUM ANALYZE shelf_item")
    finally:
        await connection.close()


async def _page(http: httpx.AsyncClient, verb: str, token: str | None, **first: str) -> tuple[str | None, int]:
    """The token of the following page, and the records of this one."""
    chosen = {"metadataPrefix": "oai_dc", **first} if token is None else {"resumptionToken": token}
    answer = (await http.get("/oai", params={"verb": verb, **chosen})).raise_for_status()
    following = _TOKEN.search(answer.content)
    return following[1].decode() if following else None, len(_RECORD.findall(answer.content))


async def token_at(http: httpx.AsyncClient, at: int) -> tuple[str, list[float]]:
    """The token with which the record `at` is reached, by harvesting everything before it; seconds of each page."""
    token: str | None = None
    seconds = []
    for _ in range(at // PAGE):
        started = time.perf_counter()
        token, records = await _page(http, "ListRecords", token)
        seconds.append(time.perf_counter() - started)
        assert records == PAGE
    assert token is not None
    return token, seconds


async def timed(http: httpx.AsyncClient, token: str | None, **first: str) -> float:
    started = time.perf_counter()
    await _page(http, "ListRecords", token, **first)
    return time.perf_counter() - started


async def _measure(url: str, at: int, rounds: int) -> list[Figure]:
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        token, crawl = await token_at(http, at)
        first, far, chosen = [], [], []
        for _ in range(rounds):
            # Several of each, in turn: a single page takes a few milliseconds.
            pairs = [(await timed(http, None), await timed(http, token)) for _ in range(10)]
            first.append(statistics.median(each for each, _ in pairs))
            far.append(statistics.median(each for _, each in pairs))
            chosen.append(await timed(http, None, set="grade:6"))
    return [
        against(f"OAI-PMH page at record {at:,}, against the first page", "s", far, first, 1.2),
        alone("first page of a set of a seventh of all", "s", chosen),
        alone(f"records per second over the whole harvest of {at:,}", "1/s", [at / sum(crawl)]),
    ]


def figures(service: Running, materials: int = 200_000, at: int = FAR, rounds: int = ROUNDS) -> list[Figure]:
    """Fills the shelf of a running service and measures."""
    asyncio.run(fill(service.admin_dsn, materials))
    return asyncio.run(_measure(service.api.url, at, rounds))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--materials", type=int, default=200_000)
    parser.add_argument("--at", type=int, default=FAR)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="bench-harvest-")))
        servers = opened.enter_context(throw_away_servers()).addresses
        jwks_url = opened.enter_context(serving_keys())
        with running("materials", servers, jwks_url, folder) as service:
            measured = figures(service, options.materials, options.at, options.rounds)
    print(show(measured))
    write(REPOSITORY / ".run" / "bench" / "materials-harvest.json", measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
