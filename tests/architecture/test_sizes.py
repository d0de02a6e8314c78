from tests.architecture import sizes
from tests.architecture.sources import name_of, python_files


def test_no_file_or_function_is_larger_than_the_house_allows():
    assert sizes.faults(((path, name_of(path)) for path in python_files()), sizes.EXCEPTIONS) == []


def test_a_long_function_is_found_whatever_it_is_nested_in(tmp_path):
    path = tmp_path / "long.py"
    path.write_text("class A:\n    async def f(self):\n" + "        x = 1\n" * 60)
    assert sizes.faults([(path, "long.py")], {}) == ["long.py::f: 61 lines, at most 60"]


def test_a_long_file_is_found(tmp_path):
    path = tmp_path / "long.py"
    path.write_text("x = 1\n" * 401)
    assert sizes.faults([(path, "long.py")], {}) == ["long.py: 401 lines, at most 400"]


def test_an_exception_may_only_shrink(tmp_path):
    path = tmp_path / "long.py"
    path.write_text("x = 1\n" * 410)
    assert sizes.faults([(path, "long.py")], {"long.py": 410}) == []
    assert sizes.faults([(path, "long.py")], {"long.py": 409}) == ["long.py: 410 lines, at most 409"]
    (too_generous,) = sizes.faults([(path, "long.py")], {"long.py": 420})
    assert "lower the exception" in too_generous
    (unknown,) = sizes.faults([], {"gone.py": 500})
    assert "does not exist" in unknown
