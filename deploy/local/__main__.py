"""`python -m deploy.local`: start the embedded stack, remove its state, or run an operator command against it."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from deploy.local import console
from deploy.local.accounts import unprivileged_account
from deploy.local.environment import Surroundings
from deploy.local.errors import StackError
from deploy.local.nats import NatsServer, account_of
from deploy.local.plan import REPOSITORY, Plan, plan_of_services
from deploy.local.ports import SERVICES, Ports, require_free
from deploy.local.postgres import PostgresServer
from deploy.local.processes import die_with_parent
from deploy.local.programs import find_programs
from deploy.local.state import Secrets, State, kept_secrets
from deploy.local.supervisor import Supervisor, supervise

DEFAULT_PORT = 8080


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("--run-dir", type=Path, default=REPOSITORY / ".run", help="state folder (default: .run)")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start everything and stay in the foreground until Ctrl-C")
    run.add_argument("--port", type=int, default=DEFAULT_PORT, help="of the gateway; the others follow (default: 8080)")
    run.add_argument("--with-parent", action="store_true", help="stop when the calling process ends (used by make)")
    commands.add_parser("clean", help="remove all state of a stopped stack")
    ops = commands.add_parser("ops", help="run an operator command of a service in its environment")
    ops.add_argument("service", choices=SERVICES)
    ops.add_argument("rest", nargs=argparse.REMAINDER, metavar="command …", help="as for `python -m shared.ops`")
    given = parser.parse_args(arguments)
    state = State(given.run_dir.resolve())
    try:
        if given.command == "clean":
            return clean(state)
        if given.command == "ops":
            return operate(state, given.service, given.rest)
        if given.with_parent:
            die_with_parent(signal.SIGTERM)
        return run_stack(state, Ports(given.port))
    except StackError as error:
        console.failure(str(error))
    except PermissionError as error:
        console.failure(f"{error}. Was {state.root} made by another user?")
    return 1


def run_stack(state: State, ports: Ports, plan: Plan | None = None) -> int:
    """Start `plan` (by default the four services) on `ports`, with its state in `state`; block until it ends."""
    with state.held():
        state.create()
        secrets = kept_secrets(state)
        postgres, nats = servers(state, ports, secrets)
        # Before the ports are looked at: a server of ours left over from a crash may still hold one.
        postgres.end_leftover()
        require_free(ports.uses())
        state.write_json("stack.json", {"port": ports.gateway})
        surroundings = Surroundings(ports, secrets, state, os.environ)
        _follow_the_port(state, surroundings.gateway_url)
        console.line(f"Starting the stack; logs are in {state.logs}.")
        return supervise(Supervisor(state, secrets, postgres, nats, plan or plan_of_services(surroundings)))


def servers(state: State, ports: Ports, secrets: Secrets) -> tuple[PostgresServer, NatsServer]:
    account = unprivileged_account()
    programs = find_programs(account, state.programs_folder(account))
    postgres = PostgresServer(
        programs=programs,
        folder=state.server_folder("postgres", account),
        port=ports.postgres,
        password=secrets.superuser,
        account=account,
        log=state.logs / "postgres.log",
    )
    nats = NatsServer(
        programs=programs,
        folder=state.server_folder("nats", account),
        port=ports.nats,
        monitor_port=ports.nats_monitor,
        accounts={"LIEN_THONG": account_of(secrets.nats)},
        account=account,
        log=state.logs / "nats.log",
    )
    return postgres, nats


def _follow_the_port(state: State, gateway_url: str) -> None:
    """The addresses in `demo.json` belong to the port of this start."""
    demo = state.read_json("demo.json")
    if demo and demo.get("gateway") != gateway_url:
        state.write_json("demo.json", demo | {"gateway": gateway_url})


def clean(state: State) -> int:
    if not state.root.exists():
        console.line("Nothing to remove.")
        return 0
    with state.held():
        if state.read_json("secrets.json"):
            postgres, _ = servers(state, Ports(DEFAULT_PORT), kept_secrets(state))
            postgres.end_leftover()
        state.remove()
    console.line(f"Removed {state.root}.")
    return 0


def operate(state: State, service: str, command: list[str]) -> int:
    """Run `python -m shared.ops services.<service> <command>` as the running (or last) stack would."""
    started = state.read_json("stack.json")
    if not started:
        raise StackError(f"No stack was ever started on {state.root}. Run `make run` first.")
    surroundings = Surroundings(Ports(started["port"]), kept_secrets(state), state, os.environ)
    done = subprocess.run(  # noqa: S603  # our own module with the operator's words
        [sys.executable, "-m", "shared.ops", f"services.{service}", *command],
        env=surroundings.of_service(service),
        cwd=REPOSITORY,
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
