import hashlib
from unicodedata import normalize

import pytest

from tests.integration.materials.shelf import HEAD, PATH, PDF, TEACHER, office, parts, person, picture, vendor


async def test_a_teacher_puts_a_file_with_its_metadata_into_the_library_as_a_draft(library):
    answer = await library.client.post(
        PATH,
        headers=TEACHER,
        **parts(title="  Phân số ", description="Bài giảng", grades=["7", "6", "7"], sources=["SGK Toán 6"]),
    )
    assert answer.status_code == 201
    material = answer.json()
    assert answer.headers["Location"] == f"{PATH}/{material['id']}"
    assert answer.headers["ETag"] == '"1"'
    digest = hashlib.sha256(PDF).hexdigest()
    check = material["file"].pop("check")
    assert (check["kind"], check["pages"], check["scan"], check["hasThumbnail"]) == ("pdf", 1, "not_scanned", True)
    assert material["file"] == {
        "position": 1,
        "name": "Bài 1.pdf",
        "mediaType": "application/pdf",
        "size": len(PDF),
        "sha256": digest,
    }
    assert (material["state"], material["author"], material["usable"]) == ("draft", "co-lan", False)
    assert (material["title"], material["grades"], material["sources"]) == ("Phân số", ["6", "7"], ["SGK Toán 6"])
    assert library.stored() == [digest]
    assert (await library.client.get(answer.headers["Location"], headers=TEACHER)).json()["files"] == material["files"]


async def test_decomposed_vietnamese_is_kept_in_nfc(library):
    title, name = "Phân số bằng nhau", "Bài giảng.pdf"
    material = await library.create(title=normalize("NFD", title), name=normalize("NFD", name))
    assert (material["title"], material["file"]["name"]) == (title, name)


async def test_equal_content_is_stored_once_and_never_overwritten(library):
    first = await library.create()
    stored = next(path for path in library.folder.rglob(first["file"]["sha256"]))
    inode = stored.stat().st_ino
    second = await library.create(name="Bài khác.pdf")
    assert first["file"]["sha256"] == second["file"]["sha256"]
    assert first["id"] != second["id"]
    assert library.stored() == [first["file"]["sha256"]]
    assert stored.stat().st_ino == inode
    assert stored.stat().st_mode & 0o222 == 0


async def test_a_type_is_recognised_by_content_and_not_by_name(library):
    png = picture()
    assert (await library.create(content=png, name="x.pdf"))["file"]["mediaType"] == "image/png"
    assert (await library.create(content=office(), name="x"))["file"]["mediaType"].endswith("wordprocessingml.document")


async def test_a_retry_with_the_same_idempotency_key_makes_one_material(library):
    key = {"Idempotency-Key": "k-1"}
    first = await library.client.post(PATH, headers=TEACHER | key, **parts())
    again = await library.client.post(PATH, headers=TEACHER | key, **parts())
    assert again.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert await library.count("material") == 1


async def test_the_same_key_with_another_file_or_other_metadata_is_refused(library):
    key = {"Idempotency-Key": "k-1"}
    await library.client.post(PATH, headers=TEACHER | key, **parts())
    for other in (parts(content=PDF + b"%"), parts(title="Khác"), parts(name="khac.pdf")):
        answer = await library.client.post(PATH, headers=TEACHER | key, **other)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency.other_payload")
    assert await library.count("material") == 1


async def test_only_a_person_of_the_school_may_put_something_into_its_library(library):
    officer = person("x", "department_officer", org="so-hcm")
    cases = {
        "system": (vendor("truong-a"), 403, "person.required"),
        "department": (officer, 403, "school.not_yours"),
        "other school": (person("y", "teacher", org="truong-b"), 404, "school.unknown"),
        "no scope": (person("z", "teacher", scope="materials.read"), 403, "scope.missing"),
        "no token": ({}, 401, "token.missing"),
    }
    for name, (headers, status, code) in cases.items():
        answer = await library.client.post(PATH, headers=headers, **parts())
        assert (answer.status_code, answer.json()["code"]) == (status, code), name
    assert await library.count("material") == 0
    assert library.stored() == []


async def test_a_school_nobody_told_us_about_does_not_exist(library):
    unknown = person("co-lan", "teacher", org="truong-la")
    answer = await library.client.post(PATH, headers=unknown, **parts(schoolSourcedId="truong-la"))
    assert (answer.status_code, answer.json()["code"]) == (404, "school.unknown")


async def test_every_fault_of_the_metadata_is_told_at_once(library):
    answer = await library.client.post(
        PATH, headers=TEACHER, **parts(title=" ", grades=["5"], type="novel", phone="0901", licence="mine")
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "request.invalid")
    assert {fault["pointer"] for fault in problem["errors"]} == {
        "/metadata/title",
        "/metadata/grades/0",
        "/metadata/type",
        "/metadata/licence",
        "/metadata/phone",
    }
    assert "0901" not in answer.text
    assert library.stored() == []


async def test_a_subject_must_be_taught_in_the_grades_named(library):
    answer = await library.client.post(PATH, headers=TEACHER, **parts(subject="physics", grades=["9", "10"]))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "material.curriculum_mismatch")
    assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [
        ("/metadata/grades/0", "grade.not_taught")
    ]
    assert "Vật lí" in problem["errors"][0]["detail"]
    unknown = await library.client.post(PATH, headers=TEACHER, **parts(subject="alchemy"))
    assert unknown.json()["errors"][0]["code"] == "subject.unknown"


async def test_a_head_may_be_an_author_too(library):
    assert (await library.create(HEAD))["author"] == "co-hieu-truong"


async def test_catalogues_name_every_accepted_code_in_both_languages(library):
    subjects = (await library.client.get("/materials/v1/catalogues/subjects", headers=TEACHER)).json()["items"]
    assert {"vi": "Toán", "en": "Mathematics"} in [subject["name"] for subject in subjects]
    physics = next(subject for subject in subjects if subject["code"] == "physics")
    assert physics["offers"] == [{"grades": ["10", "11", "12"], "kind": "elective", "verified": False}]
    types = (await library.client.get("/materials/v1/catalogues/types", headers=TEACHER)).json()["items"]
    assert len(types) == 12
    licences = (await library.client.get("/materials/v1/catalogues/licences", headers=TEACHER)).json()["items"]
    assert "CC-BY-4.0" in licences


@pytest.mark.parametrize(
    ("given", "kept"), [("mit", "MIT"), ("cc-by-sa-3.0-at", "CC-BY-SA-3.0-AT"), ("LicenseRef-so-gddt", None)]
)
async def test_any_licence_of_spdx_is_taken_in_its_own_spelling(library, given, kept):
    made = await library.create(licence=given)
    assert made["licence"] == (kept or given)


@pytest.mark.parametrize(
    "given", ["mine", "MIT OR Apache-2.0", "CC-BY-4.0 AND", "GPL-2.0-only WITH Classpath-exception-2.0"]
)
async def test_a_licence_is_one_that_spdx_knows(library, given):
    answer = await library.client.post(PATH, headers=TEACHER, **parts(licence=given))
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/metadata/licence"]
