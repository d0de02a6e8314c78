"""Errors below `/ims/oneroster` in OneRoster's own shape: an unwrapped `imsx_StatusInfo` (OneRoster 1.2)."""

from collections.abc import Mapping

from fastapi.responses import JSONResponse, Response

from shared.errors import AppError, Kind, Language
from shared.http.problems import problem_headers

# Consumers show the description to people and ask providers to put their own name first.
_NAME = "Liên Thông"
_CODE_MINOR: Mapping[Kind, str] = {
    Kind.INVALID: "invaliddata",
    Kind.NOT_FOUND: "unknownobject",
    Kind.CONFLICT: "invaliddata",
    Kind.STALE: "invaliddata",
    Kind.FORBIDDEN: "forbidden",
    Kind.UNAUTHENTICATED: "unauthorisedrequest",
    Kind.LIMITED: "server_busy",
    Kind.UNAVAILABLE: "server_busy",
}


def oneroster_error(error: AppError, status: int, language: Language) -> Response:
    minor = "internal_server_error" if error.code == "internal.error" else _CODE_MINOR[error.kind]
    document = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": f"{_NAME}: {error.text.of(language)} ({error.code})",
        "imsx_CodeMinor": {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor},
            ]
        },
    }
    return JSONResponse(document, status, problem_headers(error, status, language))
