"""Whatever a child does, the parent gives it up in time, believes nothing of another shape, and its turn is free."""

import asyncio

import pytest

from deploy.demo.pdf import one_page
from services.materials.inspection import inspector as parent
from services.materials.inspection.inspector import Inspector
from services.materials.inspection.report import Limits
from shared.errors import AppError
from tests.support.hostile_child import ANSWERS


@pytest.fixture
def taken_over(monkeypatch, tmp_path):
    """Look at a file whose child does as `mode` says, then at a good one, with one turn for both."""

    async def run(mode: str) -> tuple[str, int | None]:
        bad, good = tmp_path / "bad", tmp_path / "good"
        bad.write_text(mode)
        good.write_bytes(one_page("Phan so"))
        inspector = Inspector(Limits(wall_seconds=3), parallel=1)
        with monkeypatch.context() as change:
            change.setattr(parent, "_CHILD", "tests.support.hostile_child")
            with pytest.raises(AppError) as refused:
                await asyncio.wait_for(inspector.inspect(bad), 30)
        return refused.value.code, (await Inspector(parallel=1).inspect(good)).pages

    return run


@pytest.mark.parametrize("mode", ["talks_on", "never_ends", "leaves_another", "dies"])
async def test_a_child_that_will_not_end_is_ended(taken_over, mode):
    assert await taken_over(mode) == ("file.too_costly", 1)


@pytest.mark.parametrize("mode", sorted(ANSWERS))
async def test_an_answer_of_another_shape_is_none(taken_over, mode):
    assert await taken_over(mode) == ("file.too_costly", 1)


async def test_a_turn_is_free_after_a_child_that_talked_on(monkeypatch, tmp_path):
    inspector = Inspector(Limits(wall_seconds=20), parallel=1)
    bad, good = tmp_path / "bad", tmp_path / "good"
    bad.write_text("talks_on")
    good.write_bytes(one_page("Phan so"))
    with monkeypatch.context() as change:
        change.setattr(parent, "_CHILD", "tests.support.hostile_child")
        with pytest.raises(AppError, match=r"file\.too_costly"):
            await asyncio.wait_for(inspector.inspect(bad), 30)
    found = await asyncio.wait_for(inspector.inspect(good), 30)
    assert found.pages == 1


async def test_a_reader_that_stumbles_is_told_to_the_log_and_the_file_is_damaged(monkeypatch, tmp_path, capsys):
    file = tmp_path / "file"
    file.write_bytes(b"x")
    monkeypatch.setattr(parent, "_CHILD", "tests.support.stumbling_child")
    with pytest.raises(AppError, match=r"file\.damaged"):
        await Inspector().inspect(file)
    assert "KeyError" in capsys.readouterr().out
