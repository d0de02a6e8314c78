"""Rows read many at once become what each of them becomes alone."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sync.domain.blocks import NULL
from services.sync.domain.columns import Cell
from services.sync.domain.files import KEPT_FILES
from services.sync.domain.package import FilePlan
from services.sync.domain.rows import RowReader
from services.sync.domain.staged import Registry

REGISTRY = Registry({"A": "school", "B": "school", "SO": "department"})
PLAIN = ("enrollments", "roles", "demographics", "results", "resultLearningObjectiveIds")
FINE = {
    Cell.ID: ["A", "B", "k-1", "k-2"],
    Cell.DATE: ["2026-09-05", "2027-05-31"],
    Cell.BOOLEAN: ["true", "false"],
    Cell.NUMBER: ["7.5", "10", "-0.250"],
    Cell.TEXT: ["Nguyễn", "a\\b", "two\nlines", "tab\there", "{x,y}"],
}
ODD = ["", " ", " A", "á", "a b", "x" * 256, "31/02/2027", "TRUE", "7,5", "Student", "\ufffd", "a\x00b", "SO", "parent"]
STATES = ["", "", "", "active", "tobedeleted", "Active"]
INSTANTS = ["", "2026-09-05T00:00:00Z", "yesterday"]


def spec_of(name):
    return next(each for each in KEPT_FILES["1.2"] if each.name == name)


def reader(name, mode, *, lenient, quick):
    spec = spec_of(name)
    positions = {column: index for index, column in enumerate((*spec.header, "metadata.x"))}
    read = RowReader(FilePlan(spec, f"{name}.csv", mode, len(positions), positions), REGISTRY, lenient)
    if not quick:
        read._blocks = None
    return read


def cells_of(column):
    return st.sampled_from([*FINE.get(column.cell, []), *column.words, *([] if column.required else [""])])


@st.composite
def rows_of(draw, name, mode):
    """Mostly good rows, so that both ways have something to read."""
    spec, rows = spec_of(name), []
    for number in range(draw(st.integers(1, 12))):
        plain = ["active", INSTANTS[1]] if mode == "delta" else ["", ""]
        row = [f"id-{number}", *plain, *(draw(cells_of(column)) for column in spec.columns), ""]
        for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
            row[draw(st.integers(0, len(row) - 1))] = draw(st.sampled_from([*ODD, *STATES, *INSTANTS]))
        rows.append(row if draw(st.integers(0, 9)) else row[:-2])
    return list(enumerate(rows, start=2))


def text_of(value):
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def unescaped(text):
    if text == NULL:
        return text
    return text.replace("\\\\", "\x00").replace("\\n", "\n").replace("\\t", "\t").replace("\x00", "\\")


def records(block, staged):
    made = [tuple(map(unescaped, line.split("\t"))) for line in block.lines] if block else []
    for each in staged:
        values = each.values or (None,) * len(each.record.columns)
        key = (str(each.line), each.sourced_id, each.school, each.outcome, text_of(each.ended))
        made.append(key + tuple(map(text_of, values)))
    return sorted(made)


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("mode", ["bulk", "delta"])
@pytest.mark.parametrize("name", PLAIN)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_many_rows_at_once_become_what_each_becomes_alone(name, mode, lenient, data):
    rows = data.draw(rows_of(name, mode))
    quick, slow = (reader(name, mode, lenient=lenient, quick=which) for which in (True, False))
    assert quick._blocks is not None
    block, staged, problems = quick.read_many(rows)
    _, expected, expected_problems = slow.read_many(rows)
    assert records(block, staged) == records(None, expected)
    assert problems == expected_problems
    assert quick.tally == slow.tally
    assert quick.finish() == slow.finish()


def test_good_rows_go_the_quick_way_and_only_the_others_the_slow_one():
    read = reader("enrollments", "bulk", lenient=False, quick=True)
    good = ["e", "", "", "k", "A", "u", "student", "", "2026-09-05", "", ""]
    block, staged, problems = read.read_many([(2, good), (3, [*good[:4], "nowhere", *good[5:]]), (4, good), (5, None)])
    assert [line.split("\t")[0] for line in block.lines] == ["2", "4"]
    assert [each.line for each in staged] == [3]
    assert [(each.line, each.code) for each in problems] == [(3, "org.unknown"), (5, "row.unreadable")]
    assert (read.tally.read, read.tally.refused) == (4, 2)


def test_a_file_whose_rows_are_more_than_their_cells_is_read_row_by_row():
    assert reader("users", "bulk", lenient=False, quick=True)._blocks is None
