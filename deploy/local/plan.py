"""What the stack consists of, as data: the servers are given, everything above them is a table."""

import hashlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.environment import Surroundings
from deploy.local.ports import HOST, SERVICES
from deploy.local.processes import Program

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something played once in the life of a state folder, with its output on the terminal. `marker` remembers it."""

    program: Program
    marker: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`preparation` runs stage after stage, the programs of a stage at the same time; each must end with 0.

    It is skipped while `fingerprint` is what it was at the last success. `programs` run as long as the stack does.
    """

    databases: Sequence[str]
    preparation: Sequence[Sequence[Program]]
    fingerprint: str
    programs: Sequence[Program]
    occasions: Sequence[Occasion] = ()


def plan_of_services(surroundings: Surroundings) -> Plan:
    """The real thing: four services with a worker each, and the demo city."""
    return Plan(
        databases=SERVICES,
        preparation=[
            [_operation(surroundings, name, "migrate") for name in SERVICES],
            [_operation(surroundings, name, "topology") for name in SERVICES],
        ],
        fingerprint=fingerprint(REPOSITORY / "services", REPOSITORY / "shared", REPOSITORY / "requirements"),
        programs=[
            *(_process(surroundings, name, name, "main", surroundings.ports.service(name)) for name in SERVICES),
            *(
                _process(surroundings, name, f"{name}-worker", "worker", surroundings.ports.worker(name))
                for name in SERVICES
            ),
        ],
        occasions=[
            Occasion(_demo(surroundings, "load"), "demo-loaded"),
            Occasion(_demo(surroundings, "main-job"), "main-job-played"),
        ],
    )


def fingerprint(*folders: Path) -> str:
    """A hash over the code, the packaged data and the pinned requirements below `folders`."""
    found = hashlib.sha256()
    for path in _sources(folders):
        found.update(str(path).encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def _sources(folders: Iterable[Path]) -> list[Path]:
    kinds = {".py", ".json", ".toml", ".txt", ".sql"}
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in kinds and path.is_file())


def _operation(surroundings: Surroundings, service: str, command: str) -> Program:
    return Program(
        name=f"{service} {command}",
        argv=[sys.executable, "-m", "shared.ops", f"services.{service}", command],
        environment=surroundings.of_service(service),
        log=surroundings.state.logs / f"{service}-{command}.log",
        cwd=REPOSITORY,
    )


def _process(surroundings: Surroundings, service: str, name: str, module: str, port: int) -> Program:
    return Program(
        name=name,
        argv=[sys.executable, "-m", f"services.{service}.{module}"],
        environment=surroundings.of_service(service),
        log=surroundings.state.logs / f"{name}.log",
        ready_url=f"http://{HOST}:{port}/readyz",
        cwd=REPOSITORY,
    )


def _demo(surroundings: Surroundings, command: str) -> Program:
    return Program(
        name=f"demo {command}",
        argv=[sys.executable, "-m", "deploy.demo", command],
        environment=surroundings.of_demo(),
        cwd=REPOSITORY,
    )
