import asyncio

from services.materials.domain.search_words import wish_of
from services.materials.storage.search.documents import START, changes, touch
from services.materials.storage.search.port import Search, Visible
from services.materials.storage.search.tantivy_index import TantivyIndex
from services.materials.usecases.keep_index import IndexKeeper
from shared.db.scope import EVERYTHING
from tests.integration.materials.shelf import (
    HEAD,
    LEAD,
    OFFICER,
    PATH,
    SCHOOL_A,
    SCHOOL_B,
    TEACHER,
    metadata,
    office,
    person,
    vendor,
)

SEARCH = "/materials/v1/search"
THERE = person("co-mai", "teacher", org=SCHOOL_B)


async def settled(library) -> IndexKeeper:
    """The application's own index, once it has seen everything committed so far; other databases move the horizon."""
    keeper: IndexKeeper = library.client._transport.app.state.index_keeper
    async with asyncio.timeout(30):
        while True:
            async with library.runtime.units.begin(EVERYTHING) as uow:
                left = await changes(uow.session, keeper.place, 1)
                total = await library.count("search_change")
            if keeper.built and not left and await behind(library, keeper) == 0:
                return keeper
            assert total >= 0
            await asyncio.sleep(0.05)


async def behind(library, keeper: IndexKeeper) -> int:
    query = f"search_change WHERE (written_by, material_id) > ({keeper.place.written_by}, '{keeper.place.material_id}')"
    return await library.count(query)


async def titles(library, who, **query) -> list[str]:
    await settled(library)
    answer = await library.client.get(SEARCH, headers=who, params=query)
    assert answer.status_code == 200, answer.text
    return [(item["material"] or item["shared"])["title"] for item in answer.json()["items"]]


async def publish(library, **changes):
    material = await library.create(**changes)
    for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)):
        assert (await library.act(material, action, who)).status_code == 200
    return material


async def test_a_material_is_found_once_it_is_in_use_by_title_description_and_text_of_its_file(library):
    material = await library.create(content=office(), title="Ôn tập chương I", description="Dành cho lớp 6")
    assert await titles(library, TEACHER, q="ôn tập ") == []
    for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)):
        await library.act(material, action, who)
    for q in ("ôn tập ", "on tap", "danh cho", "phân số bằng nhau ", '"phan so"'):
        assert await titles(library, TEACHER, q=q) == ["Ôn tập chương I"], q
    assert await titles(library, TEACHER, q="hình học ") == []


async def test_other_schools_find_nothing_of_it_and_the_department_does(library):
    await publish(library)
    for who in (THERE, vendor(SCHOOL_B)):
        assert await titles(library, who, q="phân") == []
        counted = (await library.client.get(SEARCH, headers=who, params={"facets": ["school", "subject"]})).json()
        assert (counted["total"], counted["facets"]) == (0, {"school": {}, "subject": {}})
        suggested = await library.client.get(f"{SEARCH}/suggestions", headers=who, params={"q": "phân"})
        assert suggested.json()["items"] == []
    assert await titles(library, OFFICER, q="phân") == ["Phân số bằng nhau"]
    assert await titles(library, vendor(SCHOOL_A), q="phân") == ["Phân số bằng nhau"]


async def test_a_new_version_takes_the_place_of_the_old_one_when_it_is_published(library):
    material = await publish(library)
    url = f"{PATH}/{material['id']}"
    await library.client.post(f"{url}/versions", headers=TEACHER)
    changed = {key: value for key, value in metadata(title="Bản mới").items() if key != "schoolSourcedId"}
    await library.client.put(f"{url}/metadata", headers=TEACHER, json=changed)
    assert await titles(library, TEACHER) == ["Phân số bằng nhau"]
    for action, who in (("submit", TEACHER), ("pass", LEAD), ("approve", HEAD)):
        await library.act(material, action, who)
    assert await titles(library, TEACHER) == ["Bản mới"]
    await library.act(material, "withdraw", HEAD, reason="Sai")
    assert await titles(library, TEACHER) == []


async def test_filters_facets_and_pages(library):
    for number in range(5):
        await publish(library, title=f"Bài {number}", grades=["6"] if number % 2 else ["7"])
    await settled(library)
    query = {"q": "bài ", "facets": ["grade", "subject"], "limit": 2}
    first = (await library.client.get(SEARCH, headers=TEACHER, params=query)).json()
    assert (first["total"], first["facets"]) == (5, {"grade": {"7": 3, "6": 2}, "subject": {"mathematics": 5}})
    seen = [item["material"]["id"] for item in first["items"]]
    page = first
    while page["next"]:
        page = (await library.client.get(SEARCH, headers=TEACHER, params=query | {"cursor": page["next"]})).json()
        seen += [item["material"]["id"] for item in page["items"]]
    assert len(seen) == len(set(seen)) == 5
    assert len(await titles(library, TEACHER, grade=["6"])) == 2
    assert len(await titles(library, TEACHER, grade=["6", "7"], type=["e_lecture"])) == 5
    assert await titles(library, TEACHER, subject=["physics"]) == []
    forged = await library.client.get(SEARCH, headers=TEACHER, params={"cursor": "WzEsMl0"})
    assert (forged.status_code, forged.json()["code"]) == (400, "paging.cursor_invalid")


async def test_a_misspelling_is_answered_with_what_was_meant_and_typing_with_titles(library):
    await publish(library)
    await settled(library)
    answer = (await library.client.get(SEARCH, headers=TEACHER, params={"q": "phâm số "})).json()
    assert (answer["items"], answer["didYouMean"]) == ([], "phân số")
    suggested = await library.client.get(f"{SEARCH}/suggestions", headers=TEACHER, params={"q": "phan so b"})
    assert suggested.json()["items"] == ["Phân số bằng nhau"]


async def test_two_instances_and_one_begun_later_hold_the_same(library):
    await publish(library)
    await publish(library, title="Hình học")
    first = await settled(library)
    second = IndexKeeper(library.runtime.units, TantivyIndex())
    assert await second.catch_up() == 2
    everything = Search(wish=wish_of(""), visible=Visible(None, shared=False), limit=100)
    assert sorted(second.index.search(everything).keys) == sorted(first.index.search(everything).keys)
    assert await second.catch_up() == 0


async def test_a_transaction_that_commits_late_is_not_passed_by(library):
    early = await library.create(title="Sớm")
    late = await library.create(title="Muộn")
    async with library.runtime.units.begin(EVERYTHING) as slow:
        await touch(slow.session, late["id"])
        async with library.runtime.units.begin(EVERYTHING) as quick:
            await touch(quick.session, early["id"])
        async with library.runtime.units.begin(EVERYTHING) as uow:
            assert await changes(uow.session, START, 10) == []
    keeper = IndexKeeper(library.runtime.units, TantivyIndex())
    async with asyncio.timeout(30):
        while keeper.done < 2:
            await keeper.catch_up()


async def test_before_the_first_build_has_ended_the_answer_says_how_far_it_is(library):
    keeper = await settled(library)
    keeper.built, keeper.done, keeper.total = False, 3, 10
    answer = await library.client.get(SEARCH, headers=TEACHER)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, "search.building")
    assert (problem["done"], problem["total"]) == (3, 10)
    assert answer.headers["Retry-After"] == "2"
