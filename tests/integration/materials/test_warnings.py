from deploy.demo.pdf import one_page
from tests.integration.materials.shelf import LEAD, PATH, SCHOOL_B, TEACHER, person

THERE = person("thay-b", "teacher", org=SCHOOL_B)
WORDS = [
    "Bai",
    "giang",
    "ve",
    "phan",
    "so",
    "bang",
    "nhau",
    "quy",
    "dong",
    "mau",
    "so",
    "rut",
    "gon",
    "phan",
    "so",
    "va",
    "so",
    "sanh",
    "hai",
    "phan",
    "so",
    "khac",
    "mau",
]


def lesson(last: str) -> bytes:
    """A page of many words, the last of which is another each time."""
    return one_page(*(" ".join(WORDS[start:] + WORDS[:start]) for start in range(12)), last)


async def warnings(library, material, who=LEAD):
    answer = await library.client.get(f"{PATH}/{material['id']}/warnings", headers=who)
    assert answer.status_code == 200, answer.text
    return {each["code"]: each for each in answer.json()["items"]}


async def test_missing_rights_and_personal_data_are_told_before_the_human_step(library):
    content = one_page("Nguyen Van An 6A 02/09/2012", "Dien thoai 0912345678", "CCCD 079209012345")
    material = await library.create(content=content, licence=None)
    found = await warnings(library, material)
    assert {"licence.missing", "sources.missing", "personal.phone", "personal.citizen_id"} <= set(found)
    assert found["personal.name_and_birth_date"]["position"] == 1
    assert found["scan.not_done"]["message"]["vi"]
    text = (await library.client.get(f"{PATH}/{material['id']}/warnings", headers=LEAD)).text
    assert "0912345678" not in text
    assert "079209012345" not in text


async def test_the_same_file_and_a_text_much_alike_are_linked(library):
    first = await library.create(content=lesson("lan 1"))
    same = await library.create(content=lesson("lan 1"))
    near = await library.create(content=lesson("lan 2"))
    found = await warnings(library, same)
    assert (found["duplicate.file"]["materialId"], found["duplicate.file"]["likeness"]) == (first["id"], 1.0)
    found = await warnings(library, near)
    assert found["duplicate.text"]["materialId"] in {first["id"], same["id"]}
    assert found["duplicate.text"]["likeness"] > 0.6
    other = await library.create(content=one_page("Hinh hoc va do luong"))
    assert "duplicate.text" not in await warnings(library, other)


async def test_what_another_school_has_is_not_told(library):
    await library.create(content=lesson("lan 1"))
    theirs = await library.create(THERE, content=lesson("lan 1"), schoolSourcedId=SCHOOL_B, grades=["10"])
    found = await warnings(library, theirs, THERE)
    assert "duplicate.file" not in found
    assert (await library.client.get(f"{PATH}/{theirs['id']}/warnings", headers=TEACHER)).status_code == 404
