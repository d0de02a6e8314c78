"""Answers of a OneRoster service: the `Link` header of its lists, and the status object of 1.2 in place of an error."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from shared.errors import AppError, Kind, Language
from shared.http.problems import problem_headers

# Consumers show the description to people and ask providers to put their own name first.
PRODUCT = "Liên Thông"
_FAULTS_TOLD = 10


def links_of(request: Request, public_url: str, limit: int, offset: int) -> Callable[[int], str]:
    """The `Link` header for a total: `next`, `prev`, `first`, `last`, absolute URLs, one `rel` each."""
    url = public_url + request.url.path
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"limit", "offset"}]

    def links(total: int) -> str:
        places = {"first": 0, "last": (max(total, 1) - 1) // limit * limit}
        if offset + limit < total:
            places["next"] = offset + limit
        if offset > 0:
            places["prev"] = max(0, offset - limit)
        return ", ".join(
            f'<{url}?{urlencode([*kept, ("limit", limit), ("offset", place)])}>; rel="{rel}"'
            for rel, place in places.items()
        )

    return links


_MINOR_OF_CODE = {
    "filter.invalid": "invalid_filter_field",
    # Only the resources service has a word for it; 1.1 has one too, but there it is a warning.
    "sort.invalid": "invalid_filter_field",
    "fields.unknown": "invalid_selection_field",
}
_MINOR_OF_STATUS = {
    401: "unauthorisedrequest",
    403: "forbidden",
    404: "unknownobject",
    429: "server_busy",
    503: "server_busy",
}


def judged(error: AppError, status: int) -> tuple[int, str]:
    """HTTP status and codeMinor: a bad query is 400, a record that is not as it should be 422."""
    is_query = not error.code.startswith(("record.", "school.", "org."))
    code = 400 if error.kind is Kind.INVALID and status == 422 and is_query else status
    minor = _MINOR_OF_CODE.get(error.code) or _MINOR_OF_STATUS.get(
        code, "invaliddata" if code < 500 else "internal_server_error"
    )
    return code, minor


def _described(error: AppError, language: Language) -> str:
    """The standard has one text and no list of faults: the first ones are told in it, each with its place."""
    told = [f"{each.pointer}: {each.text.of(language)} [{each.code}]" for each in error.errors[:_FAULTS_TOLD]]
    return " ".join([error.text.of(language), *told])


def oneroster_error(error: AppError, status: int, language: Language) -> Response:
    """The status object of 1.2, unwrapped."""
    return _status_object(error, language, *judged(error, status))


def oneroster_resources_error(error: AppError, status: int, language: Language) -> Response:
    """The status object of 1.2 with the words of its resources service."""
    code, minor = judged(error, status)
    return _status_object(error, language, code, "invalid_sort_field" if error.code == "sort.invalid" else minor)


def _status_object(error: AppError, language: Language, code: int, minor: str) -> Response:
    body: Mapping[str, Any] = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": f"{PRODUCT}: {_described(error, language)}",
        "imsx_CodeMinor": {
            "imsx_codeMinorField": [{"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}]
        },
    }
    return JSONResponse(body, status_code=code, headers=problem_headers(error, code, language))
