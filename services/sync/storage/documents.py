"""A record as JSON text, made by PostgreSQL: ready to be sent, never an object in Python.

Empty fields are left out, booleans are strings, times are UTC with milliseconds, as OneRoster says.
"""

# statements are assembled from the tables of domain.oneroster

from collections.abc import Callable, Mapping

from services.sync.domain.oneroster import COLLECTION_OF, ROLES_OF_1_1, Field, Shape, Version
from services.sync.storage.roster import column_of

_INSTANT = r"""'\"YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\"'"""


def document_of(version: Version, noun: str, public_url: str, wanted: frozenset[str] | None) -> str:
    """The SQL of one record's document, a text, over the row `r`, with the fields in `wanted` only."""
    at = public_url + version.base
    fields = [field for field in version.objects[noun] if wanted is None or field.name in wanted]
    values = {
        field.name: _VALUES[field.shape](field, public_url + field.base if field.base else at) for field in fields
    }
    return _object(values) if "sourcedId" in values else _selection(values)


def _selection(members: Mapping[str, str]) -> str:
    """Any fields of a record, none of which needs to be there."""
    if not members:
        return "'{}'"
    listed = " || ".join(f"""COALESCE(',"{name}":' || {value}, '')""" for name, value in members.items())
    return f"('{{' || substr({listed}, 2) || '}}')"


def _object(members: Mapping[str, str]) -> str:
    """JSON text put together by hand, faster than JSON_OBJECT.

    `members` are JSON texts; NULL leaves one out, but for the first, which never is NULL.
    """
    (first, value), *others = members.items()
    rest = "".join(f""" || COALESCE(',"{name}":' || {value}, '')""" for name, value in others)
    return f"""('{{"{first}":' || {value}{rest} || '}}')"""


def _array(element: str, rows: str, order: str = "") -> str:
    """The elements as a JSON array; NULL when there is none."""
    return f"(SELECT '[' || string_agg({element}, ',' {order}) || ']' {rows})"


def _json(value: str) -> str:
    return f"to_json({value})::text"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _link(at: str, noun: str, value: str) -> str:
    href = _quoted(f"{at}/{COLLECTION_OF[noun]}/")
    return _object({"href": _json(f"({href} || {value})"), "sourcedId": _json(value), "type": f"""'"{noun}"'"""})


def _plain(field: Field, _at: str) -> str:
    return _json(column_of(field))


def _instant(field: Field, _at: str) -> str:
    return f"to_char({column_of(field)} AT TIME ZONE 'UTC', {_INSTANT})"


def _boolean(field: Field, _at: str) -> str:
    return f"""('"' || CAST({column_of(field)} AS text) || '"')"""


def _texts(field: Field, _at: str) -> str:
    return _json(f"NULLIF({column_of(field)}, '{{}}')")


def _reference(field: Field, at: str) -> str:
    value = column_of(field)
    link = _link(at, field.target, value)
    return link if field.required else f"CASE WHEN {value} IS NOT NULL THEN {link} END"


def _references(field: Field, at: str) -> str:
    return _array(_link(at, field.target, "t.id"), f"FROM unnest({column_of(field)}) t(id)")


def _user_ids(field: Field, _at: str) -> str:
    kind, identifier = _json("split_part(i, ':', 1)"), _json("substr(i, strpos(i || ':', ':') + 1)")
    return _array(_object({"type": kind, "identifier": identifier}), f"FROM unnest({column_of(field)}) i")


_ROLE_ROWS = "FROM role x WHERE x.user_sourced_id = r.sourced_id"
_ACTIVE_ROLE_ROWS = f"{_ROLE_ROWS} AND x.status = 'active'"
_ROLE_ORDER = "ORDER BY x.role_type, x.school_sourced_id, x.role"


def _of_roles(selected: Callable[[str], str]) -> str:
    """Over the active roles in scope; of a user who has none, over the ended ones."""
    return f"COALESCE({selected(_ACTIVE_ROLE_ROWS)}, {selected(_ROLE_ROWS)})"


def _roles(_field: Field, at: str) -> str:
    role = _object(
        {
            "roleType": _json("x.role_type"),
            "role": _json("x.role"),
            "org": _link(at, "org", "x.school_sourced_id"),
            "beginDate": _json("x.begin_date"),
            "endDate": _json("x.end_date"),
        }
    )
    return f"COALESCE({_of_roles(lambda rows: _array(role, rows, _ROLE_ORDER))}, '[]')"


def _role_of_1_1(_field: Field, _at: str) -> str:
    """The first role, primary ones before secondary ones, in the words of 1.1."""
    cases = " ".join(f"WHEN '{role}' THEN '{word}'" for role, word in ROLES_OF_1_1.items())
    first = _of_roles(lambda rows: f"(SELECT (array_agg(x.role {_ROLE_ORDER}))[1] {rows})")
    return _json(f"(CASE {first} {cases} ELSE 'aide' END)")


def _orgs_of_1_1(field: Field, at: str) -> str:
    each_once = "array_agg(DISTINCT x.school_sourced_id ORDER BY x.school_sourced_id)"
    orgs = _of_roles(lambda rows: f"(SELECT {each_once} {rows})")
    listed = _array(_link(at, field.target, "o.id"), f"FROM unnest({orgs}) o(id)", "ORDER BY o.id")
    return f"COALESCE({listed}, '[]')"


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
