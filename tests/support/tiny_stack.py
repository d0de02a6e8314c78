"""The supervisor with a small table of stand-in programs: what it does must not depend on which services it runs.

    python -m tests.support.tiny_stack <state folder> <port> <mode>

Modes: `calm`, `crash` (a program ends by itself once ready), `stubborn` (a program that ignores the request to stop),
`unprepared` (the preparation fails). `serve` is the stand-in itself.
"""

import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from deploy.local.__main__ import run_stack
from deploy.local.errors import StackError
from deploy.local.plan import REPOSITORY, Occasion, Plan
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Program
from deploy.local.state import State

NEVER = 3600.0


def tiny_plan(state: State, ports: Ports, mode: str) -> Plan:
    preparation = [_count(state, "prepared")]
    if mode == "unprepared":
        preparation.append(_program(state, "broken", "-c", "raise SystemExit('no such table')"))
    return Plan(
        databases=["sync"],
        preparation=[preparation],
        fingerprint="tiny",
        programs=[
            _stand_in(state, "calm-one", ports.service("sync"), "calm"),
            _stand_in(state, "other", ports.service("materials"), mode),
        ],
        occasions=[Occasion(_count(state, "played"), "played")],
    )


def _count(state: State, word: str) -> Program:
    path = str(state.root / "counted.txt")
    return _program(state, word, "-c", f"open({path!r}, 'a').write('{word} ')")


def _stand_in(state: State, name: str, port: int, mode: str) -> Program:
    return _program(
        state,
        name,
        *("-m", "tests.support.tiny_stack", "serve", str(port), mode, str(state.root)),
        ready_url=f"http://{HOST}:{port}/readyz",
    )


def _program(state: State, name: str, *arguments: str, ready_url: str | None = None) -> Program:
    return Program(
        name=name,
        argv=[sys.executable, *arguments],
        environment={"PATH": os.defpath},
        log=state.logs / f"{name}.log",
        ready_url=ready_url,
        cwd=REPOSITORY,
        grace=NEVER,
    )


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


def serve(port: int, mode: str) -> None:
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = HTTPServer((HOST, port), _Ready)
    server.handle_request()
    if mode == "crash":
        # Long enough after the answer for the supervisor to have read it.
        time.sleep(0.3)
        sys.exit("the disk is on fire")
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]), sys.argv[3])
    else:
        _state, _ports = State(Path(sys.argv[1])), Ports(int(sys.argv[2]))
        try:
            sys.exit(run_stack(_state, _ports, tiny_plan(_state, _ports, sys.argv[3])))
        except StackError as error:
            sys.exit(str(error))
