"""A small city for the tests of reporting: its units are announced and its numbers arrive as events."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from services.reporting.bootstrap import SERVICE
from shared.contracts.event import EventData
from shared.contracts.materials_v1 import MaterialApproved
from shared.contracts.sync_v1 import OrgChanged, OrgParent, RosterCommitted
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import new_id
from shared.messaging.consumer import Consumer, Outcome, apply_payload
from shared.messaging.envelope import Envelope, seal
from tests.support.tokens import TestSigner

DAY = dt.timedelta(days=1)
PORTAL = "portal"
COMMUNES_BEGIN = dt.date(2025, 7, 1)

CONSUMERS = {
    data: consumer for consumer in SERVICE.consumers for data, _ in [*consumer.handlers.items()]
}  # data class -> its consumer


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass
class Person:
    """Someone the portal speaks for, or a client when `roles` is empty."""

    http: httpx.AsyncClient
    headers: dict[str, str]

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        return await self.http.get(f"/reporting/v1{path}", params=parameters, headers=self.headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.http.post(f"/reporting/v1{path}", json=body, headers=self.headers | _names(headers))

    async def patch(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.http.patch(f"/reporting/v1{path}", json=body, headers=self.headers | _names(headers))


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class City:
    """`tell` applies an event at once, as the consumer would; versions count up per aggregate."""

    units: UnitsOfWork
    http: httpx.AsyncClient
    signer: TestSigner = field(default_factory=TestSigner)
    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    # Persons

    def person(self, sub: str, role: str, org: str, scope: str) -> Person:
        token = self.signer.bearer(sub=sub, client_id=PORTAL, scope=scope, orgs=[org], roles=[role])
        return Person(self.http, token)

    def head(self, school: str) -> Person:
        return self.person(f"hieu-truong-{school}", "head", school, "reporting.read reporting.write")

    def data_officer(self, school: str) -> Person:
        return self.person(f"can-bo-{school}", "data_officer", school, "reporting.read reporting.write")

    def department_officer(self, org: str = "so") -> Person:
        return self.person("chuyen-vien-so", "department_officer", org, "reporting.read reporting.manage")

    def commune_officer(self, commune: str) -> Person:
        return self.person(f"chuyen-vien-{commune}", "commune_officer", commune, "reporting.read reporting.manage")

    def portal(self, *orgs: str) -> Person:
        return Person(self.http, self.signer.bearer(sub=PORTAL, scope="reporting.read", orgs=orgs or ("so",)))

    # Events

    def seal(self, data: EventData, aggregate: str, version: int | None = None) -> Envelope:
        self.versions[aggregate] += 1
        return seal(
            data,
            event_id=new_id(),
            aggregate=aggregate,
            version=version or self.versions[aggregate],
            source="/" + data.TYPE.split(".", maxsplit=1)[0],
            time=now(),
            correlation_id=None,
            traceparent=None,
        )

    async def deliver(self, envelope: Envelope) -> Outcome:
        return await apply_payload(consumer_of(envelope), self.units, envelope.encode())

    async def tell(self, data: EventData, aggregate: str) -> Envelope:
        envelope = self.seal(data, aggregate)
        assert await self.deliver(envelope) is Outcome.APPLIED
        return envelope

    async def found(self) -> None:
        """The department, two communes with a lower-secondary school each, an upper-secondary school."""
        await self.org("so", "department", name="Sở Giáo dục và Đào tạo")
        await self.org("pgd", "district_office", "so", name="Phòng GDĐT", valid_to=COMMUNES_BEGIN - DAY)
        await self.org("xa-a", "commune", "so", name="UBND xã A", valid_from=COMMUNES_BEGIN)
        await self.org("xa-b", "commune", "so", name="UBND xã B", valid_from=COMMUNES_BEGIN)
        await self.school("thcs-a", "xa-a")
        await self.school("thcs-b", "xa-b")
        await self.school("thpt-c", "so", level="upper_secondary")

    async def campaign_city(self) -> dict[str, Any]:
        """A campaign is running, and the school `thcs-a` has never been heard of."""
        await self.org("so", "department", name="Sở Giáo dục và Đào tạo")
        await self.org("xa-a", "commune", "so")
        await self.org("xa-b", "commune", "so")
        await self.school("thcs-b", "xa-b")
        return await self.campaign()

    async def org(self, sourced_id: str, kind: Any, *parents: str, **fields: Any) -> Envelope:
        edges = tuple(OrgParent(sourced_id=parent) for parent in parents)
        data = OrgChanged(sourced_id=sourced_id, kind=kind, parents=edges, **{"name": sourced_id, **fields})
        return await self.tell(data, f"org:{sourced_id}")

    async def school(self, sourced_id: str, *parents: str, **fields: Any) -> Envelope:
        return await self.org(sourced_id, "school", *parents, **{"level": "lower_secondary", **fields})

    async def roster(self, school: str, **counts: int) -> RosterCommitted:
        data = roster(school, **counts)
        await self.tell(data, f"roster:{school}")
        return data

    async def material(self, school: str, material: UUID | None = None, at: dt.datetime | None = None) -> UUID:
        material = material or new_id()
        await self.tell(approved(school, material, at), f"material:{material}")
        return material

    # Campaigns

    async def campaign(self, **changes: Any) -> dict[str, Any]:
        answer = await self.department_officer().post("/campaigns", campaign_body(**changes))
        assert answer.status_code == 201, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def submission(self, school: str, **filters: Any) -> dict[str, Any]:
        """The school's newest submission, whole."""
        portal = self.portal()
        found = (await portal.get("/submissions", school=school, **filters)).json()["items"]
        document: dict[str, Any] = (await portal.get(f"/submissions/{found[-1]['id']}")).json()
        return document

    async def fill(self, school: str) -> dict[str, Any]:
        """The head answers the three lists; the numbers must have been prefilled."""
        before = await self.submission(school)
        body = {
            "values": {
                "difficulties": {"value": ["Thiếu phòng máy"]},
                "causes": {"value": ["Thiết bị cũ"]},
                "proposals": {"value": []},
            }
        }
        answer = await self.head(school).patch(f"/submissions/{before['id']}", body, if_match=f'"{before["version"]}"')
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def submit(self, school: str) -> dict[str, Any]:
        filled = await self.fill(school)
        answer = await self.head(school).post(f"/submissions/{filled['id']}/submit", if_match=etag(filled))
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def ready_to_submit(self, school: str = "thcs-a", **campaign: Any) -> dict[str, Any]:
        """City, numbers and campaign are there; the school's submission lacks only the head's own words."""
        await self.found()
        await self.roster(school)
        await self.material(school)
        return await self.campaign(**campaign)


