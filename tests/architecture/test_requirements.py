"""The lock files follow the pyproject files: `make lock` was run after the last change of a dependency."""

import re
import tomllib
from dataclasses import dataclass

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.sources import REPOSITORY, SERVICES

_PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)(\[.*\])?==(?P<version>[^ ;\\]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Lock:
    versions: dict[str, str]
    hashes: dict[str, int]
    direct: set[str]


def _lock(name: str) -> Lock:
    """Parse a file of uv: pins, the number of hashes of each, and which of them a pyproject asked for itself."""
    versions: dict[str, str] = {}
    hashes: dict[str, int] = {}
    direct: set[str] = set()
    current = ""
    for line in (REPOSITORY / "requirements" / f"{name}.txt").read_text().splitlines():
        if pin := _PIN.match(line):
            current = canonicalize_name(pin["name"])
            versions[current], hashes[current] = pin["version"], 0
        elif "--hash=sha256:" in line:
            hashes[current] += 1
        elif line.lstrip().startswith("#") and "pyproject.toml" in line:
            direct.add(current)
    return Lock(versions, hashes, direct)


def _wanted(path: str) -> list[Requirement]:
    document = tomllib.loads((REPOSITORY / path).read_text())
    groups = document.get("dependency-groups", {})
    texts = document["project"].get("dependencies", []) + [text for group in groups.values() for text in group]
    return [Requirement(text) for text in texts]


def _names(requirements: list[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements}


LOCKS = {
    "all": ["pyproject.toml", "shared/pyproject.toml", *(f"services/{name}/pyproject.toml" for name in SERVICES)],
    **{name: [f"services/{name}/pyproject.toml", "shared/pyproject.toml"] for name in SERVICES},
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_exactly_what_its_projects_ask_for(name):
    lock = _lock(name)
    wanted = [requirement for path in LOCKS[name] for requirement in _wanted(path)]
    assert lock.direct == _names(wanted)
    unfit = [str(one) for one in wanted if not one.specifier.contains(lock.versions[canonicalize_name(one.name)])]
    assert unfit == []


@pytest.mark.parametrize("name", [*LOCKS, "uv"])
def test_every_pin_carries_hashes_and_no_address(name):
    assert [pin for pin, count in _lock(name).hashes.items() if count == 0] == []
    assert "://" not in (REPOSITORY / "requirements" / f"{name}.txt").read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_uses_the_versions_of_the_whole_workspace(service):
    everything = _lock("all").versions
    assert {name: everything.get(name) for name in _lock(service).versions} == _lock(service).versions


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_carries_no_tool_of_the_developers(service):
    assert _names(_wanted("pyproject.toml")) & set(_lock(service).versions) == set()
