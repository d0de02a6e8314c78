"""Fills an empty installation once: clients and persons by the operator's command, the org tree by API."""

import contextlib
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

from deploy.demo.city import DEPARTMENT, PERSONS, SCHOOLS, UNGRANTED_SCHOOL, orgs
from deploy.demo.client import SUBJECT_TOKEN_TYPE, Gateway, RefusedError
from services.gateway import admin

_VIETNAM = dt.timezone(dt.timedelta(hours=7))
_ONEROSTER = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
_READ_ROSTERS = (f"{_ONEROSTER}roster-core.readonly", f"{_ONEROSTER}roster.readonly")

# role of the client in `.run/demo.json` -> (client id, name, scopes, granted orgs, may speak for persons)
CLIENTS: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...], bool]] = {
    "vendor": (
        "lms-mau",
        "Nhà cung cấp LMS (mẫu)",
        ("sync.import", "sync.read", *_READ_ROSTERS),
        tuple(school.sourced_id for school in SCHOOLS if school is not UNGRANTED_SCHOOL),
        False,
    ),
    "department": (
        "so-gddt-he-thong",
        "Hệ thống của Sở GDĐT (mẫu)",
        ("sync.read", "sync.orgs", "materials.read", "reporting.read", "reporting.manage", *_READ_ROSTERS),
        (DEPARTMENT,),
        False,
    ),
    "portal": (
        "quanly",
        "Cổng quanly (mẫu)",
        ("sync.read", "materials.read", "reporting.read", *_READ_ROSTERS),
        (DEPARTMENT,),
        True,
    ),
}


def load(gateway: str, target: Path) -> None:
    """Write `.run/demo.json` and make the city. Safe to repeat: what is there stays, secrets are replaced."""
    clients = {role: _register_client(*client) for role, client in CLIENTS.items()}
    for subject, org, role in PERSONS.values():
        _operate("person-add", "--subject", subject, "--org", org, "--role", role)
    document = {
        "gateway": gateway,
        "clients": clients,
        "tokenExchange": {"client": "portal", "subjectTokenType": SUBJECT_TOKEN_TYPE},
        "users": {name: {"subject": subject, "org": org} for name, (subject, org, _) in PERSONS.items()},
        "schools": [{"sourcedId": each.sourced_id, "name": each.name, "level": each.level} for each in SCHOOLS],
        "mainJob": {},
    }
    write(target, document)
    with Gateway(document) as connection:
        department = connection.client("department")
        for unit in orgs():
            body = {name: value for name, value in unit.items() if name != "sourcedId"}
            department.send("PUT", f"/sync/v1/orgs/{unit['sourcedId']}", json=body)
    print(f"  {len(clients)} hệ thống kết nối, {len(PERSONS)} người dùng, {len(orgs())} đơn vị ({len(SCHOOLS)} trường)")


def write(target: Path, document: dict[str, Any]) -> None:
    """Replace the file in one step; it holds secrets, so only its owner reads it."""
    fresh = target.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")
    fresh.replace(target)


def school_year(today: dt.date) -> int:
    """The ending year of the school year `today` lies in or, in summer, of the one to come (from August on)."""
    return today.year + (today.month >= 8)


def today() -> dt.date:
    return dt.datetime.now(_VIETNAM).date()


def deadline() -> dt.datetime:
    """16:00 in Vietnam, thirty days from now."""
    return dt.datetime.combine(today() + dt.timedelta(days=30), dt.time(16), _VIETNAM)


def _register_client(
    client_id: str,
    name: str,
    scopes: tuple[str, ...],
    granted: tuple[str, ...],
    speaks: bool,  # noqa: FBT001  # a row
) -> dict[str, str]:
    options = [word for scope in scopes for word in ("--scope", scope)]
    options += [word for org in granted for word in ("--org", org)]
    options += ["--token-exchange"] if speaks else []
    answer = _operate("client-add", "--id", client_id, "--name", name, "--if-missing", *options)
    if "clientSecret" not in answer:  # a loading that was cut off had registered it already
        answer = _operate("client-secret-rotate", "--id", client_id)
    return {"clientId": client_id, "clientSecret": answer["clientSecret"]}


def _operate(*arguments: str) -> dict[str, Any]:
    """The operator's command, in this process: ten starts of an interpreter would take longer than the main job."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = admin.main(list(arguments))
    if status:
        raise RefusedError(f"services.gateway.admin {arguments[0]} ended with status {status}")
    answer: dict[str, Any] = json.loads(printed.getvalue())
    return answer
