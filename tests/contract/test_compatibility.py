import copy
import json
import subprocess

import pytest

from tests.architecture.sources import REPOSITORY, name_of
from tests.contract.compatibility import breaking_changes
from tests.contract.events import event_types, schema_of
from tests.contract.snapshots import EVENTS

OLD = {
    "$defs": {
        "Part": {"type": "object", "properties": {"grade": {"type": "string"}}, "required": ["grade"]},
    },
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "count": {"type": "integer", "minimum": 0, "description": "How many."},
        "kind": {"enum": ["school", "commune"], "type": "string"},
        "until": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
    },
    "required": ["id", "count"],
}


def _changed(change):
    new = copy.deepcopy(OLD)
    change(new)
    return breaking_changes(OLD, new)


def _optional(new):
    new["properties"]["note"] = {"type": "string", "default": ""}


def _optional_deep(new):
    new["$defs"]["Part"]["properties"]["level"] = {"type": "string"}


def _new_wording(new):
    new["properties"]["count"]["description"] = "Learners."
    new["title"] = "Better"


def _renamed_definition(new):
    new["$defs"] = {"Share": new["$defs"]["Part"]}
    new["properties"]["parts"]["items"] = {"$ref": "#/$defs/Share"}


def _same_values_in_another_order(new):
    new["properties"]["kind"]["enum"] = ["commune", "school"]


@pytest.mark.parametrize(
    "change", [_optional, _optional_deep, _new_wording, _renamed_definition, _same_values_in_another_order]
)
def test_optional_fields_and_better_words_may_be_added(change):
    assert _changed(change) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda new: new["properties"].pop("kind"), "/kind: removed"),
        (lambda new: new["properties"]["id"].update(type="integer"), "/id: type 'string' became 'integer'"),
        (lambda new: new["properties"]["id"].pop("format"), "/id: format 'uuid' became None"),
        (lambda new: new["required"].append("kind"), "/kind: was optional, and no longer is"),
        (lambda new: new["required"].remove("count"), "/count: was required, and no longer is"),
        (
            lambda new: (new["properties"].update(note={"type": "string"}), new["required"].append("note")),
            "/note: new and required",
        ),
        (lambda new: new["properties"]["kind"]["enum"].pop(), "/kind: enum ['commune', 'school'] became ['school']"),
        (
            lambda new: new["properties"]["kind"]["enum"].append("cluster"),
            "/kind: enum ['commune', 'school'] became ['cluster', 'commune', 'school']",
        ),
        (lambda new: new["properties"]["count"].update(minimum=1), "/count: minimum 0 became 1"),
        (lambda new: new["properties"]["until"]["anyOf"].pop(), "/until/anyOf: 2 alternatives became 1"),
        (
            lambda new: new["$defs"]["Part"]["properties"]["grade"].update(type="integer"),
            "/parts/items/grade: type 'string' became 'integer'",
        ),
        (lambda new: new["$defs"]["Part"]["properties"].pop("grade"), "/parts/items/grade: removed"),
    ],
)
def test_anything_else_needs_a_new_version(change, fault):
    assert _changed(change) == [fault]


def _versions(path):
    """The texts of a snapshot in Git's history, newest first; nothing outside a clone."""
    log = subprocess.run(
        ["git", "log", "--format=%H", "--", name_of(path)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    for commit in log.stdout.split():
        shown = subprocess.run(
            ["git", "show", f"{commit}:{name_of(path)}"], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        if shown.returncode == 0:
            yield json.loads(shown.stdout)


@pytest.mark.parametrize("kind", event_types())
def test_an_event_can_be_read_by_everyone_who_could_read_it_before(kind):
    now = schema_of(event_types()[kind])
    assert [breaking_changes(before, now) for before in _versions(EVENTS / f"{kind}.json") if before != now] == []
