import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.scope import EVERYTHING
from tests.integration.materials.shelf import (
    HEAD,
    LEAD,
    OFFICER,
    PATH,
    PDF,
    SCHOOL_A,
    TEACHER,
    metadata,
    person,
    vendor,
)

COLLEAGUE = person("co-mai", "teacher")


def form(content: bytes = PDF, name: str = "Bài 2.pdf"):
    return {"files": [("file", (name, content, "application/octet-stream"))]}


async def test_metadata_alone_makes_a_draft_whose_files_follow(library):
    answer = await library.client.post(PATH, headers=TEACHER, json=metadata())
    material = answer.json()
    assert (answer.status_code, material["state"], material["files"], material["file"]) == (201, "draft", [], None)
    refused = await library.act(material, "submit", TEACHER)
    assert (refused.status_code, refused.json()["code"]) == (422, "version.no_file")
    url = f"{PATH}/{material['id']}"
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        added = await library.client.post(f"{url}/files", headers=TEACHER, **form(PDF + name.encode(), name))
        assert added.status_code == 201, added.text
    removed = await library.client.delete(f"{url}/files/2", headers=TEACHER)
    renamed = await library.client.put(f"{url}/files/3/name", headers=TEACHER, json={"name": "Bài 3.pdf"})
    assert removed.status_code == renamed.status_code == 200
    assert [(file["position"], file["name"]) for file in renamed.json()["files"]] == [(1, "a.pdf"), (3, "Bài 3.pdf")]
    third = await library.client.get(f"{url}/files/3", headers=TEACHER)
    assert third.content == PDF + b"c.pdf"
    assert (await library.client.get(f"{url}/files/2", headers=TEACHER)).json()["code"] == "file.unknown"
    assert (await library.act(material, "submit", TEACHER)).status_code == 200


async def test_everything_the_circulars_want_to_know_is_kept(library):
    said = {
        "otherSubjects": ["informatics"],
        "requirements": ["TOAN6.SO.1"],
        "authors": [{"name": "Nguyễn Thị Lan", "subject": "co-lan"}, {"name": "Trần Văn Mai", "subject": None}],
        "rightsStatement": "Ảnh trang 2: tác giả tự chụp.",
        "duration": "PT45M",
    }
    material = await library.create(**said)
    assert {name: material[name] for name in said} == said


async def test_a_draft_changes_and_a_submitted_version_does_not(library):
    material = await library.create()
    url = f"{PATH}/{material['id']}"
    given = {key: value for key, value in metadata(title="Phân số", licence=None).items() if key != "schoolSourcedId"}
    changed = await library.client.put(f"{url}/metadata", headers=TEACHER, json=given)
    assert (changed.json()["title"], changed.json()["licence"]) == ("Phân số", None)
    assert changed.headers["ETag"] == '"2"'
    await library.act(material, "submit", TEACHER)
    tries = [
        library.client.put(f"{url}/metadata", headers=TEACHER, json=given),
        library.client.post(f"{url}/files", headers=TEACHER, **form()),
        library.client.delete(f"{url}/files/1", headers=TEACHER),
        library.client.put(f"{url}/files/1/name", headers=TEACHER, json={"name": "x"}),
    ]
    for attempt in tries:
        answer = await attempt
        assert (answer.status_code, answer.json()["code"]) == (409, "version.immutable")


async def test_only_the_author_works_on_a_draft_and_others_are_refused_before_the_file(library):
    material = await library.create()
    url, before = f"{PATH}/{material['id']}", library.stored()
    for who, status, code in (
        (COLLEAGUE, 404, "material.unknown"),
        (LEAD, 403, "material.author_only"),
        (OFFICER, 403, "school.not_yours"),
        (vendor(SCHOOL_A), 404, "material.unknown"),
    ):
        answer = await library.client.post(f"{url}/files", headers=who, **form(PDF + b"x"))
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert library.stored() == before


