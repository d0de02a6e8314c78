"""A row as a line of JSON is staged as the row of a CSV is; a line that is none is told apart."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync.domain.ndjson import LineReader, kind_of, plan_lines
from services.sync.domain.objects import SPECS, ObjectReader
from services.sync.domain.rows import RowReader
from services.sync.domain.staged import Registry

REGISTRY = Registry({"A": "school", "SO": "department"})
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), max_size=12)
CELLS = st.one_of(
    TEXT,
    st.sampled_from(["A", "true", "false", "student", "primary", "2026-09-05", "05/09/2026", "7.5", "x,y"]),
)


@pytest.mark.parametrize("collection", ["classes", "users", "roles", "enrollments", "results", "demographics"])
@given(data=st.data())
def test_a_line_is_staged_as_the_row_of_the_same_cells(collection, data):
    """Objects leave out what is empty; cells of a list are one text in both."""
    reader = ObjectReader(SPECS[collection], "bulk")
    names = reader.spec.header
    cells = [data.draw(st.sampled_from(["id-1", ""])), "", "", *(data.draw(CELLS) for _ in names[3:])]
    record = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
    line = json.dumps({"type": collection, "record": record}).encode()
    row, problems = LineReader(reader, lenient=False).row_of(line, 7)
    assert problems == []
    by_line = RowReader(reader.plan, REGISTRY, lenient=False)
    by_row = RowReader(reader.plan, REGISTRY, lenient=False)
    assert by_line.read_many([(7, row)]) == by_row.read_many([(7, cells)])
    assert by_line.tally == by_row.tally


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reading_of_a_line(line):
    assert isinstance(kind_of(line), str)
    reader = LineReader(ObjectReader(SPECS["classes"], "delta"), lenient=True)
    row, problems = reader.row_of(line, 1)
    assert row is not None or [each.code for each in problems] == ["ndjson.unreadable"]


@given(st.dictionaries(TEXT, st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | TEXT, st.lists)))
def test_no_object_breaks_the_reading_of_a_record(record):
    line = json.dumps({"type": "users", "record": {"sourcedId": "u", **record}}).encode()
    reader = ObjectReader(SPECS["users"], "delta")
    row, problems = LineReader(reader, lenient=False).row_of(line, 1)
    rows = RowReader(reader.plan, REGISTRY, lenient=False)
    _, staged, _ = rows.read_many([(1, row)])
    assert (rows.tally.read, len(staged)) == (1, int(row is not None)), problems


def test_without_a_manifest_types_are_deltas_and_a_manifest_names_modes():
    assert plan_lines({}, ["classes", "nothing"]).modes["classes"] == "delta"
    named = plan_lines({"": "bulk", "users": "delta"}, ["classes"])
    assert (named.modes["classes"], named.modes["users"], named.modes["roles"]) == ("bulk", "delta", "absent")
