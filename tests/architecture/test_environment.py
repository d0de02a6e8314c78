"""Importing a module reads no environment: settings are built once, by the process that starts."""

import json
import subprocess
import sys

from tests.architecture.sources import REPOSITORY, module_of, python_files

# Runs in a process of its own. A read counts when the nearest frame that is ours is reached without passing through an
# import of somebody else's module: what libraries read at their own import is their business.
_PROBE = """
import importlib, json, os, sys
root, modules = sys.argv[1], json.loads(sys.stdin.read())
found = []

# Switches of libraries, looked for whenever a model is defined or a tracer is named.
def note(key):
    if key in ("PYDANTIC_DISABLE_PLUGINS", "OTEL_PYTHON_TRACER_PROVIDER"):
        return
    frame = sys._getframe(2)
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        file = frame.f_code.co_filename
        if file.startswith(root + "/") and "/.venv/" not in file:
            found.append(f"{file[len(root) + 1:]}:{frame.f_lineno} reads {key}")
            return
        frame = frame.f_back

class Watched(type(os.environ)):
    def __getitem__(self, key):
        note(key)
        return super().__getitem__(key)
    def __iter__(self):
        note("everything")
        return super().__iter__()
    def copy(self):
        note("everything")
        return super().copy()

os.environ.__class__ = Watched
for module in modules:
    importlib.import_module(module)
print(json.dumps(found))
"""


def _reads(modules, root=REPOSITORY):
    answer = subprocess.run(
        [sys.executable, "-c", _PROBE, str(root)],
        input=json.dumps(modules),
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def test_importing_any_module_reads_no_environment():
    modules = [
        module_of(path)
        for path in python_files("services", "shared", "deploy")
        if "migrations" not in path.parts and path.name != "__main__.py"
    ]
    assert _reads(modules) == []


def test_a_module_that_reads_the_environment_is_found(tmp_path):
    (tmp_path / "direct.py").write_text("import os\nHOME = os.getenv('HOME')\n")
    (tmp_path / "through_settings.py").write_text(
        "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    home: str = ''\nS()\n"
    )
    found = _reads(["direct", "through_settings"], tmp_path)
    assert "direct.py:2 reads HOME" in found
    assert any(read.startswith("through_settings.py:4") for read in found)