def consumer_of(envelope: Envelope) -> Consumer:
    return next(consumer for data, consumer in CONSUMERS.items() if envelope.type == data.TYPE)


def roster(school: str, **counts: int) -> RosterCommitted:
    numbers = {"learners": 512, "staff": 45, "teachers": 40, "classes": 12, "enrollments": 512} | counts
    return RosterCommitted(
        school_sourced_id=school, import_id=new_id(), committed_at=now(), content_hash="0" * 64, **numbers
    )


def approved(school: str, material: UUID, at: dt.datetime | None = None) -> MaterialApproved:
    moment = at or now()
    return MaterialApproved(
        material_id=material,
        version_id=new_id(),
        school_sourced_id=school,
        subject="toan",
        grades=("6",),
        passed_at=moment,
        approved_at=moment,
        file_sha256="0" * 64,
    )


def campaign_body(**changes: Any) -> dict[str, Any]:
    return {
        "template": "semester-1",
        "schoolYear": "2025-2026",
        "semester": 1,
        "notice": {"number": "123/TB-SGDĐT", "date": "2025-12-01", "issuer": "Sở GDĐT"},
        "deadline": {"at": (now() + 10 * DAY).isoformat()},
        "levels": ["lower_secondary", "upper_secondary"],
    } | changes


def etag(submission: dict[str, Any]) -> str:
    return f'"{submission["version"]}"'


def value(submission: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in submission["fields"] if entry["name"] == name)
    return found


def errors(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
