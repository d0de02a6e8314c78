"""The application over a database of its own, with a small city: two schools under one commune, one department."""

import dataclasses
import datetime as dt
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from sqlalchemy import text

from deploy.demo.pdf import one_page
from services.materials.main import create_app
from services.materials.settings import MaterialsSettings
from services.materials.usecases.project_org import project_org
from shared.contracts.sync_v1 import OrgChanged, OrgParent
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitsOfWork
from shared.service import Runtime
from tests.support.tokens import TestSigner

PDF = one_page("Phan so bang nhau")
PATH = "/materials/v1/materials"
SCHOOLS = "/materials/v1/schools"
CONTENT_URL = "http://hoc-lieu.test"
ALL_SCOPES = "materials.read materials.write materials.review"

DEPARTMENT, COMMUNE, SCHOOL_A, SCHOOL_B = "so-hcm", "xa-tan-phu", "truong-a", "truong-b"
CITY = (
    OrgChanged(sourced_id=DEPARTMENT, kind="department", name="Sở GDĐT"),
    OrgChanged(sourced_id=COMMUNE, kind="commune", name="Xã Tân Phú", valid_from=dt.date(2025, 7, 1)),
    OrgChanged(
        sourced_id=SCHOOL_A,
        kind="school",
        name="THCS A",
        level="lower_secondary",
        parents=(OrgParent(sourced_id=COMMUNE, valid_from=dt.date(2025, 7, 1)),),
    ),
    OrgChanged(
        sourced_id=SCHOOL_B,
        kind="school",
        name="THPT B",
        level="upper_secondary",
        parents=(OrgParent(sourced_id=DEPARTMENT),),
    ),
)


def metadata(**changes: Any) -> dict[str, Any]:
    return {
        "schoolSourcedId": SCHOOL_A,
        "title": "Phân số bằng nhau",
        "type": "e_lecture",
        "subject": "mathematics",
        "grades": ["6"],
        "licence": "CC-BY-4.0",
    } | changes


def parts(content: bytes = PDF, name: str = "Bài 1.pdf", **changes: Any) -> dict[str, Any]:
    """Keyword arguments of an upload, for httpx."""
    return {
        "files": [
            ("metadata", (None, json.dumps(metadata(**changes)), "application/json")),
            ("file", (name, content, "application/octet-stream")),
        ]
    }


def office(main_part: str = "word/document.xml", *others: str) -> bytes:
    """A small Office document: one paragraph, or one slide."""
    held = io.BytesIO()
    slides = ("ppt/slides/slide1.xml",) if main_part.startswith("ppt/") else ()
    with zipfile.ZipFile(held, "w") as archive:
        for name in ("[Content_Types].xml", main_part, *slides, *others):
            archive.writestr(name, "<x><p><t>Phân số bằng nhau</t></p></x>")
    return held.getvalue()


_signer = TestSigner()


def person(subject: str, *roles: str, org: str = SCHOOL_A, scope: str = ALL_SCOPES) -> dict[str, str]:
    """Request headers of a person the portal speaks for."""
    return _signer.bearer(sub=subject, client_id="portal", scope=scope, orgs=[org], roles=roles)


def vendor(*orgs: str, scope: str = ALL_SCOPES) -> dict[str, str]:
    return _signer.bearer(sub="vendor", scope=scope, orgs=orgs)


TEACHER = person("co-lan", "teacher")
LEAD = person("thay-minh", "group_lead")
HEAD = person("co-hieu-truong", "head")
OFFICER = person("can-bo-so", "department_officer", org=DEPARTMENT)


def contents(folder: Path) -> list[str]:
    """Names of the files below `folder` that people handed in: previews are WebP, which no test hands in."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.name for path in files if not path.read_bytes().startswith(b"RIFF"))


def picture() -> bytes:
    """A small PNG."""
    held = io.BytesIO()
    Image.new("RGB", (64, 32), "teal").save(held, "PNG")
    return held.getvalue()


async def settle_city(units: UnitsOfWork) -> None:
    for unit in CITY:
        async with units.begin(EVERYTHING) as uow:
            await project_org(uow, unit)


@dataclasses.dataclass(frozen=True)
class Library:
    client: httpx.AsyncClient
    runtime: Runtime
    settings: MaterialsSettings

    @property
    def folder(self) -> Path:
        return self.settings.data_dir / "files"

    def stored(self) -> list[str]:
        """Every file in the content store and on its way there, by name; without the pictures made of them."""
        return contents(self.folder)

    async def create(self, who: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
        answer = await self.client.post(PATH, headers=who or TEACHER, **parts(**changes))
        assert answer.status_code == 201, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def act(self, material: dict[str, Any], action: str, who: dict[str, str], **body: Any) -> httpx.Response:
        return await self.client.post(f"{PATH}/{material['id']}/{action}", headers=who, json=body or None)

    async def bring_to(self, state: str) -> dict[str, Any]:
        """A new material in that state."""
        material = await self.create()
        ways = {
            "draft": [],
            "submitted": [("submit", TEACHER)],
            "passed": [("submit", TEACHER), ("pass", LEAD)],
            "published": [("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)],
        }
        for action, who in ways[state]:
            answer = await self.act(material, action, who)
            assert answer.status_code == 200, answer.text
            material = answer.json()
            material.pop("next")
        return material

    async def prescribe(self, *, publish_on_approval: bool = True, steps: Sequence[dict[str, Any]] = ()) -> None:
        """The head of school A writes the school's procedure down."""
        answer = await self.client.put(
            f"{SCHOOLS}/{SCHOOL_A}/review-policy",
            headers=HEAD,
            json={"publishOnApproval": publish_on_approval, "steps": list(steps)},
        )
        assert answer.status_code == 200, answer.text

    async def appoint(self, someone: str, task: str, **changes: Any) -> dict[str, Any]:
        """The head of school A gives a duty to a person."""
        duty = {"person": someone, "task": task, "validFrom": "2026-01-01", "validTo": "2099-12-31"} | changes
        answer = await self.client.post(f"{SCHOOLS}/{SCHOOL_A}/duties", headers=HEAD, json=duty)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def read(self, material: dict[str, Any], who: dict[str, str], **query: Any) -> httpx.Response:
        return await self.client.get(f"{PATH}/{material['id']}", headers=who, params=query)

    async def count(self, table: str) -> int:
        async with self.runtime.units.begin(EVERYTHING) as uow:
            number: int = (await uow.session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
        return number

    async def envelopes(self, noun: str = "material") -> list[dict[str, Any]]:
        """What was told about materials, or about another noun of the service, in order."""
        async with self.runtime.units.begin(EVERYTHING) as uow:
            rows = await uow.session.execute(text("SELECT envelope FROM outbox ORDER BY position"))
            found = [json.loads(envelope) for envelope in rows.scalars()]
        return [envelope for envelope in found if envelope["type"].startswith(f"materials.{noun}.")]


def build_app(settings: MaterialsSettings, runtime: Runtime) -> Any:
    return create_app(settings, runtime, verifier=_signer.verifier())
