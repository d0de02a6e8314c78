"""Row-level security: what the database allows when a use case forgets."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.scope import EVERYTHING, NOTHING, Scope
from tests.integration.kit.conftest import Thing

TRICKY = 'a"b\\c,d}{'


async def _two_schools(place):
    async with place.units.begin(EVERYTHING) as uow:
        uow.session.add_all([Thing(name="x", school_sourced_id="A"), Thing(name="y", school_sourced_id="B")])


async def _names(place, scope):
    async with place.units.begin(scope) as uow:
        return sorted((await uow.session.execute(select(Thing.name))).scalars())


async def test_a_forgotten_filter_shows_only_the_callers_school(place):
    await _two_schools(place)
    assert await _names(place, Scope.of(["A"])) == ["x"]
    assert await _names(place, Scope.of(["A", "B"])) == ["x", "y"]
    assert await _names(place, EVERYTHING) == ["x", "y"]


async def test_without_a_scope_nothing_is_visible(place):
    await _two_schools(place)
    assert await _names(place, NOTHING) == []


async def test_writing_into_another_school_is_refused(place):
    with pytest.raises(DBAPIError, match="row-level security"):
        async with place.units.begin(Scope.of(["A"])) as uow:
            uow.session.add(Thing(name="z", school_sourced_id="B"))


async def test_the_scope_does_not_leak_to_the_next_user_of_the_connection(make_place):
    place = await make_place(pool_size=1)
    await _two_schools(place)
    assert await _names(place, EVERYTHING) == ["x", "y"]
    assert await _names(place, NOTHING) == []
    # The trap itself: a session setting (third argument false) does survive on the pooled connection.
    async with place.engine.begin() as connection:
        await connection.execute(text("SELECT set_config('app.leaked', 'yes', false)"))
    async with place.engine.begin() as connection:
        leaked = await connection.execute(text("SELECT current_setting('app.leaked', true)"))
        kept = await connection.execute(text("SELECT current_setting('app.everything', true)"))
        assert [leaked.scalar_one(), kept.scalar_one()] == ["yes", "off"]


async def test_a_unit_of_work_can_be_narrowed(place):
    await _two_schools(place)
    async with place.units.begin(EVERYTHING) as uow:
        await uow.enter(Scope.of(["B"]))
        assert list((await uow.session.execute(select(Thing.name))).scalars()) == ["y"]


async def test_codes_with_quotes_and_commas_stay_one_code(place):
    async with place.units.begin(EVERYTHING) as uow:
        uow.session.add(Thing(name="odd", school_sourced_id=TRICKY))
    assert await _names(place, Scope.of([TRICKY])) == ["odd"]
    assert await _names(place, Scope.of(["a", "d"])) == []


async def test_the_owner_is_bound_too(place):
    await _two_schools(place)
    owner = create_async_engine(place.owner_url)
    try:
        async with owner.connect() as connection:
            assert (await connection.execute(select(Thing.name))).all() == []
    finally:
        await owner.dispose()


async def test_a_failing_block_leaves_no_row(place):
    async def break_off():
        async with place.units.begin(EVERYTHING) as uow:
            uow.session.add(Thing(name="x", school_sourced_id="A"))
            await uow.session.flush()
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await break_off()
    assert await _names(place, EVERYTHING) == []
