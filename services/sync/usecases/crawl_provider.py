"""Reading a OneRoster REST provider page by page onto disk, under the safe page rule (`domain.pull.Pages`).

The first answer that is not what it should be stops everything: half a roster looks like a school that lost people.
"""

import asyncio
import base64
import datetime as dt
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode

from services.sync.domain.oneroster import V1_1, V1_2
from services.sync.domain.pull import MOST_TRIES, Pages, Place, PullError, wait_seconds
from services.sync.domain.pull_rows import Json, reference
from shared.clock import Clock, rfc3339
from shared.outside import Answer, Failure, Outside, OutsideError

_PAGE_BYTES = 256 * 1024 * 1024
_TOKEN_BYTES = 64 * 1024
_SECONDS = 120.0
_AGAIN = frozenset({429, 500, 502, 503, 504})
# How a provider says that it lacks the lists of one school, and not that it lacks the school (asked for before).
_NO_SUCH_LIST = frozenset({404, 405, 501})
# Opens every list of the rostering service, those of a school included.
_SCOPES = {version.name: version.scopes("roster.readonly")[0] for version in (V1_1, V1_2)}
Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """What is read: of a provider, as whom, which schools, since when (None for everything)."""

    base_url: str
    token_url: str
    client_id: str
    secret: str = field(repr=False)
    version: str = "1.2"
    schools: tuple[str, ...] = ()
    page_size: int = 1000
    since: dt.datetime | None = None


@dataclass(slots=True)
class Crawl:
    """What was read: the JSON lines of each list under `folder`, how many, and the newest change among them."""

    folder: Path
    counts: dict[str, int] = field(default_factory=dict)
    newest: dt.datetime | None = None

    def path(self, file: str) -> Path:
        return self.folder / f"{file}.jsonl"


