"""Ports, secrets and environments of the embedded stack."""

import json
import stat
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from deploy.local.__main__ import main
from deploy.local.environment import Surroundings
from deploy.local.errors import StackError
from deploy.local.plan import fingerprint, plan_of_services
from deploy.local.ports import SERVICES, Ports
from deploy.local.state import Secrets, State, kept_secrets


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    state = State(tmp_path / ".run")
    state.create()
    return Surroundings(Ports(9000), kept_secrets(state), state, {"PATH": "/bin", "PYTHONPATH": "elsewhere"})


def test_one_number_moves_every_port() -> None:
    assert list(Ports(9000).uses()) == [9000, 9001, 9002, 9003, 9004, 9005, 9006, 9010, 9011, 9012, 9013]


@pytest.mark.parametrize("port", [0, 80, 65530, 70000])
def test_a_port_outside_the_usable_range_is_refused(port: int) -> None:
    with pytest.raises(StackError, match="PORT must lie between"):
        Ports(port)


def test_secrets_are_made_once_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    state = State(tmp_path / ".run")
    state.create()
    first = kept_secrets(state)
    assert kept_secrets(state) == first
    for secret in (state.root / "secrets.json", state.signing_key):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert ECKey.import_key(state.signing_key.read_bytes()).is_private
    assert Secrets.generate() != first
    assert len({*first.database.values(), *first.nats.values(), first.superuser}) == 13


def test_each_service_gets_its_own_credentials_and_nobody_elses(surroundings: Surroundings) -> None:
    secrets = surroundings.secrets
    for name in SERVICES:
        environment = surroundings.of_service(name)
        assert f"{name}_app:{secrets.database[f'{name}_app']}@" in environment["DATABASE_URL"]
        assert f"{name}_owner:" in environment["MIGRATION_DATABASE_URL"]
        text = json.dumps(environment)
        for other in SERVICES:
            if other != name:
                assert secrets.database[f"{other}_app"] not in text
                assert secrets.nats[other] not in text
        assert secrets.superuser not in text
        assert ("SIGNING_KEY_FILE" in environment) is (name == "gateway")
        assert "PYTHONPATH" not in environment, "only named variables are inherited"


def test_the_plan_runs_api_and_worker_of_every_service_and_the_demo_once(surroundings: Surroundings) -> None:
    plan = plan_of_services(surroundings)
    assert [program.name for program in plan.programs] == [*SERVICES, *(f"{name}-worker" for name in SERVICES)]
    stages = [{program.argv[-1] for program in stage} for stage in plan.preparation]
    assert stages == [{"migrate"}, {"topology"}], "no stream before the tables its events come from"
    assert [occasion.program.argv[-1] for occasion in plan.occasions] == ["load", "main-job"]
    assert plan.occasions[0].program.environment["GATEWAY_URL"] == "http://127.0.0.1:9000"


def test_preparation_is_due_again_when_the_code_changed(tmp_path: Path) -> None:
    (tmp_path / "tables.py").write_text("one")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    (tmp_path / "tables.py").write_text("two")
    assert fingerprint(tmp_path) != before


def test_an_operator_command_without_a_stack_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--run-dir", str(tmp_path / "none"), "ops", "sync", "dlq-list"]) == 1
    assert "make run" in capsys.readouterr().err


def test_clean_removes_the_state_and_is_quiet_when_there_is_none(tmp_path: Path) -> None:
    state = State(tmp_path / ".run")
    assert main(["--run-dir", str(state.root), "clean"]) == 0
    state.create()
    assert main(["--run-dir", str(state.root), "clean"]) == 0
    assert not state.root.exists()