async def test_a_new_version_is_reviewed_while_the_old_one_stays_in_use(library):
    material = await library.bring_to("published")
    url = f"{PATH}/{material['id']}"
    started = await library.client.post(f"{url}/versions", headers=TEACHER)
    second = started.json()
    assert (started.status_code, second["versionNumber"], second["state"], second["inUse"]) == (201, 2, "draft", 1)
    assert second["files"] == material["files"]
    changed = {key: value for key, value in metadata(title="Bản mới").items() if key != "schoolSourcedId"}
    await library.client.put(f"{url}/metadata", headers=TEACHER, json=changed)
    for action, who in (("submit", TEACHER), ("pass", LEAD)):
        await library.act(material, action, who)
        seen = (await library.read(material, COLLEAGUE)).json()
        assert (seen["versionNumber"], seen["title"], seen["state"]) == (1, "Phân số bằng nhau", "published")
        assert (await library.read(material, LEAD)).json()["versionNumber"] == 2
    listed = (await library.client.get(PATH, headers=COLLEAGUE)).json()["items"]
    assert [item["versionNumber"] for item in listed] == [1]
    assert (await library.read(material, COLLEAGUE, version=2)).status_code == 404
    await library.act(material, "approve", HEAD)
    seen = (await library.read(material, COLLEAGUE)).json()
    assert (seen["versionNumber"], seen["title"], seen["inUse"]) == (2, "Bản mới", 2)
    numbers = [row["number"] for row in (await library.client.get(f"{url}/versions", headers=LEAD)).json()["items"]]
    assert numbers == [2, 1]


async def test_a_second_unfinished_version_is_refused(library):
    material = await library.bring_to("submitted")
    answer = await library.client.post(f"{PATH}/{material['id']}/versions", headers=TEACHER)
    assert (answer.status_code, answer.json()["code"], answer.json()["number"]) == (409, "version.unfinished", 1)


async def test_the_school_can_go_back_to_an_earlier_version(library):
    material = await library.bring_to("published")
    url = f"{PATH}/{material['id']}"
    await library.client.post(f"{url}/versions", headers=TEACHER)
    for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)):
        await library.act(material, action, who)
    back = await library.client.post(f"{url}/publish", headers=HEAD, params={"version": 1})
    assert (back.status_code, back.json()["inUse"]) == (200, 1)
    assert (await library.read(material, COLLEAGUE)).json()["versionNumber"] == 1


async def test_a_school_may_publish_apart_from_approving(library):
    await library.prescribe(publish_on_approval=False)
    material = await library.bring_to("passed")
    approved = (await library.act(material, "approve", HEAD)).json()
    assert (approved["state"], approved["usable"]) == ("approved", False)
    assert (await library.read(material, COLLEAGUE)).status_code == 404
    assert (await library.act(material, "publish", LEAD)).json()["code"] == "role.missing"
    published = (await library.act(material, "publish", HEAD)).json()
    assert (published["state"], published["usable"]) == ("published", True)
    assert (await library.read(material, COLLEAGUE)).status_code == 200


async def test_a_withdrawn_material_leaves_a_tombstone_and_counts_no_more(library):
    material = await library.bring_to("published")
    without = await library.act(material, "withdraw", HEAD)
    assert without.json()["code"] == "request.invalid"
    gone = await library.act(material, "withdraw", HEAD, reason="Vi phạm bản quyền")
    assert (gone.json()["state"], gone.json()["usable"]) == ("withdrawn", False)
    assert (await library.read(material, COLLEAGUE)).status_code == 404
    assert (await library.read(material, LEAD)).json()["reviews"][-1]["reason"] == "Vi phạm bản quyền"
    assert [envelope["type"] for envelope in await library.envelopes()] == [
        "materials.material.approved.v1",
        "materials.material.withdrawn.v1",
    ]


async def test_withdrawing_a_new_version_leaves_the_one_in_use(library):
    material = await library.bring_to("published")
    await library.client.post(f"{PATH}/{material['id']}/versions", headers=TEACHER)
    gone = await library.client.post(f"{PATH}/{material['id']}/withdraw", headers=TEACHER, json={})
    assert gone.json()["state"] == "withdrawn"
    seen = (await library.read(material, TEACHER)).json()
    assert (seen["versionNumber"], seen["state"], seen["inUse"]) == (1, "published", 1)
    third = await library.client.post(f"{PATH}/{material['id']}/versions", headers=TEACHER)
    assert third.json()["versionNumber"] == 3
    assert len(await library.envelopes()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM version_file",
        "UPDATE version_file SET name = 'khác'",
        "UPDATE material_version SET requirements = '{X}'",
        "DELETE FROM version_comment",
        "DELETE FROM review_policy",
        "DELETE FROM review_duty",
    ],
)
async def test_the_database_lets_nothing_of_a_review_disappear(library, statement):
    await library.bring_to("submitted")
    with pytest.raises(DBAPIError):
        async with library.runtime.units.begin(EVERYTHING) as uow:
            await uow.session.execute(text(statement))
