"""Operator commands of every service: `python -m shared.ops services.<name> <command>`.

migrate                     bring the schema to the newest revision (needs MIGRATION_DATABASE_URL)
topology                    declare streams and consumers; refuses drift
dlq-list                    show dead letters, oldest first
dlq-replay [--position N]   apply dead letters again, oldest first, or one of them
replay --since INSTANT      publish the outbox again from an instant (ISO 8601) on
"""

import argparse
import asyncio
import datetime as dt
import importlib
import json
import sys
from typing import Any

from sqlalchemy import text

from shared.db import migrations
from shared.db.scope import EVERYTHING
from shared.errors import AppError
from shared.logs import configure_logs
from shared.messaging import dead_letters
from shared.messaging.bus import connect_bus
from shared.messaging.consumer import apply_payload
from shared.messaging.topology import declare_topology
from shared.service import Runtime, Service, build_runtime
from shared.settings import ServiceSettings


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    service: Service = importlib.import_module(f"{options.service}.bootstrap").SERVICE
    settings = service.settings()
    configure_logs(service.name, settings.log_level)
    try:
        return _COMMANDS[options.command](service, settings, options)
    except AppError as failure:
        print(f"{failure.code}: {failure.text.vi}\n{failure.text.en}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shared.ops", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("service", help="package of the service, e.g. services.sync")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the schema to the newest revision")
    commands.add_parser("topology", help="declare streams and consumers; refuses drift")
    commands.add_parser("dlq-list", help="show dead letters, oldest first")
    replay_one = commands.add_parser("dlq-replay", help="apply dead letters again, oldest first")
    replay_one.add_argument("--position", type=int, help="only this one")
    replay = commands.add_parser("replay", help="publish the outbox again from an instant on")
    replay.add_argument("--since", type=dt.datetime.fromisoformat, required=True, help="ISO 8601, with a zone")
    return parser


def _migrate(service: Service, settings: ServiceSettings, _: argparse.Namespace) -> int:
    if settings.migration_database_url is None:
        print("MIGRATION_DATABASE_URL is not set", file=sys.stderr)
        return 2
    migrations.upgrade(service.package, settings.migration_database_url.get_secret_value())
    return 0


def _topology(service: Service, settings: ServiceSettings, _: argparse.Namespace) -> int:
    async def declare() -> None:
        bus = await connect_bus(settings.nats_url.get_secret_value(), f"{service.name}-topology")
        try:
            specs = [consumer.spec for consumer in service.consumers]
            await declare_topology(bus.jetstream, service.name, specs, max_bytes=settings.stream_max_bytes)
        finally:
            await bus.close()

    asyncio.run(declare())
    return 0


def _dlq_list(service: Service, settings: ServiceSettings, _: argparse.Namespace) -> int:
    async def show(runtime: Runtime) -> int:
        async with runtime.units.begin(EVERYTHING) as uow:
            letters = await dead_letters.waiting(uow.session)
        for letter in letters:
            _print({key: str(value) for key, value in letter.items() if key != "payload"})
        return 0

    return _with_runtime(service, settings, show)


def _dlq_replay(service: Service, settings: ServiceSettings, options: argparse.Namespace) -> int:
    runners = {consumer.spec.durable: consumer for consumer in service.consumers}

    async def replay(runtime: Runtime) -> int:
        async with runtime.units.begin(EVERYTHING) as uow:
            letters = await dead_letters.waiting(uow.session)
        failures = 0
        for letter in letters:
            if options.position not in {None, letter["position"]} or letter["consumer"] not in runners:
                continue
            try:
                outcome = await apply_payload(runners[letter["consumer"]], runtime.units, letter["payload"])
            except AppError as failure:
                failures += 1
                _print({"position": letter["position"], "failed": failure.code})
                continue
            async with runtime.units.begin(EVERYTHING) as uow:
                await dead_letters.mark_replayed(uow.session, letter["position"])
            _print({"position": letter["position"], "outcome": outcome.value})
        return 1 if failures else 0

    return _with_runtime(service, settings, replay)


def _replay(service: Service, settings: ServiceSettings, options: argparse.Namespace) -> int:
    if options.since.tzinfo is None:
        print("--since needs a zone, e.g. 2026-11-23T08:00:00+07:00", file=sys.stderr)
        return 2

    async def unpublish(runtime: Runtime) -> int:
        async with runtime.units.begin(EVERYTHING) as uow:
            statement = text(
                "WITH again AS (UPDATE outbox SET published_at = NULL "
                "WHERE created_at >= :since AND published_at IS NOT NULL RETURNING 1) "
                "SELECT count(*), pg_notify('outbox', '') FROM again"
            )
            count = (await uow.session.execute(statement, {"since": options.since})).one()[0]
        _print({"republishing": count})
        return 0

    return _with_runtime(service, settings, unpublish)


def _with_runtime(service: Service, settings: ServiceSettings, action: Any) -> int:
    async def run() -> int:
        runtime = build_runtime(service.name, settings, role="ops")
        try:
            result: int = await action(runtime)
        finally:
            await runtime.close()
        return result

    return asyncio.run(run())


def _print(document: dict[str, Any]) -> None:
    print(json.dumps(document, ensure_ascii=False))


_COMMANDS = {
    "migrate": _migrate,
    "topology": _topology,
    "dlq-list": _dlq_list,
    "dlq-replay": _dlq_replay,
    "replay": _replay,
}

if __name__ == "__main__":
    raise SystemExit(main())
