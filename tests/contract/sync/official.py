"""The official OneRoster 1.2 OpenAPI files, which stay outside the repository, as the oracle of the provider's answers.

What the files leave open or get wrong is settled here and nowhere else:

- Formats: `date-time` must be UTC with `Z` (the files say so in words: "MUST contain the UTC timezone"), `uri` must be
  absolute; JSON Schema would only annotate them. `int32` and `float` are sizes, not shapes, and are left alone.
- `source` of a learning objective has a pattern that was written as a regular expression literal: its leading `/` is
  not part of the value.
- The members of a set are not required, though a set without its list says nothing: the one list is required here.
- With `fields` a record holds what was asked for, so the required members are lifted for such an answer only.
- OAuth scopes of an operation are listed in one requirement but each of them opens it (the binding's table of scopes).
- 1.2 has no word for a bad sort field except in the resources service: elsewhere it is an invalid filter field.
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator, FormatChecker

FOLDER = Path(__file__).parents[4] / "shared/data/oneroster/openapi"
FILES = {"rostering": "rosters", "gradebook": "gradebook", "resources": "resources"}
_FORMATS = FormatChecker()


@_FORMATS.checks("date-time")
def _is_utc(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is not None


@_FORMATS.checks("uri")
def _is_absolute(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


@cache
def document(service: str) -> dict[str, Any]:
    """The official file of a service, settled; skips loudly where the data folder is absent (a public clone)."""
    path = FOLDER / f"onerosterv1p2{FILES[service]}service_openapi3_v1p0.json"
    if not path.exists():
        pytest.skip(f"NOTICE: the official OneRoster {service} file is not here; its check did not run")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name, schema in found["components"]["schemas"].items():
        if "SetDType" in name and name != "LearningObjectiveSetDType":
            schema["required"] = list(schema["properties"])
        for each in schema.get("properties", {}).get("source", {}).get("anyOf", ()):
            if "pattern" in each:
                each["pattern"] = each["pattern"].replace("^/", "^")
    return found


@dataclass(frozen=True)
class Official:
    """One reading operation of an official file."""

    service: str
    path: str

    def __str__(self) -> str:
        return f"{self.service}{self.path}"

    @property
    def _operation(self) -> dict[str, Any]:
        found: dict[str, Any] = document(self.service)["paths"][self.path]["get"]
        return found

    @property
    def base(self) -> str:
        return f"/ims/oneroster/{self.service}/v1p2"

    @property
    def name(self) -> str:
        return str(self._operation["operationId"])

    @property
    def is_single(self) -> bool:
        return self.path.endswith("/{sourcedId}")

    @property
    def parents(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(*self._operation["security"][0].values())

    @property
    def wrapper(self) -> str:
        (name,) = self._schema("200")["properties"]
        return str(name)

    @property
    def record(self) -> dict[str, Any]:
        """The schema of one record."""
        member = self._schema("200")["properties"][self.wrapper]
        return self._resolved(member if self.is_single else member["items"])

    def properties(self) -> dict[str, dict[str, Any]]:
        """The fields of a record, each resolved one step."""
        return {name: self._resolved(each) for name, each in self.record["properties"].items()}

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        reference = schema.get("$ref")
        if reference is None:
            return schema
        found: dict[str, Any] = document(self.service)["components"]["schemas"][reference.rpartition("/")[2]]
        return found

    def _schema(self, status: str) -> dict[str, Any]:
        responses = self._operation["responses"]
        answer = responses.get(status, responses["default"])
        return self._resolved(answer["content"]["application/json"]["schema"])

    def validate(self, status: int, body: Any, *, selected: bool = False) -> None:
        """`selected`: the request named `fields`."""
        self._validator(str(status), selected).validate(body)

    @cache  # noqa: B019  # an operation is a key of a few bytes, of which there are 65
    def _validator(self, status: str, selected: bool) -> Draft202012Validator:  # noqa: FBT001  # a key of the cache
        components = document(self.service)["components"]
        if selected:
            components = copy.deepcopy(components)
            components["schemas"][self._name_of_record()].pop("required")
        answer = self._operation["responses"].get(status, self._operation["responses"]["default"])
        whole = {
            "$ref": "#/$defs/answer",
            "$defs": {"answer": answer["content"]["application/json"]["schema"]},
            "components": components,
        }
        return Draft202012Validator(whole, format_checker=_FORMATS)

    def _name_of_record(self) -> str:
        member = self._schema("200")["properties"][self.wrapper]
        return str((member if self.is_single else member["items"])["$ref"]).rpartition("/")[2]


def operations(service: str) -> Iterator[Official]:
    """Every reading operation of the official file of a service."""
    for path, verbs in sorted(document(service)["paths"].items()):
        if "get" in verbs:
            yield Official(service, path)


def every_scope() -> list[str]:
    """Every scope the three files name for reading."""
    return sorted({scope for service in FILES for each in operations(service) for scope in each.scopes})
