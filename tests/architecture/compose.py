"""Is deploy/compose.yaml right, as far as that can be told without an engine? `python -m tests.architecture.compose`.

The file is read with the values of deploy/env/production.env.example, checked against the JSON schema of the Compose
Specification (carried by the package check-jsonschema) and against rules of our own: the same entry points as the
embedded stack, environment variables that the services' settings know, secrets that must be given, limits, hardening.
"""

import importlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import jsonschema
import yaml

from shared.settings import ServiceSettings
from tests.architecture.sources import REPOSITORY, SERVICES

COMPOSE = REPOSITORY / "deploy" / "compose.yaml"
EXAMPLE = REPOSITORY / "deploy" / "env" / "production.env.example"
SERVERS = ("postgres", "nats")

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<kind>:[-?])?(?P<word>[^}]*)\}")
_PINNED = re.compile(r"^[a-z0-9./-]+:\d+\.\d+[\w.-]*$")

Document = dict[str, Any]


class UnsetError(Exception):
    """A variable that the file requires was not given; its text is the file's own explanation."""


def example() -> dict[str, str]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", maxsplit=1) for line in lines if line and not line.startswith("#"))


def variables(text: str) -> dict[str, str]:
    """Each variable the file mentions: `required`, `optional` (it has a default) or `bare`."""
    kinds = {":?": "required", ":-": "optional", None: "bare"}
    return {found["name"]: kinds[found["kind"]] for found in _VARIABLE.finditer(text)}


def resolved(text: str, values: Mapping[str, str]) -> Document:
    """The file as compose sees it: anchors merged, variables replaced. Raises `UnsetError`."""

    def value_of(found: re.Match[str]) -> str:
        if given := values.get(found["name"]):
            return given
        if found["kind"] == ":-":
            return found["word"]
        raise UnsetError(f"{found['name']}: {found['word']}")

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value) for value in node]
        return _VARIABLE.sub(value_of, node) if isinstance(node, str) else node

    document: Document = walk(yaml.safe_load(text))
    return document


def faults(document: Document) -> list[str]:
    """Everything that is wrong with a resolved file, one sentence each."""
    found = list(_schema_faults(document))
    if found:
        return found
    for name, container in document["services"].items():
        found += [f"{name}: {fault}" for fault in _container_faults(name, container)]
    for service in SERVICES:
        found += [f"{service}: {fault}" for fault in _service_faults(service, document["services"])]
    return found


def _schema_faults(document: Document) -> Iterator[str]:
    carried = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(carried.read_text(encoding="utf-8"))
    for error in jsonschema.validators.validator_for(schema)(schema).iter_errors(document):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def _container_faults(name: str, container: Document) -> Iterator[str]:
    """Rules for every container."""
    limits = container.get("deploy", {}).get("resources", {}).get("limits", {})
    if not {"cpus", "memory", "pids"} <= limits.keys():
        yield "no limit on cpus, memory and pids"
    if not container.get("read_only") or container.get("cap_drop") != ["ALL"]:
        yield "not read-only with all capabilities dropped"
    if "no-new-privileges:true" not in container.get("security_opt", []) or container.get("privileged"):
        yield "may gain privileges"
    if ("ports" in container) != (name == "gateway"):
        yield "the gateway is the only door"
    if "build" not in container and not _PINNED.match(container["image"]):
        yield f"the version of {container['image']} is not pinned"
    if name in SERVERS and "healthcheck" not in container:
        yield "no health check"
    if not name.endswith("-prepare") and container.get("restart") != "unless-stopped":
        yield "does not come back after a crash"


def _service_faults(service: str, containers: Document) -> Iterator[str]:
    """Rules for the three containers of one of our services."""
    prepare, api, worker = (containers.get(f"{service}{suffix}", {}) for suffix in ("-prepare", "", "-worker"))
    for container, commands in (
        (prepare, [f"shared.ops services.{service} migrate", f"shared.ops services.{service} topology"]),
        (api, [f"services.{service}.main"]),
        (worker, [f"services.{service}.worker"]),
    ):
        said = " ".join(container.get("command", []))
        if not all(f"python -m {command}" in said for command in commands):
            yield f"`{said}` does not start {commands}"
        if container.get("build", {}).get("args") != {"SERVICE": service}:
            yield "its image is not built for it"
        waits = {name: wait["condition"] for name, wait in container.get("depends_on", {}).items()}
        wanted = dict.fromkeys(SERVERS, "service_healthy")
        if container is not prepare:
            wanted[f"{service}-prepare"] = "service_completed_successfully"
        if waits != wanted:
            yield f"it waits for {waits}, not for {wanted}"
        yield from _environment_faults(service, container.get("environment", {}), preparing=container is prepare)


def _environment_faults(service: str, environment: Mapping[str, str], *, preparing: bool) -> Iterator[str]:
    settings: type[ServiceSettings] = importlib.import_module(f"services.{service}.bootstrap").SERVICE.settings
    known = {name.upper(): field for name, field in settings.model_fields.items()}
    if strange := environment.keys() - known.keys():
        yield f"no setting is called {sorted(strange)}"
    required = {name for name, field in known.items() if field.is_required()}
    if missing := required - environment.keys():
        yield f"the settings {sorted(missing)} are required and not given"
    if ("MIGRATION_DATABASE_URL" in environment) != preparing:
        yield "the schema's owner belongs to the preparation and to nothing else"
    if "FAILPOINT" in environment or environment.get("ENVIRONMENT") != "production":
        yield "set up for tests"


def secret_faults(text: str) -> list[str]:
    """A secret has no default, the example names every variable, and nothing else."""
    mentioned = variables(text)
    found = [
        f"{name}: its use has neither a default nor an explanation" for name in mentioned if mentioned[name] == "bare"
    ]
    found += [
        f"{name}: a secret must be given, never defaulted"
        for name, kind in mentioned.items()
        if re.search(r"PASSWORD|SECRET|KEY|TOKEN", name) and kind != "required"
    ]
    if different := set(mentioned) ^ set(example()):
        found.append(f"the example and the file do not name the same variables: {sorted(different)}")
    return found


def main() -> int:
    text = COMPOSE.read_text(encoding="utf-8")
    # An empty value in the example stands for "off".
    document = resolved(text, example())
    found = secret_faults(text) + faults(document)
    print(*found or [f"deploy/compose.yaml: {len(document['services'])} containers, valid"], sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
