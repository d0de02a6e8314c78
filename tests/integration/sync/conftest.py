"""The sync service as its two processes run it, in one event loop: API over ASGI, worker rounds on demand."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.sync.bootstrap import SERVICE, uploads_of
from services.sync.main import create_app
from services.sync.settings import SyncSettings
from services.sync.usecases.work_through import ImportWork
from shared.db.scope import EVERYTHING, Scope
from shared.service import Runtime, build_runtime
from tests.support.stack import Database
from tests.support.tokens import TestSigner

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "oneroster" / "samples"
SAMPLE_SCHOOL = "org-sch-222-456"
ROSTER_SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/roster.readonly"
VENDOR_SCOPE = f"sync.read sync.import {ROSTER_SCOPE}"
DEPARTMENT = "SO-HCM"


def sample(name: str) -> bytes:
    """A real-world package; skips loudly where the data folder is absent (a public clone)."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"NOTICE: {name} is not here; the test of a real-world package did not run")
    return path.read_bytes()


MODES_1_2 = (
    "academicSessions categories classes classResources courseResources courses demographics enrollments "
    "lineItemLearningObjectiveIds lineItems lineItemScoreScales orgs resources resultLearningObjectiveIds results "
    "resultScoreScales roles scoreScales userProfiles userResources users"
).split()
HEADERS = {
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,"
    "subjectCodes",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,"
    "email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,"
    "preferredFamilyName,primaryOrgSourcedId,pronouns",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
    "userProfileSourcedId",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate",
}
Row = Mapping[str, str]


def make_zip(files: Mapping[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return buffer.getvalue()


def make_manifest(modes: Mapping[str, str]) -> str:
    lines = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.2"]
    lines += [f"file.{name},{modes.get(name, 'absent')}" for name in MODES_1_2]
    return "\r\n".join(lines) + "\r\n"


def make_csv(name: str, rows: Sequence[Row]) -> str:
    header = HEADERS[name].split(",")
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, header, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def make_package(files: Mapping[str, Sequence[Row]], mode: str = "bulk") -> bytes:
    """A OneRoster 1.2 package of these files."""
    contents: dict[str, bytes | str] = {"manifest.csv": make_manifest(dict.fromkeys(files, mode))}
    contents |= {f"{name}.csv": make_csv(name, rows) for name, rows in files.items()}
    return make_zip(contents)


def school_files(school: str, learners: int = 10, *, grade: str = "6", title: str = "Lớp") -> dict[str, list[Row]]:
    """A small clean school: a year, a course, two classes, a teacher, `learners` learners half in each class."""
    people = [f"{school}-hs{number}" for number in range(learners)]
    users = [
        {
            "sourcedId": person,
            "enabledUser": "true",
            "username": person.lower(),
            "givenName": "An",
            "familyName": "Nguyễn",
            "grades": grade,
        }
        for person in [*people, f"{school}-gv"]
    ]
    roles = [
        {
            "sourcedId": f"{person}-r",
            "userSourcedId": person,
            "roleType": "primary",
            "role": "teacher" if person.endswith("-gv") else "student",
            "orgSourcedId": school,
        }
        for person in [*people, f"{school}-gv"]
    ]
    classes = [
        {
            "sourcedId": f"{school}-lop{number}",
            "title": f"{title} {grade}A{number}",
            "grades": grade,
            "courseSourcedId": f"{school}-toan",
            "classType": "homeroom",
            "schoolSourcedId": school,
            "termSourcedIds": "HK1",
        }
        for number in (1, 2)
    ]
    members = [*((person, "student", 1 + index % 2) for index, person in enumerate(people)), (f"{school}-gv", "teacher", 1)]
    enrollments = [
        {
            "sourcedId": f"{person}-e",
            "classSourcedId": f"{school}-lop{number}",
            "schoolSourcedId": school,
            "userSourcedId": person,
            "role": role,
        }
        for person, role, number in members
    ]
    return {
        "orgs": [{"sourcedId": school, "name": school, "type": "school"}],
        "academicSessions": [
            {
                "sourcedId": "HK1",
                "title": "Học kỳ I",
                "type": "semester",
                "startDate": "2026-09-05",
                "endDate": "2027-01-15",
                "schoolYear": "2027",
            }
        ],
        "courses": [{"sourcedId": f"{school}-toan", "title": "Toán", "orgSourcedId": school}],
        "classes": classes,
        "users": users,
        "roles": roles,
        "enrollments": enrollments,
    }


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

    async def sql(self, statement: str, scope: Scope = EVERYTHING) -> list[Any]:
        from sqlalchemy import text  # noqa: PLC0415

        async with self.runtime.units.begin(scope) as uow:
            return [row[0] for row in await uow.session.execute(text(statement))]


SyncFactory = Callable[[Database], Awaitable[Sync]]


def settings_for(database: Database, data_dir: Path, **more: Any) -> SyncSettings:
    return SyncSettings(
        environment="embedded",
        database_url=database.app_url,
        nats_url="nats://127.0.0.1:1",
        data_dir=data_dir,
        public_url="http://gateway.test",
        **more,
    )


@pytest.fixture
async def sync(database: Callable[[str], Database], tmp_path: Path) -> AsyncIterator[Sync]:
    settings = settings_for(database("sync"), tmp_path / "data")
    signer = TestSigner()
    runtime = build_runtime(SERVICE.name, settings, role="test")
    app = create_app(settings, runtime, verifier=signer.verifier())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sync.test") as client,
    ):
        yield Sync(client, runtime, settings, signer)
