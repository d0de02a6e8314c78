"""Every service has the rooms of the house and no others, so that a newcomer finds the same thing in the same place."""

import pytest

from tests.architecture.sources import REPOSITORY, SERVICES

FILES = {"__init__.py", "pyproject.toml", "README.md", "main.py", "worker.py", "bootstrap.py", "settings.py"}
FOLDERS = {"domain", "usecases", "storage", "api", "migrations"}
# A service that listens to no other has no consumers. The gateway also proxies, and has commands of its own.
OPTIONAL = {
    "gateway": {"admin.py", "proxy"},
    "sync": {"consumers"},
    "materials": {"consumers", "inspection"},
    "reporting": {"consumers"},
}
SECTIONS = ("owns", "publishes", "consumes", "settings", "run", "repair", "pitfalls")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_rooms_of_the_house_and_no_others(service):
    present = {path.name for path in (REPOSITORY / "services" / service).iterdir() if path.name != "__pycache__"}
    assert present - OPTIONAL[service] == FILES | FOLDERS


@pytest.mark.parametrize("service", SERVICES)
def test_main_stays_small(service):
    lines = (REPOSITORY / "services" / service / "main.py").read_text().splitlines()
    assert len(lines) <= 80


@pytest.mark.parametrize("service", SERVICES)
def test_the_migration_environment_is_three_lines(service):
    lines = (REPOSITORY / "services" / service / "migrations" / "env.py").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith(("#", '"""'))]) == 3


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_of_a_service_answers_the_usual_questions(service):
    text = (REPOSITORY / "services" / service / "README.md").read_text().lower()
    headings = " ".join(line for line in text.splitlines() if line.startswith("#"))
    assert [section for section in SECTIONS if section not in headings] == []
