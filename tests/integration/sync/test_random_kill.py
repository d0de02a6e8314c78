"""Worker, API, PostgreSQL and nats-server are killed at random moments; nothing is lost and nothing doubled."""

import asyncio

import pytest

from deploy.local.ephemeral import run_apart
from tests.support.kills import killable_servers, packages, town

SENT = packages(schools=3, days=3)
KILLS = 5


@pytest.fixture(scope="module")
def killable():
    with killable_servers() as found:
        yield found


@pytest.fixture(scope="module")
def undisturbed(killable, tmp_path_factory):
    """What the same packages leave behind when nobody is killed."""
    servers, jwks_url = killable
    with town(servers, jwks_url, tmp_path_factory.mktemp("calm") / "town_calm", SENT) as calm:

        async def lived():
            await calm.live()
            rest = await calm.rest()
            await calm.check(rest)
            return rest

        return run_apart(lived())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_kills_during_imports_lose_nothing_and_double_nothing(killable, undisturbed, tmp_path, seed):
    servers, jwks_url = killable
    with town(servers, jwks_url, tmp_path / f"town_{seed}", SENT) as place:

        async def lived():
            await place.live(seed=seed, kills=KILLS)
            await place.check(undisturbed)

        # On the main thread: what it starts again would die with another thread (`deploy.local.processes.start`).
        asyncio.run(lived())
        assert place.killed.total() == KILLS
