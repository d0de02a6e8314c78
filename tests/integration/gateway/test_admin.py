import subprocess
import sys
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from shared.service import plain_dsn
from tests.support.stack import Database

Admin = Callable[..., Any]


def listed(admin: Admin, client_id: str) -> dict[str, Any]:
    (found,) = [client for client in admin("client-list") if client["clientId"] == client_id]
    assert isinstance(found, dict)
    return found


def test_a_client_is_registered_once_and_its_secret_shown_once(admin: Admin):
    add = ("client-add", "--id", "vendor-1", "--name", "LMS Một", "--scope", "sync.read", "--org", "S1")
    made = admin(*add)
    assert made == {"clientId": "vendor-1", "clientSecret": made["clientSecret"], "created": True}
    assert len(made["clientSecret"]) == 43
    assert admin(*add).startswith("client.exists: ")
    assert admin(*add, "--if-missing") == {"clientId": "vendor-1", "created": False}
    assert listed(admin, "vendor-1") == {
        "clientId": "vendor-1",
        "name": "LMS Một",
        "scopes": ["sync.read"],
        "orgs": ["S1"],
        "tokenExchange": False,
        "disabled": False,
        "validSecrets": 1,
    }


async def test_the_database_holds_no_secret(new_client: Callable[..., tuple[str, str]], gateway_database: Database):
    _, secret = new_client("--scope", "sync.read")
    connection = await asyncpg.connect(plain_dsn(gateway_database.app_url))
    try:
        rows = [str(row) for row in await connection.fetch("SELECT client, client_secret FROM client, client_secret")]
    finally:
        await connection.close()
    assert rows
    assert not any(secret in row for row in rows)


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (("client-add", "--id", "a b", "--name", "x"), "", "client.id_invalid"),
        (("client-add", "--id", "c-1", "--name", "x", "--scope", "all"), "", "client.scope_unknown"),
        (("client-add", "--id", "c-1", "--name", "x", "--secret-from-stdin"), "short\n", "client.secret_weak"),
        (("client-secret-rotate", "--id", "nobody"), "", "client.unknown"),
        (("client-disable", "--id", "nobody"), "", "client.unknown"),
        (("grant-add", "--id", "nobody", "--org", "S1"), "", "client.unknown"),
        (("grant-remove", "--id", "nobody", "--org", "S1"), "", "client.unknown"),
        (("person-add", "--subject", "p", "--org", "S1", "--role", "king"), "", "person.role_unknown"),
        (("person-add", "--subject", "", "--org", "S1", "--role", "head"), "", "person.subject_invalid"),
    ],
)
def test_a_mistake_is_explained_in_both_languages_and_changes_nothing(
    admin: Admin, arguments: tuple[str, ...], stdin: str, code: str
):
    before = (admin("client-list"), admin("person-list"))
    vietnamese, english = admin(*arguments, stdin=stdin).strip().split("\n")
    assert vietnamese.startswith(f"{code}: ")
    assert english
    assert (admin("client-list"), admin("person-list")) == before


def test_grants_are_added_and_taken_back(admin: Admin, new_client: Callable[..., tuple[str, str]]):
    client_id, _ = new_client("--scope", "sync.read", "--org", "S1")
    admin("grant-add", "--id", client_id, "--org", "S2 S3", "--org", "S1")
    assert listed(admin, client_id)["orgs"] == ["S1", "S2", "S3"]
    admin("grant-remove", "--id", client_id, "--org", "S1", "--org", "S3")
    assert listed(admin, client_id)["orgs"] == ["S2"]


def test_a_person_may_be_added_twice_without_harm(admin: Admin):
    post = {"subject": "p-7", "org": "S1", "role": "head"}
    add = ("person-add", "--subject", "p-7", "--org", "S1", "--role", "head")
    assert [admin(*add) for _ in range(2)] == [post | {"created": True}, post | {"created": False}]
    assert admin("person-list").count(post) == 1


def test_help_names_every_command():
    shown = subprocess.run(
        [sys.executable, "-m", "services.gateway.admin", "--help"], capture_output=True, text=True, check=True
    )
    for command in ("client-add", "client-secret-rotate", "client-disable", "grant-add", "grant-remove", "person-add"):
        assert command in shown.stdout
