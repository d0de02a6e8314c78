"""The contracts in pyproject.toml bite: each is broken once in a small tree of empty modules."""

import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import REPOSITORY, SERVICES

LINT = Path(sysconfig.get_path("scripts")) / "lint-imports"
CONFIGURATION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in CONFIGURATION["contracts"]}
ROOMS = ["main", "worker", "bootstrap", "settings", "api", "usecases", "storage", "domain"]
SHARED = {path.stem for path in (REPOSITORY / "shared").iterdir() if path.stem[0] != "_" and path.suffix in {"", ".py"}}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Every service and shared/ with their rooms, all empty."""
    root = tmp_path_factory.mktemp("tree")
    (root / "pyproject.toml").write_text((REPOSITORY / "pyproject.toml").read_text())
    packages = [f"services/{name}/{room}" for name in SERVICES for room in ROOMS]
    packages += ["services/gateway/admin", "services/gateway/proxy", *(f"shared/{name}" for name in SHARED)]
    for package in packages:
        folder = root / package
        folder.mkdir(parents=True)
        for place in (folder, folder.parent, folder.parent.parent):
            if place != root:
                (place / "__init__.py").touch()
    # The one place that may.
    (root / "shared/messaging/bus.py").write_text("import nats\n")
    return root


def _lint(root, *arguments):
    done = subprocess.run(
        [LINT, "--no-logo", "--no-cache", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_tree_that_keeps_the_rules_passes(tree):
    code, said = _lint(tree)
    assert code == 0, said


@pytest.mark.parametrize(
    ("contract", "file", "line"),
    [
        ("layers", "services/sync/domain/rule.py", "import services.sync.storage"),
        ("layers", "services/sync/usecases/commit.py", "import services.sync.api"),
        ("layers", "services/materials/api/routes.py", "import services.materials.settings"),
        ("layers", "services/reporting/surprise.py", ""),
        ("gateway-layers", "services/gateway/proxy/forward.py", "import services.gateway.bootstrap"),
        ("gateway-layers", "services/gateway/proxy/forward.py", "import services.gateway.api"),
        ("independent", "services/sync/storage/rows.py", "import services.materials.storage"),
        ("shared-below", "shared/db/rows.py", "import services.sync"),
        ("pure-domain", "services/sync/domain/rule.py", "import pydantic"),
        ("pure-domain", "services/gateway/domain/rule.py", "import shared.db"),
        ("usecases-without-web", "services/sync/usecases/commit.py", "import fastapi"),
        ("usecases-without-web", "services/sync/storage/rows.py", "import shared.http"),
        ("one-bus", "services/sync/usecases/commit.py", "import nats"),
        ("one-bus", "shared/worker/loop.py", "import nats"),
        ("plain-contracts", "shared/contracts/sync_v1.py", "import shared.ids"),
    ],
)
def test_a_tree_that_breaks_a_rule_is_refused(tree, contract, file, line):
    path = tree / file
    path.write_text(line + "\n")
    try:
        code, said = _lint(tree, "--contract", contract)
    finally:
        path.unlink()
    assert code != 0, said


def test_the_lists_of_forbidden_modules_name_all_of_shared():
    forbidden = {
        name: {module for module in CONTRACTS[name]["forbidden_modules"] if module.startswith("shared.")}
        for name in ("plain-contracts", "pure-domain")
    }
    assert forbidden["plain-contracts"] == {f"shared.{name}" for name in SHARED - {"contracts"}}
    assert forbidden["pure-domain"] == {f"shared.{name}" for name in SHARED - {"errors", "ids", "clock"}}
