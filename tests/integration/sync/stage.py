"""The sync service as its two processes run it, in one event loop: API over ASGI, worker rounds on demand."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from services.sync.bootstrap import uploads_of
from services.sync.settings import SyncSettings
from services.sync.usecases.work_through import ImportWork
from shared.db.scope import EVERYTHING, Scope
from shared.service import Runtime
from tests.support.stack import Database
from tests.support.tokens import TestSigner

ROSTER_SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/roster.readonly"
VENDOR_SCOPE = f"sync.read sync.import {ROSTER_SCOPE}"
DEPARTMENT = "SO-HCM"


@dataclass
class Sync:
    """The running service. `as_vendor("A")` are headers of a vendor granted school A, and so on."""

    client: httpx.AsyncClient
    runtime: Runtime
    settings: SyncSettings
    signer: TestSigner

    def as_vendor(self, *schools: str, sub: str = "vendor", scope: str = VENDOR_SCOPE) -> dict[str, str]:
        return self.signer.bearer(sub=sub, scope=scope, orgs=list(schools))

    def as_person(self, school: str, *roles: str) -> dict[str, str]:
        return self.signer.bearer(
            sub=f"person-{school}", client_id="portal", scope=VENDOR_SCOPE, orgs=[school], roles=list(roles)
        )

    @property
    def as_department(self) -> dict[str, str]:
        return self.signer.bearer(sub="department", scope=f"{VENDOR_SCOPE} sync.orgs", orgs=[DEPARTMENT])

    async def work(self) -> None:
        """What the worker would do until nothing is left."""
        await ImportWork(uploads_of(self.settings), 2).drain(self.runtime.engine, self.runtime.units)

    async def put_org(self, sourced_id: str, **body: Any) -> httpx.Response:
        return await self.client.put(f"/sync/v1/orgs/{sourced_id}", json=body, headers=self.as_department)

    async def put_schools(self, *schools: str) -> None:
        (await self.put_org(DEPARTMENT, kind="department", name="Sở")).raise_for_status()
        for school in schools:
            answer = await self.put_org(
                school, kind="school", name=school, level="lower_secondary", parents=[{"sourcedId": DEPARTMENT}]
            )
            answer.raise_for_status()

    async def upload(self, content: bytes, headers: dict[str, str], **query: str) -> httpx.Response:
        return await self.client.post(
            "/sync/v1/imports", content=content, params=query, headers={**headers, "Content-Type": "application/zip"}
        )

    async def imported(self, content: bytes, headers: dict[str, str], **query: str) -> dict[str, Any]:
        """Upload, let the worker work, read the import."""
        answer = await self.upload(content, headers, **query)
        assert answer.status_code == 202, answer.text
        await self.work()
        return await self.read(answer.headers["location"], headers)

    async def read(self, path: str, headers: dict[str, str], **query: str) -> dict[str, Any]:
        answer = await self.client.get(path, headers=headers, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def problems(self, import_id: str, headers: dict[str, str], **query: str) -> list[dict[str, Any]]:
        page = await self.read(f"/sync/v1/imports/{import_id}/problems", headers, limit="500", **query)
        assert page["next"] is None
        items: list[dict[str, Any]] = page["items"]
        return items

    async def roster(self, collection: str, headers: dict[str, str], **query: str) -> list[dict[str, Any]]:
        body = await self.read(f"/ims/oneroster/rostering/v1p2/{collection}", headers, limit="10000", **query)
        (records,) = body.values()
        return list(records)

    async def settled(self) -> None:
        """Wait until every transaction older than now has ended: the tests of another process share the cluster."""
        (mine,) = await self.sql("SELECT pg_current_xact_id()::text::bigint")
        async with asyncio.timeout(60):
            while (await self.sql("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))[0] <= mine:
                await asyncio.sleep(0.02)

    async def sql(self, statement: str, scope: Scope = EVERYTHING) -> list[Any]:
        async with self.runtime.units.begin(scope) as uow:
            return [row[0] for row in await uow.session.execute(text(statement))]


def settings_for(database: Database, data_dir: Path, **more: Any) -> SyncSettings:
    return SyncSettings(
        environment="embedded",
        database_url=database.app_url,
        nats_url="nats://127.0.0.1:1",
        data_dir=data_dir,
        public_url="http://gateway.test",
        **more,
    )
