"""All published problem codes in one place; the API, the documentation and the reports read it."""

from collections.abc import Mapping

from services.sync.domain.codes_package import PACKAGE_CODES
from services.sync.domain.codes_repairs import DROPPED_CODES, REPAIR_CODES
from services.sync.domain.codes_rows import ROW_CODES
from services.sync.domain.problems import Problem, ProblemCode, Severity, fill
from shared.errors import Text

CATALOGUE: Mapping[str, ProblemCode] = {
    entry.code: entry for entry in (*PACKAGE_CODES, *ROW_CODES, *REPAIR_CODES, *DROPPED_CODES)
}


def message(problem: Problem) -> Text:
    entry = CATALOGUE[problem.code]
    return Text(fill(entry.text.vi, problem), fill(entry.text.en, problem))


def hint(problem: Problem) -> Text:
    entry = CATALOGUE[problem.code]
    return Text(fill(entry.hint.vi, problem), fill(entry.hint.en, problem))


def is_error(problem: Problem) -> bool:
    return CATALOGUE[problem.code].severity is Severity.ERROR