@dataclass(slots=True)
class Provider:
    """One provider for the length of one run. `pause` waits, `clock` tells when."""

    target: Target
    outside: Outside
    clock: Clock
    most_bytes: int
    pause: Pause = asyncio.sleep
    _token: str = field(default="", repr=False)
    _written: int = 0

    async def crawl(self, folder: Path) -> Crawl:
        """All lists of the schools. Raises `PullError`."""
        found = Crawl(folder)
        if self.target.since is None:
            await self._orgs(found)
        for file in ("academicSessions", "courses"):
            await self._write(found, file, [(f"/{file}", None)])
        by_school = True
        for file in ("classes", "enrollments"):
            by_school = by_school and await self._has_lists_of_schools(file)
            lists = [(f"/schools/{quote(school, safe='')}/{file}", school) for school in self.target.schools]
            await self._write(found, file, lists if by_school else [(f"/{file}", None)])
        await self._write(found, "users", [("/users", None)])
        return found

    async def _orgs(self, found: Crawl) -> None:
        """Each school by name: a school the provider does not know must not look like an empty one."""
        with found.path("orgs").open("w", encoding="utf-8") as file:
            for school in self.target.schools:
                path = f"/schools/{quote(school, safe='')}"
                answer = await self._get(path, {}, allowed=_NO_SUCH_LIST)
                if answer.status != 200:
                    raise PullError("pull.schoolUnknown", Place(path, status=answer.status))
                org = _document(answer, path).get("org")
                if not isinstance(org, dict) or org.get("sourcedId") != school:
                    raise PullError("pull.wrongShape", Place(path, expected=f"org {school}"))
                self._line(file, org)
        found.counts["orgs"] = len(self.target.schools)

    async def _has_lists_of_schools(self, file: str) -> bool:
        path = f"/schools/{quote(self.target.schools[0], safe='')}/{file}"
        return (await self._get(path, {"limit": "1", "offset": "0"}, allowed=_NO_SUCH_LIST)).status == 200

    async def _write(self, found: Crawl, file: str, lists: Sequence[tuple[str, str | None]]) -> None:
        with found.path(file).open("w", encoding="utf-8") as lines:
            for path, school in lists:
                await self._write_list(found, file, path, school, lines)

    async def _write_list(self, found: Crawl, file: str, path: str, school: str | None, lines: IO[str]) -> None:
        pages = Pages(path, self.target.page_size)
        more = True
        while more:
            records, total, has_next = await self._page(pages, file)
            more = pages.take([str(each["sourcedId"]) for each in records], total, has_next=has_next)
            for record in records:
                if school is not None and not reference(record.get("school")):
                    record["school"] = {"sourcedId": school}
                self._line(lines, record)
                found.newest = _newer(found.newest, record.get("dateLastModified"))
        found.counts[file] = found.counts.get(file, 0) + pages.taken

    def _line(self, file: IO[str], record: Json) -> None:
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        self._written += len(line)
        if self._written > self.most_bytes:
            raise PullError("pull.tooLarge", Place(expected=str(self.most_bytes)))
        file.write(line + "\n")

    async def _page(self, pages: Pages, file: str) -> tuple[list[dict[str, Any]], int | None, bool]:
        query = {"limit": str(pages.limit), "offset": str(pages.taken), "sort": "sourcedId", "orderBy": "asc"}
        if self.target.since is not None:
            query["filter"] = f"dateLastModified>'{rfc3339(self.target.since)}'"
        answer = await self._get(pages.path, query)
        records = _document(answer, pages.path, pages.taken).get(file)
        if not isinstance(records, list) or not all(map(_has_id, records)):
            raise PullError("pull.wrongShape", Place(pages.path, pages.taken, 200, expected=f"{file}[].sourcedId"))
        total = answer.headers.get("x-total-count")
        if total is not None and not total.strip().isdigit():
            raise PullError("pull.totalUnreadable", Place(pages.path, pages.taken, 200, got=total[:50]))
        has_next = 'rel="next"' in answer.headers.get("link", "").replace("rel=next", 'rel="next"')
        return records, None if total is None else int(total), has_next

    async def _get(self, path: str, query: Mapping[str, str], allowed: frozenset[int] = frozenset()) -> Answer:
        """An answer with status 200, or one of `allowed`. A token that has ended is renewed once for each question."""
        offset = int(query["offset"]) if "offset" in query else None
        url = self.target.base_url.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")
        for is_fresh in (not self._token, True):
            token = self._token or await self._new_token()
            answer = await self._patient("GET", url, {"Authorization": f"Bearer {token}"}, Place(path, offset))
            if answer.status != 401:
                break
            self._token = ""
            if is_fresh:
                raise PullError("pull.tokenRefused", Place(path, offset, 401))
        if answer.status == 200 or answer.status in allowed:
            return answer
        code = "pull.forbidden" if answer.status == 403 else "pull.wrongStatus"
        raise PullError(code, Place(path, offset, answer.status, "200"))

    async def _new_token(self) -> str:
        """Client credentials (RFC 6749, sections 4.4 and 5.2), the client named by HTTP Basic."""
        pair = f"{quote(self.target.client_id, safe='')}:{quote(self.target.secret, safe='')}"
        headers = {
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        place = Place(self.target.token_url)
        scope = _SCOPES[self.target.version]
        body = urlencode({"grant_type": "client_credentials", "scope": scope}).encode()
        answer = await self._patient("POST", self.target.token_url, headers, place, body)
        if answer.status in {400, 401, 403}:
            code = "pull.scopeRefused" if b'"invalid_scope"' in answer.body else "pull.secretRefused"
            raise PullError(code, Place(place.path, status=answer.status))
        token = _document(answer, place.path).get("access_token") if answer.status == 200 else None
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise PullError("pull.tokenAnswer", Place(place.path, status=answer.status))
        self._token = token
        return token

    async def _patient(
        self, method: str, url: str, headers: Mapping[str, str], place: Place, content: bytes | None = None
    ) -> Answer:
        """Asks again where the provider is busy or away, waiting as long as it says, a bounded number of times."""
        got, status = "", None
        for tries in range(1, MOST_TRIES + 1):
            wanted: float | None = None
            try:
                answer = await self.outside.ask(
                    method,
                    url,
                    headers={**headers, "Accept": "application/json"},
                    content=content,
                    most_bytes=_PAGE_BYTES if method == "GET" else _TOKEN_BYTES,
                    seconds=_SECONDS,
                )
                if answer.status not in _AGAIN:
                    return answer
                got, status = "", answer.status
                wanted = answer.retry_after(self.clock.now().timestamp())
            except OutsideError as failure:
                if failure.failure is Failure.ADDRESS:
                    raise PullError("pull.addressRefused", place) from failure
                if failure.failure is Failure.TOO_LARGE:
                    raise PullError("pull.tooLarge", place) from failure
                got, status = str(failure), None
            if tries < MOST_TRIES:
                await self.pause(wait_seconds(tries, wanted))
        raise PullError("pull.unavailable", Place(place.path, place.offset, status, got=got or None))


def _has_id(record: Any) -> bool:
    return isinstance(record, dict) and isinstance(record.get("sourcedId"), str) and bool(record["sourcedId"])


def _document(answer: Answer, path: str, offset: int | None = None) -> dict[str, Any]:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        document = None if "html" in kind else json.loads(answer.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise PullError("pull.notJson", Place(path, offset, answer.status, "application/json", kind[:100] or None))
    return document


def _newer(newest: dt.datetime | None, given: Any) -> dt.datetime | None:
    try:
        instant = dt.datetime.fromisoformat(str(given))
    except ValueError:
        return newest
    if instant.tzinfo is None:
        return newest
    return instant if newest is None else max(newest, instant)
