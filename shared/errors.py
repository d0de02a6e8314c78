"""Errors of the domain: a stable code, a kind, and a text in Vietnamese and English.

A kind says what the caller can do about it. Two maps turn a kind into an answer: `shared.http.problems` (RFC 9457
over HTTP) and `shared.messaging.consumer` (ack, retry or dead letter for an event). Nothing else decides that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

Language = Literal["vi", "en"]


class Kind(StrEnum):
    """What went wrong, seen from the caller."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    STALE = "stale"
    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence for a person, in both languages of the product."""

    vi: str
    en: str

    def of(self, language: Language) -> str:
        return self.vi if language == "vi" else self.en


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault inside the input; `pointer` is a JSON Pointer (RFC 6901) into the body, or a header or parameter."""

    pointer: str
    code: str
    text: Text


class AppError(Exception):
    """The only exception a use case or a domain rule raises on purpose.

    `code` is a slug of the form `noun.reason` that never changes with the language; `details` are further members of
    the problem document (camelCase keys, JSON values); `retry_after` is in seconds.
    """

    def __init__(
        self,
        code: str,
        kind: Kind,
        text: Text,
        *,
        hint: Text | None = None,
        errors: Sequence[FieldError] = (),
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {text.en}")
        self.code = code
        self.kind = kind
        self.text = text
        self.hint = hint
        self.errors = tuple(errors)
        self.details = dict(details or {})
        self.retry_after = retry_after


def invalid(code: str, *, vi: str, en: str, errors: Sequence[FieldError] = (), **details: Any) -> AppError:
    """The input breaks a rule: the caller must change it."""
    return AppError(code, Kind.INVALID, Text(vi, en), errors=errors, details=details)


def not_found(code: str, *, vi: str, en: str, **details: Any) -> AppError:
    """It does not exist, or it does not exist for this caller: the two are never told apart."""
    return AppError(code, Kind.NOT_FOUND, Text(vi, en), details=details)


def conflict(code: str, *, vi: str, en: str, **details: Any) -> AppError:
    """The input is well formed but the present state forbids it."""
    return AppError(code, Kind.CONFLICT, Text(vi, en), details=details)


def stale(code: str, *, vi: str, en: str, **details: Any) -> AppError:
    """The caller decided on an older version than the present one."""
    return AppError(code, Kind.STALE, Text(vi, en), details=details)


def forbidden(code: str, *, vi: str, en: str, **details: Any) -> AppError:
    """The caller may see the thing but lacks the scope or role to do this."""
    return AppError(code, Kind.FORBIDDEN, Text(vi, en), details=details)


def unauthenticated(code: str, *, vi: str, en: str, **details: Any) -> AppError:
    """No valid token was presented."""
    return AppError(code, Kind.UNAUTHENTICATED, Text(vi, en), details=details)


def unavailable(code: str, *, vi: str, en: str, retry_after: float | None = None, **details: Any) -> AppError:
    """Something this depends on does not answer: the same call may succeed later."""
    return AppError(code, Kind.UNAVAILABLE, Text(vi, en), details=details, retry_after=retry_after)
