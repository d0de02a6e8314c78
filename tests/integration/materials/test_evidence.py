import datetime as dt
from uuid import UUID, uuid4

from services.materials.consumers.evidence_changed import on_evidence_changed
from shared.contracts.reporting_v1 import EvidenceChanged, EvidenceVersion
from shared.db.scope import EVERYTHING
from tests.integration.materials.shelf import HEAD, PATH, SCHOOL_A, TEACHER

SUBMISSION = uuid4()


async def told(library, material, *, counts: bool, named: bool = True) -> None:
    versions = (EvidenceVersion(material_id=UUID(material["id"]), version_id=UUID(material["versionId"])),)
    event = EvidenceChanged(
        submission_id=SUBMISSION,
        school_sourced_id=SCHOOL_A,
        counts=counts,
        versions=versions if named else (),
        at=dt.datetime.now(dt.UTC),
    )
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await on_evidence_changed(uow, event)


async def test_a_version_that_a_submitted_report_rests_on_cannot_be_withdrawn_while_it_counts(library):
    material = await library.bring_to("published")
    await told(library, material, counts=True)
    refused = await library.act(material, "withdraw", HEAD, reason="Sai")
    assert (refused.status_code, refused.json()["code"]) == (409, "version.is_evidence")
    assert refused.json()["submissions"] == [str(SUBMISSION)]
    await told(library, material, counts=False)
    assert (await library.act(material, "withdraw", HEAD, reason="Sai")).status_code == 200


async def test_a_report_that_names_it_no_longer_lets_it_go(library):
    material = await library.bring_to("published")
    await told(library, material, counts=True)
    await told(library, material, counts=True, named=False)
    assert (await library.act(material, "withdraw", HEAD, reason="Sai")).status_code == 200


async def test_where_a_material_is_used_can_be_asked(library):
    material = await library.bring_to("published")
    await told(library, material, counts=True)
    uses = (await library.client.get(f"{PATH}/{material['id']}/uses", headers=TEACHER)).json()
    assert (uses["inUse"], uses["shared"]) == (1, None)
    assert [(each["submissionId"], each["counts"]) for each in uses["reports"]] == [(str(SUBMISSION), True)]
