"""The published problem codes: complete, in both languages, and documented as they are."""

import re
from pathlib import Path

from services.sync.domain import catalogue
from services.sync.domain.catalogue import CATALOGUE
from services.sync.domain.imports_page import imports_page
from services.sync.domain.problems import Problem, Severity

REPOSITORY = Path(__file__).parents[3]
SOURCES = REPOSITORY / "services" / "sync"
_NAMED = re.compile(
    r"[\"'](?:repair|dropped|zip|manifest|ndjson|file|field|header|record|row|value|sourcedId|bulk|dates|org|reference|"
    r"enrollment|user|school|import|registry)\.[a-zA-Z0-9]+[\"']"
)
# Codes of errors that are not findings in a package: they leave as problem documents or event names.
_OTHER_NAMES = {
    "import.dryRun",
    "import.held",
    "import.id",
    "manifest.csv",
    "import.heldElsewhere",
    "import.notNewest",
    "import.nothingWaits",
    "import.unknown",
    "import.wrongState",
    "org.invalid",
    "org.kindFixed",
    "org.level",
    "org.notDepartment",
    "org.parentKind",
    "org.parentsOverlap",
    "org.sourcedId",
    "parent.sourcedId",
    "registry.codeInvalid",
    "registry.codeProvisional",
    "registry.fileDamaged",
    "registry.fileTooLarge",
    "registry.lineUnreadable",
    "record.invalid",
    "record.otherSchool",
    "record.tooMany",
    "registry.mergeUnknown",
    "registry.mergeWritten",
    "registry.mergedElsewhere",
    "registry.notDepartment",
    "registry.notIssued",
    "registry.schoolInvalid",
    "registry.notProvisional",
    "registry.otherKind",
    "school.missing",
    "school.sourcedId",
    "user.sourcedId",
}


def test_every_code_the_sources_name_is_published_and_every_published_code_is_used():
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in SOURCES.rglob("*.py")
        if not path.name.startswith("codes_") and "migrations" not in path.parts
    )
    named = {found.strip("\"'") for found in _NAMED.findall(text)} - _OTHER_NAMES
    assert named == CATALOGUE.keys()


def test_every_code_says_in_both_languages_what_is_wrong_and_what_to_do():
    for code in CATALOGUE:
        problem = Problem(code, "users.csv", 2, "givenName", "x", "y")
        for text in (catalogue.message(problem), catalogue.hint(problem)):
            assert text.vi
            assert text.en
            assert text.vi != text.en
            assert "{" not in text.vi + text.en or "{type" in text.vi + text.en


def test_repairs_and_drops_are_told_apart_from_errors_by_their_name():
    for code, entry in CATALOGUE.items():
        kind = {"repair": Severity.REPAIR, "dropped": Severity.DROPPED}.get(code.partition(".")[0], Severity.ERROR)
        assert entry.severity is kind


def test_the_page_on_imports_is_current():
    page = (REPOSITORY / "docs" / "imports.md").read_text(encoding="utf-8")
    assert page == imports_page(), "run: python -m services.sync.domain.imports_page > docs/imports.md"
