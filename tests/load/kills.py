"""A soak of random kills: `python -m tests.load.kills --rounds 50 --seed 1`.

Each round is a town of its own (schools, packages, API, worker) on PostgreSQL and nats-server that are killed as well;
`tests/support/kills.py` says what must be true afterwards. Ends with 1 at the first round that breaks a promise.
"""

# ruff: noqa: T201  # what happened is told on the terminal

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.support.kills import Rest, Town, killable_servers, packages, town


async def _calm(place: Town) -> Rest:
    await place.live()
    rest = await place.rest()
    await place.check(rest)
    return rest


async def _disturbed(place: Town, seed: int, kills: int, undisturbed: Rest) -> None:
    await place.live(seed=seed, kills=kills, quiet=False)
    await place.check(undisturbed)


def main() -> int:
    options = _parser().parse_args()
    sent = packages(options.schools, options.days, options.learners)
    killed: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="kills_") as name, killable_servers() as (servers, jwks_url):
        with town(servers, jwks_url, Path(name) / "calm", sent) as place:
            undisturbed = asyncio.run(_calm(place))
        print(f"undisturbed: {undisturbed.rosters}", flush=True)
        for number in range(options.rounds):
            seed, started = options.seed + number, time.perf_counter()
            with town(servers, jwks_url, Path(name) / f"round{number}", sent) as place:
                try:
                    asyncio.run(_disturbed(place, seed, options.kills, undisturbed))
                except (AssertionError, TimeoutError, BaseExceptionGroup) as broken:
                    print(f"round {number + 1}, seed {seed}: BROKEN: {broken!r}", file=sys.stderr)
                    for process in (place.service.api, place.service.worker):
                        print(process.log, file=sys.stderr)
                    return 1
            killed += place.killed
            seconds = time.perf_counter() - started
            print(f"round {number + 1}, seed {seed}: {seconds:.1f} s, {place.repeated} uploads repeated", flush=True)
    print(f"{options.rounds} rounds, {len(sent) * options.days} imports each, killed {dict(killed)}: nothing lost")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.load.kills", description=__doc__)
    for option, default, told in (
        ("rounds", 50, "towns, one after the other"),
        ("seed", 1, "of the first round; each next round takes the next"),
        ("kills", 8, "per round"),
        ("schools", 4, "per town"),
        ("days", 4, "packages per school"),
        ("learners", 120, "per school"),
    ):
        parser.add_argument(f"--{option}", type=int, default=default, help=f"{told} (default {default})")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
