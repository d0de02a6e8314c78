"""Errors of the gateway itself below `/materials/v1/uploads`, as a tus 1.0 client reads them: a status and a line."""

from fastapi.responses import PlainTextResponse, Response

from shared.errors import AppError, Language
from shared.http.problems import problem_headers

_VERSION = "1.0.0"


def tus_error(error: AppError, status: int, language: Language) -> Response:
    headers = problem_headers(error, status, language) | {"Tus-Resumable": _VERSION}
    return PlainTextResponse(f"{error.code}: {error.text.of(language)}\n", status_code=status, headers=headers)
