"""What the documents say is there: links, files, commands, paths of the API, settings."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from tests.architecture.sources import REPOSITORY, SERVICES, name_of, project_files

DOCUMENTS = {name_of(path): path for path in project_files() if path.suffix == ".md"}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in DOCUMENTS.items()}

_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)
_TARGET = re.compile(r"(?:`|^ *)make ([a-z][a-z0-9-]*)", re.MULTILINE)
_MODULE = re.compile(r"python -m ([a-z_]+(?:\.[a-z_]+)+)")
_PATH = re.compile(r"`((?:services|shared|deploy|tests|docs|requirements)/[\w./-]*)`")
_API = re.compile(
    r"(?<![\w./-])(/(?:sync|materials|reporting)/v\d[\w/{}$.<>-]*|/ims/oneroster/[\w/{}$.<>-]*|/oauth2/\w+|/\.well-known/[\w-]+)"
)


def _slug(heading: str) -> str:
    """The anchor that Git hosts give a heading."""
    plain = re.sub(r"[`*_]|\[|\]\([^)]*\)", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def _anchors(path: Path) -> set[str]:
    return {_slug(heading) for heading in _HEADING.findall(path.read_text(encoding="utf-8"))}


def test_there_are_documents():
    assert {"README.md", "README.vi.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= DOCUMENTS.keys()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name):
    broken = []
    for found in _LINK.finditer(TEXTS[name]):
        target, _, anchor = found["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        path = (DOCUMENTS[name].parent / target).resolve() if target else DOCUMENTS[name]
        if not path.exists() or (anchor and anchor not in _anchors(path)):
            broken.append(found["target"])
    assert broken == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_of_make_exists(name):
    rules = set(re.findall(r"^([a-z][a-z0-9-]*):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(_TARGET.findall(TEXTS[name])) - rules == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_module_and_file_exists(name):
    assert [module for module in set(_MODULE.findall(TEXTS[name])) if not importlib.util.find_spec(module)] == []
    missing = [path for path in set(_PATH.findall(TEXTS[name])) if not (REPOSITORY / path).exists()]
    # Made on the operator's machine, and never committed.
    assert set(missing) <= {"deploy/env/production.env", "deploy/env/signing.pem"}


def _api_paths() -> list[list[str]]:
    documents = [json.loads((REPOSITORY / "docs" / "openapi" / f"{name}.json").read_text()) for name in SERVICES]
    return [path.split("/") for document in documents for path in document["paths"]]


def _is_served(path: str, known: list[list[str]]) -> bool:
    """An operation's path, or the beginning that a whole API has in common (`/materials/v1`)."""
    parts = path.split("/")
    beginning = re.fullmatch(r"v\d+(p\d+)?", parts[-1])
    return any(
        (len(parts) == len(template) or (beginning and parts == template[: len(parts)]))
        and all(theirs.startswith("{") or theirs == ours for ours, theirs in zip(parts, template, strict=False))
        for template in known
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_of_the_api_is_served(name):
    known = _api_paths()
    mentioned = {found.rstrip("/.-") for found in _API.findall(TEXTS[name])}
    assert [path for path in sorted(mentioned) if not _is_served(path, known)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_is_explained_to_operators(service):
    settings = importlib.import_module(f"services.{service}.bootstrap").SERVICE.settings
    names = [name.upper() for name in settings.model_fields]
    assert [name for name in names if f"`{name}`" not in TEXTS["docs/operators.md"]] == []


@pytest.mark.parametrize("name", ["README.md", "README.vi.md"])
def test_the_first_page_stays_a_page(name):
    assert len(TEXTS[name].splitlines()) <= 150


def test_every_decision_is_listed():
    records = {Path(name).name for name in DOCUMENTS if re.match(r"docs/decisions/\d", name)}
    assert {record for record in records if f"({record})" in TEXTS["docs/decisions/README.md"]} == records
