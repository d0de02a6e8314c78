"""A record as JSON text, made by PostgreSQL: ready to be sent, never an object in Python.

Empty fields are left out, booleans are strings, times are UTC with milliseconds, as OneRoster says.
"""

# ruff: noqa: S608  # statements are assembled from the tables of domain.oneroster

from collections.abc import Callable, Mapping

from services.sync.domain.oneroster import COLLECTION_OF, ROLES_OF_1_1, Field, Shape, Version
from services.sync.storage.roster import column_of

_INSTANT = """'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'"""


def document_of(version: Version, noun: str, public_url: str, wanted: frozenset[str] | None) -> str:
    """The SQL of one record's document over the row `r`, with the fields in `wanted` only."""
    at = public_url + version.base
    fields = [field for field in version.objects[noun] if wanted is None or field.name in wanted]
    values = {
        field.name: _VALUES[field.shape](field, public_url + field.base if field.base else at) for field in fields
    }
    return _object(values)


def _object(members: Mapping[str, str]) -> str:
    listed = ", ".join(f"'{name}' VALUE {value}" for name, value in members.items())
    return f"JSON_OBJECT({listed} ABSENT ON NULL)"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _link(at: str, noun: str, value: str) -> str:
    href = _quoted(f"{at}/{COLLECTION_OF[noun]}/")
    return _object({"href": f"{href} || {value}", "sourcedId": value, "type": f"'{noun}'"})


def _plain(field: Field, _at: str) -> str:
    return column_of(field)


def _instant(field: Field, _at: str) -> str:
    return f"to_char({column_of(field)} AT TIME ZONE 'UTC', {_INSTANT})"


def _boolean(field: Field, _at: str) -> str:
    return f"CAST({column_of(field)} AS text)"


def _texts(field: Field, _at: str) -> str:
    return f"to_json(NULLIF({column_of(field)}, '{{}}'))"


def _reference(field: Field, at: str) -> str:
    value = column_of(field)
    link = _link(at, field.target, value)
    return link if field.required else f"CASE WHEN {value} IS NOT NULL THEN {link} END"


def _references(field: Field, at: str) -> str:
    return f"(SELECT json_agg({_link(at, field.target, 't.id')}) FROM unnest({column_of(field)}) t(id))"


def _user_ids(field: Field, _at: str) -> str:
    entry = _object({"type": "split_part(i, ':', 1)", "identifier": "substr(i, strpos(i || ':', ':') + 1)"})
    return f"(SELECT json_agg({entry}) FROM unnest({column_of(field)}) i)"


_ROLE_ROWS = "FROM role x WHERE x.user_sourced_id = r.sourced_id"
_ROLE_ORDER = "ORDER BY x.role_type, x.school_sourced_id, x.role"


def _of_roles(aggregate: str) -> str:
    """Over the active roles in scope; of a user who has none, over the ended ones."""
    active = f"(SELECT {aggregate} {_ROLE_ROWS} AND x.status = 'active')"
    return f"COALESCE({active}, (SELECT {aggregate} {_ROLE_ROWS}))"


def _roles(_field: Field, at: str) -> str:
    role = _object(
        {
            "roleType": "x.role_type",
            "role": "x.role",
            "org": _link(at, "org", "x.school_sourced_id"),
            "beginDate": "x.begin_date",
            "endDate": "x.end_date",
        }
    )
    return f"COALESCE({_of_roles(f'json_agg({role} {_ROLE_ORDER})')}, '[]'::json)"


def _role_of_1_1(_field: Field, _at: str) -> str:
    """The first role, primary ones before secondary ones, in the words of 1.1."""
    cases = " ".join(f"WHEN '{role}' THEN '{word}'" for role, word in ROLES_OF_1_1.items())
    return f"(CASE {_of_roles(f'(array_agg(x.role {_ROLE_ORDER}))[1]')} {cases} ELSE 'aide' END)"


def _orgs_of_1_1(field: Field, at: str) -> str:
    link = _link(at, field.target, "o.id")
    orgs = _of_roles("array_agg(DISTINCT x.school_sourced_id ORDER BY x.school_sourced_id)")
    return f"COALESCE((SELECT json_agg({link} ORDER BY o.id) FROM unnest({orgs}) o(id)), '[]'::json)"


_VALUES: Mapping[Shape, Callable[[Field, str], str]] = {
    Shape.TEXT: _plain,
    Shape.DATE: _plain,
    Shape.INSTANT: _instant,
    Shape.BOOLEAN: _boolean,
    Shape.TEXTS: _texts,
    Shape.REFERENCE: _reference,
    Shape.REFERENCES: _references,
    Shape.USER_IDS: _user_ids,
    Shape.ROLES: _roles,
    Shape.ROLE_OF_1_1: _role_of_1_1,
    Shape.ORGS_OF_1_1: _orgs_of_1_1,
    Shape.NUMBER: _plain,
    Shape.JSON: _plain,
}
