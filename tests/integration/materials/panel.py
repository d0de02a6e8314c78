"""The city's panel over a library: reviewers of four schools, the department, and what they do."""

from typing import Any

from services.materials.usecases.project_org import project_org
from shared.contracts.sync_v1 import OrgChanged, OrgParent
from shared.db.scope import EVERYTHING
from tests.integration.materials.shelf import DEPARTMENT, PATH, SCHOOL_A, SCHOOL_B, person

API = "/materials/v1"
APPRAISE = "materials.read materials.write materials.review materials.appraise"
SCHOOL_C, SCHOOL_D = "truong-c", "truong-d"
CITY_HEAD = person("co-hieu-truong", "head", scope=APPRAISE)
OFFICER = person("can-bo-so", "department_officer", org=DEPARTMENT, scope=APPRAISE)
SCHOOL_OF = {
    "thay-b": SCHOOL_B,
    "co-c": SCHOOL_C,
    "co-d": SCHOOL_D,
    "thay-d": SCHOOL_D,
    "co-cung-truong": SCHOOL_A,
}
REVIEWERS = {name: person(name, "teacher", org=school, scope=APPRAISE) for name, school in SCHOOL_OF.items()}
SCORES = {"accuracy": "22.5", "curriculum": 20, "pedagogy": 18, "technique": 12, "rights": 10}


async def settle_more(library) -> None:
    """Two more schools, so that a reviewer can be replaced."""
    for school in (SCHOOL_C, SCHOOL_D):
        unit = OrgChanged(
            sourced_id=school,
            kind="school",
            name=school,
            level="lower_secondary",
            parents=(OrgParent(sourced_id=DEPARTMENT),),
        )
        async with library.runtime.units.begin(EVERYTHING) as uow:
            await project_org(uow, unit)


async def appoint(library, name: str, *, lead: bool = False) -> dict[str, Any]:
    body = {
        "person": name,
        "schoolSourcedId": SCHOOL_OF[name],
        "subjects": ["mathematics"],
        "levels": ["lower_secondary"],
        "validFrom": "2026-01-01",
        "lead": lead,
    }
    answer = await library.client.post(f"{API}/panel/members", headers=OFFICER, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def propose(library, material: dict[str, Any], **query: Any) -> dict[str, Any]:
    answer = await library.client.post(f"{PATH}/{material['id']}/propose", headers=CITY_HEAD, params=query)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def board(library, proposal: dict[str, Any]) -> dict[str, Any]:
    return (await library.client.get(f"{API}/proposals/{proposal['id']}", headers=OFFICER)).json()


async def waiting(library, name: str) -> list[dict[str, Any]]:
    return (await library.client.get(f"{API}/appraisal-queue", headers=REVIEWERS[name])).json()["items"]


async def appraise(library, name: str, recommendation: str = "share", **scores: Any):
    (item, *_) = await waiting(library, name)
    body = {"scores": SCORES | scores, "recommendation": recommendation, "comment": "Đã xem kĩ."}
    url = f"{API}/appraisals/{item['appraisalId']}/submit"
    return await library.client.post(url, headers=REVIEWERS[name], json=body)


async def act(library, proposal: dict[str, Any], action: str, who=OFFICER, **body: Any):
    url = f"{API}/proposals/{proposal['id']}/{action}"
    return await library.client.post(url, headers=who, json=body or ({} if action == "withdraw" else None))


async def shared(library) -> dict[str, Any]:
    """A material of school A on the city's shelf."""
    for name in ("thay-b", "co-c"):
        await appoint(library, name)
    material = await library.bring_to("published")
    proposal = await propose(library, material)
    for name in ("thay-b", "co-c"):
        assert (await appraise(library, name)).status_code == 200
    assert (await act(library, proposal, "share")).status_code == 200
    return material
