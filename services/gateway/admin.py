"""Register clients and persons: `python -m services.gateway.admin <command> --help`.

Answers are JSON on standard output. A secret is printed once, when it is made, and never again.
"""

import argparse
import asyncio
import datetime as dt
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from services.gateway.bootstrap import SERVICE, build
from services.gateway.settings import GatewaySettings
from services.gateway.usecases import queries, register_clients, register_persons
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Kind
from shared.logs import configure_logs

Options = argparse.Namespace
Command = Callable[[UnitOfWork, Options], Awaitable[Any]]
DEFAULT_OVERLAP_DAYS = 7


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    settings = GatewaySettings()
    configure_logs(SERVICE.name, "warning")
    try:
        print(json.dumps(asyncio.run(_run(settings, options)), ensure_ascii=False, indent=2))
    except AppError as failure:
        print(f"{failure.code}: {failure.text.vi}\n{failure.text.en}", file=sys.stderr)
        return 1
    return 0


async def _run(settings: GatewaySettings, options: Options) -> Any:
    runtime = build(settings, role="admin")
    command = _COMMANDS[options.command]
    try:
        async with runtime.units.begin(EVERYTHING) as uow:
            return await command(uow, options)
    finally:
        await runtime.close()


async def _client_add(uow: UnitOfWork, options: Options) -> Any:
    try:
        secret = await register_clients.add_client(
            uow,
            client_id=options.id,
            name=options.name,
            scopes=_words(options.scope),
            orgs=_words(options.org),
            may_exchange=options.token_exchange,
            secret=_secret_from(options),
        )
    except AppError as failure:
        if options.if_missing and failure.kind is Kind.CONFLICT:
            return {"clientId": options.id, "created": False}
        raise
    return {"clientId": options.id, "clientSecret": secret, "created": True}


async def _client_secret_rotate(uow: UnitOfWork, options: Options) -> Any:
    overlap = dt.timedelta(days=options.overlap_days)
    secret = await register_clients.rotate_client_secret(
        uow, client_id=options.id, overlap=overlap, secret=_secret_from(options)
    )
    return {"clientId": options.id, "clientSecret": secret, "olderSecretEndsInDays": options.overlap_days}


async def _client_list(uow: UnitOfWork, _: Options) -> Any:
    return [
        {
            "clientId": client.id,
            "name": client.name,
            "scopes": sorted(client.scopes),
            "orgs": sorted(client.orgs),
            "tokenExchange": client.may_exchange,
            "disabled": client.disabled,
            "validSecrets": len(client.digests),
        }
        for client in await queries.list_clients(uow)
    ]


async def _client_disable(uow: UnitOfWork, options: Options) -> Any:
    await register_clients.disable_client(uow, client_id=options.id, disabled=not options.undo)
    return {"clientId": options.id, "disabled": not options.undo}


async def _grant_add(uow: UnitOfWork, options: Options) -> Any:
    await register_clients.grant_orgs(uow, client_id=options.id, orgs=_words(options.org))
    return {"clientId": options.id, "granted": sorted(_words(options.org))}


async def _grant_remove(uow: UnitOfWork, options: Options) -> Any:
    await register_clients.withdraw_orgs(uow, client_id=options.id, orgs=_words(options.org))
    return {"clientId": options.id, "withdrawn": sorted(_words(options.org))}


async def _person_add(uow: UnitOfWork, options: Options) -> Any:
    added = await register_persons.add_person(uow, subject=options.subject, org=options.org, role=options.role)
    return _post(options) | {"created": added}


async def _person_remove(uow: UnitOfWork, options: Options) -> Any:
    removed = await register_persons.remove_person(uow, subject=options.subject, org=options.org, role=options.role)
    return _post(options) | {"removed": removed}


async def _person_list(uow: UnitOfWork, _: Options) -> Any:
    return [{"subject": subject, "org": org, "role": role} for subject, org, role in await queries.list_persons(uow)]


def _post(options: Options) -> dict[str, Any]:
    return {"subject": options.subject, "org": options.org, "role": options.role}


def _words(given: list[str]) -> set[str]:
    """Options may be repeated, and each may hold several words."""
    return {word for words in given for word in words.split()}


def _secret_from(options: Options) -> str | None:
    return sys.stdin.readline().rstrip("\r\n") if options.secret_from_stdin else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.gateway.admin",
        description="Register the systems and persons that may call. Settings come from the gateway's environment.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _client_commands(commands)
    _person_commands(commands)
    return parser


def _client_commands(commands: Any) -> None:
    add = commands.add_parser("client-add", help="register a client and print its secret, once")
    add.add_argument("--id", required=True, help="client id, e.g. vendor-a")
    add.add_argument("--name", required=True, help="who it is, for people")
    add.add_argument("--scope", action="append", default=[], help="what it may do; repeat it or list several")
    add.add_argument("--org", action="append", default=[], help="unit that granted it its data (sourcedId); repeatable")
    add.add_argument("--token-exchange", action="store_true", help="may get tokens for persons: the portal only")
    add.add_argument("--if-missing", action="store_true", help="leave an existing client as it is, without an error")
    _add_secret_option(add)
    rotate = commands.add_parser("client-secret-rotate", help="print a new secret; the one before stays valid a while")
    rotate.add_argument("--id", required=True, help="client id")
    rotate.add_argument(
        "--overlap-days", type=int, default=DEFAULT_OVERLAP_DAYS, help="days the older secret still works (default 7)"
    )
    _add_secret_option(rotate)
    commands.add_parser("client-list", help="show all clients, without secrets")
    disable = commands.add_parser("client-disable", help="give the client no more tokens")
    disable.add_argument("--id", required=True, help="client id")
    disable.add_argument("--undo", action="store_true", help="give it tokens again")
    for name, words in (
        ("grant-add", "let a client see the data of units"),
        ("grant-remove", "take the data of units back from a client"),
    ):
        grant = commands.add_parser(name, help=words)
        grant.add_argument("--id", required=True, help="client id")
        grant.add_argument("--org", action="append", required=True, help="sourcedId of the unit; repeatable")


def _add_secret_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--secret-from-stdin", action="store_true", help="use the secret on standard input instead of a new random one"
    )


def _person_commands(commands: Any) -> None:
    for name, words in (
        ("person-add", "give a person a role at a unit"),
        ("person-remove", "take a role at a unit away from a person"),
    ):
        person = commands.add_parser(name, help=words)
        person.add_argument("--subject", required=True, help="the person, as the portal names them in a token exchange")
        person.add_argument("--org", required=True, help="sourcedId of the unit")
        person.add_argument("--role", required=True, help="head, data_officer, group_lead, teacher, …")
    commands.add_parser("person-list", help="show who holds which role where")


_COMMANDS: Mapping[str, Command] = {
    "client-add": _client_add,
    "client-secret-rotate": _client_secret_rotate,
    "client-list": _client_list,
    "client-disable": _client_disable,
    "grant-add": _grant_add,
    "grant-remove": _grant_remove,
    "person-add": _person_add,
    "person-remove": _person_remove,
    "person-list": _person_list,
}

if __name__ == "__main__":
    raise SystemExit(main())
