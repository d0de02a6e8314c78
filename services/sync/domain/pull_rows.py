"""What a record of a OneRoster REST provider is as a row of a OneRoster 1.2.1 CSV file.

A provider of 1.1 is written as 1.2: its one `role` and its `orgs` become rows of roles.csv. Fields the education
database has no use for (telephone, agents, password) stay empty: minimal data.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.sync.domain.columns import ENROLLMENT_ROLE_IN_1_2, FAMILY_ROLES, ROLE_IN_1_2
from services.sync.domain.files import files_of

Json = Mapping[str, Any]
Row = dict[str, str]
GONE = "tobedeleted"
FILES = ("orgs", "academicSessions", "courses", "classes", "users", "roles", "enrollments")
HEADERS: Mapping[str, tuple[str, ...]] = {name: files_of("1.2")[name].header for name in FILES}

# CSV column: name in JSON, where the two differ.
_RENAMED = {
    "preferredGivenName": "preferredFirstName",
    "preferredMiddleName": "preferredMiddleName",
    "preferredFamilyName": "preferredLastName",
}
_REFERENCES = {
    "parentSourcedId": "parent",
    "schoolYearSourcedId": "schoolYear",
    "orgSourcedId": "org",
    "courseSourcedId": "course",
    "schoolSourcedId": "school",
    "classSourcedId": "class",
    "userSourcedId": "user",
    "primaryOrgSourcedId": "primaryOrg",
}
_NEVER = frozenset({"sms", "phone", "agentSourcedIds", "password", "pronouns", "userProfileSourcedId"})


def reference(value: Any) -> str:
    """The sourcedId of a `{href, sourcedId, type}`; empty without one."""
    return str(value.get("sourcedId") or "") if isinstance(value, Mapping) else ""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        # A comma inside an item would make two of it.
        return ",".join(_cell(item).replace(",", ";") for item in value if item is not None)
    return str(value)


def _references(value: Any) -> str:
    return ",".join(filter(None, map(reference, value))) if isinstance(value, list) else ""


def _user_ids(value: Any) -> str:
    pairs = [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
    written = [(str(each.get("type") or ""), str(each.get("identifier") or "")) for each in pairs]
    return ",".join(
        f"{{{kind}:{name}}}" for kind, name in written if kind and name and not set("{},") & set(kind + name)
    )


_SPECIAL: Mapping[str, Callable[[Json], str]] = {
    "termSourcedIds": lambda record: _references(record.get("terms")),
    "userIds": lambda record: _user_ids(record.get("userIds")),
}


def row_of(file: str, record: Json, changed: str | None) -> Row:
    """The cells of a record.

    `changed` is None in a bulk file, which leaves status and time empty; in a delta it stands in for a record without
    `dateLastModified`.
    """
    row = {"sourcedId": str(record["sourcedId"])}
    if changed is not None:
        row |= _state(record, changed)
        if row["status"] == GONE:
            return row
    for name in HEADERS[file][3:]:
        if name in _NEVER:
            continue
        if name in _SPECIAL:
            row[name] = _SPECIAL[name](record)
        elif name in _REFERENCES:
            row[name] = reference(record.get(_REFERENCES[name]))
        else:
            row[name] = _cell(record.get(_RENAMED.get(name, name)))
    if file == "enrollments":
        row["role"] = ENROLLMENT_ROLE_IN_1_2.get(row["role"], row["role"])
    return row


def _state(record: Json, changed: str) -> Row:
    status = GONE if is_gone(record) else "active"
    return {"status": status, "dateLastModified": str(record.get("dateLastModified") or changed)}


def is_gone(record: Json) -> bool:
    return record.get("status") == GONE


@dataclass(frozen=True, slots=True)
class Held:
    """A role a person holds at a school. `key` is what makes it the same role as one that is already there."""

    user: str
    school: str
    role: str
    kind: str = "primary"
    begin: str = ""
    end: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.user, self.school, self.role

    def row(self, sourced_id: str) -> Row:
        names = {"userSourcedId": self.user, "roleType": self.kind, "role": self.role, "orgSourcedId": self.school}
        return {"sourcedId": sourced_id, **names, "beginDate": self.begin, "endDate": self.end}

    @property
    def made_id(self) -> str:
        """As an upload of 1.1 makes it."""
        return f"{self.user}/{self.school}/{self.role}"


def roles_of(user: Json, schools: Iterable[str]) -> list[Held]:
    """The roles of a user at `schools`, each once, those of the family left out (minimal data)."""
    wanted = set(schools)
    found: dict[tuple[str, str, str], Held] = {}
    for held in _every_role(user):
        if held.school in wanted and held.role not in FAMILY_ROLES:
            found.setdefault(held.key, held)
    return list(found.values())


def _every_role(user: Json) -> Iterable[Held]:
    name = str(user["sourcedId"])
    if isinstance(user.get("roles"), list):
        for each in user["roles"]:
            if isinstance(each, Mapping):
                dates = _cell(each.get("beginDate")), _cell(each.get("endDate"))
                kind = _cell(each.get("roleType")) or "primary"
                yield Held(name, reference(each.get("org")), _cell(each.get("role")), kind, *dates)
        return
    role = ROLE_IN_1_2.get(_cell(user.get("role")), _cell(user.get("role")))
    orgs = user.get("orgs")
    for number, org in enumerate(orgs if isinstance(orgs, list) else ()):
        yield Held(name, reference(org), role, "primary" if number == 0 else "secondary")
