import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.materials.api.ranges import ByteRange, UnsatisfiableRangeError, wanted_range

SIZE = 100


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 200))
def test_a_range_never_leaves_the_file(first, last, size):
    for header in (f"bytes={first}-{last}", f"bytes={first}-", f"bytes=-{last}"):
        try:
            found = wanted_range(header, size)
        except UnsatisfiableRangeError:
            continue
        if found is not None:
            assert found.length > 0
            assert 0 <= found.start < size
            assert found.start + found.length <= size


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=1-2,4-5", None),
        ("pages=1-2", None),
        ("bytes=" + "9" * 30 + "-", None),
        ("bytes=0-0", ByteRange(0, 1)),
        ("BYTES=10-19", ByteRange(10, 10)),
        ("bytes=-10", ByteRange(90, 10)),
        ("bytes=-1000", ByteRange(0, 100)),
        ("bytes=99-", ByteRange(99, 1)),
    ],
)
def test_one_well_formed_range_is_taken_and_anything_else_ignored(header, expected):
    assert wanted_range(header, SIZE) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_is_not_satisfiable(header):
    with pytest.raises(UnsatisfiableRangeError):
        wanted_range(header, SIZE)
