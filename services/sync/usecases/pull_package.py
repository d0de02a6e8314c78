"""Making a OneRoster CSV package (1.2.1) of what was read: bulk of everything, delta of what changed."""

import asyncio
import csv
import datetime as dt
import json
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from services.sync.domain.files import files_of
from services.sync.domain.pull_rows import FILES, GONE, HEADERS, Held, Json, Row, is_gone, reference, roles_of, row_of
from services.sync.storage import pulls
from services.sync.usecases.crawl_provider import Crawl
from shared.clock import rfc3339
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitsOfWork

_CHUNK = 2000
_PIECE = 1024 * 1024
Writer = Callable[[str, Row], None]


@dataclass(slots=True)
class PackageMaker:
    """`started` stands in as the time of change where the provider gives none; `is_full` makes bulk files."""

    units: UnitsOfWork
    crawl: Crawl
    schools: tuple[str, ...]
    started: dt.datetime
    is_full: bool
    rows: dict[str, int] = field(default_factory=dict)
    _used_courses: set[str] = field(default_factory=set)

    async def make(self) -> Path | None:
        """The ZIP file beside the lines it is made of; None when there is nothing to say."""
        with ExitStack() as opened:
            write = self._writers(opened)
            if self.is_full:
                self._plain("orgs", write)
            self._plain("academicSessions", write)
            self._classes(write)
            await self._courses(write)
            self._plain("enrollments", write)
            await self._users(write)
        if not any(self.rows.values()):
            return None
        return await asyncio.to_thread(self._zip)

    @property
    def _changed(self) -> str | None:
        return None if self.is_full else rfc3339(self.started)

    def _csv(self, file: str) -> Path:
        return self.crawl.folder / f"{file}.csv"

    def _writers(self, opened: ExitStack) -> Writer:
        writers: dict[str, Any] = {}
        for file in FILES:
            handle = opened.enter_context(self._csv(file).open("w", encoding="utf-8", newline=""))
            writers[file] = csv.DictWriter(handle, HEADERS[file], restval="")
            writers[file].writeheader()
            self.rows[file] = 0

        def write(file: str, row: Row) -> None:
            writers[file].writerow({name: value.replace("\x00", "") for name, value in row.items()})
            self.rows[file] += 1

        return write

    def _records(self, file: str) -> Iterator[Json]:
        """A full reading holds what is, a delta also what ended. Records of other schools are left out."""
        with self.crawl.path(file).open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if self.is_full and is_gone(record):
                    continue
                if file in {"classes", "enrollments"} and reference(record.get("school")) not in self.schools:
                    continue
                yield record

    def _plain(self, file: str, write: Writer) -> None:
        for record in self._records(file):
            write(file, row_of(file, record, self._changed))

    def _classes(self, write: Writer) -> None:
        for record in self._records("classes"):
            self._used_courses.add(reference(record.get("course")))
            write("classes", row_of("classes", record, self._changed))

    async def _courses(self, write: Writer) -> None:
        """Those of the schools, and those of an office above that a class of the schools uses."""
        async for chunk in self._chunks("courses"):
            known = await self._known("courses", chunk)
            for record in chunk:
                is_ours = reference(record.get("org")) in self.schools
                if is_ours or str(record["sourcedId"]) in self._used_courses | known:
                    write("courses", row_of("courses", record, self._changed))

    async def _users(self, write: Writer) -> None:
        async for chunk in self._chunks("users"):
            known, roles = await self._known("users", chunk), await self._roles(chunk)
            by_user: dict[str, dict[tuple[str, str, str], str]] = {}
            for key, sourced_id in roles.items():
                by_user.setdefault(key[0], {})[key] = sourced_id
            for record in chunk:
                name = str(record["sourcedId"])
                self._user(record, name in known, by_user.get(name, {}), write)

    def _user(
        self,
        record: Json,
        known: bool,  # noqa: FBT001  # one fact about the record
        ours: dict[tuple[str, str, str], str],
        write: Writer,
    ) -> None:
        """A person and their roles. In a delta a role no longer named ends, and so does a person with none left."""
        roles = [] if is_gone(record) else roles_of(record, self.schools)
        if not roles:
            if known and not self.is_full:
                state = {"status": GONE, "dateLastModified": str(record.get("dateLastModified") or self._changed)}
                write("users", {"sourcedId": str(record["sourcedId"]), **state})
            return
        user = row_of("users", record, self._changed)
        write("users", user)
        state = {} if self.is_full else {name: user[name] for name in ("status", "dateLastModified")}
        for held in roles:
            write("roles", held.row(_id_of(held, ours)) | state)
        if not self.is_full:
            named = {held.key for held in roles}
            for key, sourced_id in ours.items():
                if key not in named:
                    write("roles", {"sourcedId": sourced_id, **state, "status": GONE})

    async def _chunks(self, file: str) -> AsyncIterator[list[Json]]:
        records = self._records(file)
        while chunk := list(islice(records, _CHUNK)):
            yield chunk

    async def _known(self, file: str, chunk: Sequence[Json]) -> set[str]:
        if self.is_full:
            return set()
        async with self.units.begin(EVERYTHING) as uow:
            return await pulls.known_ids(uow.session, file, [str(each["sourcedId"]) for each in chunk], self.schools)

    async def _roles(self, chunk: Sequence[Json]) -> dict[tuple[str, str, str], str]:
        """A role keeps the sourcedId it once came with: REST gives roles none."""
        async with self.units.begin(EVERYTHING) as uow:
            return await pulls.known_roles(uow.session, [str(each["sourcedId"]) for each in chunk], self.schools)

    def _zip(self) -> Path:
        mode = "bulk" if self.is_full else "delta"
        # A delta says nothing of the schools themselves, and names only what has rows.
        named = {file for file in FILES if self.is_full or self.rows[file]}
        lines = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.2"]
        every = sorted(files_of("1.2"))
        lines += [f"file.{file},{mode if file in named else 'absent'}" for file in every]
        path = self.crawl.folder / "package.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr("manifest.csv", "\r\n".join(lines) + "\r\n")
            for file in FILES:
                if file in named:
                    package.write(self._csv(file), f"{file}.csv")
        return path


def _id_of(held: Held, ours: dict[tuple[str, str, str], str]) -> str:
    return ours.get(held.key, held.made_id)


async def pieces_of(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:  # pieces from the page cache, as an upload is written
        while piece := file.read(_PIECE):
            yield piece
