import json
from pathlib import Path

import pytest
from sqlalchemy import text

from services.materials.usecases.requirements import check_requirements
from shared.db.scope import EVERYTHING
from shared.errors import AppError
from tests.integration.materials.shelf import DEPARTMENT, HEAD, TEACHER, person
from tests.unit.materials.test_requirement_tree import HEADER, ROOT, package

EXAMPLE = Path(__file__).parents[3] / "deploy" / "demo" / "requirements_example.csv"
API = "/materials/v1/requirements"
CATALOGUE = "materials.read materials.catalogue"
OFFICER = person("can-bo-so", "department_officer", org=DEPARTMENT, scope=CATALOGUE)
TREE = HEADER + (
    "T6,,mathematics,6,Toán 6,Mathematics 6\n"
    "T6.1,T6,mathematics,6,Số tự nhiên,\n"
    "T6.1.1,T6.1,mathematics,6,Đọc được số La Mã,\n"
    "T6.2,T6,mathematics,6,Phân số,\n"
)


async def send_csv(library, content=TREE, who=OFFICER, **query):
    return await library.client.post(
        f"{API}/imports",
        headers=who | {"content-type": "text/csv"},
        params={"title": "Ví dụ Toán 6"} | query,
        content=content.encode(),
    )


async def send_case(library, document, **query):
    return await library.client.post(f"{API}/imports", headers=OFFICER, params=query, json=document)


async def codes(library, **query):
    answer = await library.client.get(API, headers=TEACHER, params=query)
    assert answer.status_code == 200, answer.text
    return [item["code"] for item in answer.json()["items"]]


async def test_an_officer_imports_a_tree_and_everybody_walks_it(library):
    answer = await send_csv(library)
    assert answer.status_code == 200, answer.text
    assert answer.json()["added"] == ["T6", "T6.1", "T6.1.1", "T6.2"]
    assert await codes(library, parent="T6") == ["T6.1", "T6.2"]
    assert await codes(library, below="T6.1") == ["T6.1", "T6.1.1"]
    assert await codes(library, subject="physics") == []


async def test_requirements_are_found_with_and_without_tone_marks(library):
    await send_csv(library)
    assert await codes(library, q="phan so") == await codes(library, q="Phân số") == ["T6.2"]
    assert await codes(library, q="doc la ma") == ["T6.1.1"]
    assert await codes(library, q="100%_") == []


async def test_pages_follow_each_other_without_gap_or_repeat(library):
    await send_csv(library)
    first = (await library.client.get(API, headers=TEACHER, params={"limit": 3})).json()
    second = (await library.client.get(API, headers=TEACHER, params={"limit": 3, "cursor": first["next"]})).json()
    assert [item["code"] for item in first["items"] + second["items"]] == ["T6", "T6.1", "T6.1.1", "T6.2"]
    assert second["next"] is None


@pytest.mark.parametrize("who", [HEAD, person("co-hieu-truong", "head", scope=CATALOGUE)])
async def test_nobody_but_the_department_imports(library, who):
    assert (await send_csv(library, who=who)).status_code == 403
    assert await library.count("requirement") == 0


async def test_a_dry_run_tells_the_changes_and_writes_nothing(library):
    answer = await send_csv(library, check="true")
    assert (answer.json()["written"], len(answer.json()["added"])) == (False, 4)
    assert await library.count("requirement") == 0


async def test_a_faulty_file_is_refused_whole_with_each_place(library):
    answer = await send_csv(library, TREE + "T7,NONE,,,x,\nT8,,alchemy,,y,\n")
    assert answer.status_code == 422, answer.text
    faults = {(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]}
    assert faults == {("/lines/6", "parent.unknown"), ("/lines/7", "subject.unknown")}
    assert await library.count("requirement") == 0


async def test_an_item_left_out_ends_and_stays_readable_and_comes_back(library):
    await send_csv(library)
    shorter = TREE.replace("T6.2,T6,mathematics,6,Phân số,\n", "")
    assert (await send_csv(library, shorter)).json()["ended"] == ["T6.2"]
    assert "T6.2" not in await codes(library)
    ended = await library.client.get(f"{API}/T6.2", headers=TEACHER)
    assert ended.json()["validTo"] is not None
    assert (await send_csv(library)).json()["added"] == ["T6.2"]
    assert "T6.2" in await codes(library)


async def test_what_lies_below_a_moved_item_moves_with_it(library):
    await send_csv(library)
    answer = await send_csv(library, TREE.replace("T6.1,T6,", "T6.1,T6.2,"))
    assert answer.json()["changed"] == ["T6.1"]
    assert await codes(library, below="T6.2") == ["T6.1", "T6.1.1", "T6.2"]


async def test_a_case_package_goes_out_equal_to_how_it_came_in(library):
    assert (await send_case(library, package())).status_code == 200
    exported = await library.client.get(f"{API}/frameworks/{ROOT}/case", headers=TEACHER)
    assert exported.json() == json.loads(json.dumps(package()))
    again = (await send_case(library, exported.json())).json()
    assert (again["added"], again["changed"], again["ended"]) == ([], [], [])


async def test_an_exported_csv_changes_nothing_when_it_comes_back(library):
    framework = (await send_csv(library)).json()["framework"]
    exported = await library.client.get(f"{API}/frameworks/{framework}/csv", headers=TEACHER)
    again = (await send_csv(library, exported.text)).json()
    assert (again["added"], again["changed"], again["ended"]) == ([], [], [])


async def test_a_material_may_name_only_requirements_in_force_of_its_subject(library):
    await send_csv(library)
    await send_csv(library, TREE.replace("T6.2,T6,mathematics,6,Phân số,\n", ""))
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await check_requirements(uow, ["T6.1"], subjects=["mathematics"], grades=["6"], under="")
        with pytest.raises(AppError) as refused:
            await check_requirements(uow, ["T6.1", "T6.2"], subjects=["physics"], grades=["6"], under="/metadata")
    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == [
        ("/metadata/requirements/0", "requirement.other_subject"),
        ("/metadata/requirements/1", "requirement.unknown"),
    ]


async def test_a_file_over_16_mib_is_refused_before_it_is_read(library):
    answer = await send_csv(library, "x" * (16 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body.too_large")


async def test_the_example_of_the_demo_is_a_correct_tree_and_not_called_official(library):
    answer = await send_csv(library, EXAMPLE.read_text(encoding="utf-8"))
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["added"]) == 12
    async with library.runtime.units.begin(EVERYTHING) as uow:
        assert (await uow.session.execute(text("SELECT verified FROM requirement_framework"))).scalar_one() is False
