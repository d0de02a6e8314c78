import copy
import json

import pytest
import yaml

from deploy.local.nats import permissions
from services.materials.settings import MaterialsSettings
from tests.architecture import compose
from tests.architecture.sources import REPOSITORY, SERVICES

TEXT = compose.COMPOSE.read_text()
NATS = (REPOSITORY / "deploy" / "nats.conf").read_text()


@pytest.fixture
def document():
    return copy.deepcopy(compose.resolved(TEXT, compose.example()))


def test_the_file_and_its_example_are_right(document):
    assert compose.secret_faults(TEXT) == []
    assert compose.faults(document) == []


@pytest.mark.parametrize("name", [name for name, kind in compose.variables(TEXT).items() if kind == "required"])
def test_nothing_starts_while_a_secret_is_missing(name):
    with pytest.raises(compose.UnsetError, match=name):
        compose.resolved(TEXT, compose.example() | {name: ""})


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda c: c["sync"].update(comand=[]), "comand"),
        (lambda c: c["sync"].update(ports=["8001:8000"]), "sync: the gateway is the only door"),
        (lambda c: c["nats"].update(image="nats:latest"), "nats: the version of nats:latest is not pinned"),
        (lambda c: c["postgres"].pop("deploy"), "postgres: no limit on cpus, memory and pids"),
        (lambda c: c["materials"].update(read_only=False), "materials: not read-only with all capabilities dropped"),
        (lambda c: c["materials"].update(security_opt=[]), "materials: may gain privileges"),
        (lambda c: c["postgres"].pop("healthcheck"), "postgres: no health check"),
        (lambda c: c["gateway"].update(restart="no"), "gateway: does not come back after a crash"),
        (lambda c: c["sync"].update(command=["python", "-m", "services.sync.worker"]), "does not start"),
        (lambda c: c["sync-worker"]["depends_on"].pop("sync-prepare"), "sync: it waits for"),
        (lambda c: c["sync"]["build"].update(args={"SERVICE": "gateway"}), "sync: its image is not built for it"),
        (lambda c: c["reporting"]["environment"].update(NAT_URL="x"), "reporting: no setting is called ['NAT_URL']"),
        (lambda c: c["gateway"]["environment"].pop("SYNC_URL"), "gateway: the settings ['SYNC_URL'] are required"),
        (lambda c: c["sync"]["environment"].update(FAILPOINT="x"), "sync: set up for tests"),
        (
            lambda c: c["sync"]["environment"].update(MIGRATION_DATABASE_URL="x"),
            "sync: the schema's owner belongs to the preparation",
        ),
    ],
)
def test_a_mistake_in_the_file_is_found(document, damage, fault):
    damage(document["services"])
    found = compose.faults(document)
    assert any(fault in one for one in found), found


def test_a_secret_with_a_default_is_found():
    weak = TEXT.replace("${POSTGRES_PASSWORD:?see deploy/env/create.sh}", "${POSTGRES_PASSWORD:-secret}")
    assert compose.secret_faults(weak) == ["POSTGRES_PASSWORD: a secret must be given, never defaulted"]


def test_a_variable_without_an_example_is_found():
    assert compose.secret_faults(TEXT + "# ${NEW_THING:-}") == [
        "the example and the file do not name the same variables: ['NEW_THING']"
    ]


def test_acknowledged_events_survive_a_power_cut():
    assert "sync_interval: always" in NATS
    assert "max_file_store" in NATS


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_do_in_compose_what_it_may_do_in_the_embedded_stack(service):
    start = NATS.index(f"user: {service}, password: ${service.upper()}_NATS_PASSWORD")
    block = NATS[start:]
    granted = {}
    for kind in ("publish", "subscribe"):
        place = block.index(f"{kind}: {{ allow: [")
        opened = block.index("[", place)
        granted[kind] = {"allow": json.loads(block[opened : block.index("]", opened) + 1])}
    assert granted == permissions(service)


def test_the_file_for_a_bucket_sets_what_the_service_reads_at_services_that_are_there():
    whole, bucket = (
        yaml.safe_load((REPOSITORY / "deploy" / name).read_text()) for name in ("compose.yaml", "compose.s3.yaml")
    )
    assert bucket["services"].keys() == {"materials", "materials-worker"}
    assert bucket["services"].keys() <= whole["services"].keys()
    for service in bucket["services"].values():
        assert {name.lower() for name in service["environment"]} <= MaterialsSettings.model_fields.keys()
