"""The language of an answer: Vietnamese unless the caller prefers English (`Accept-Language`, RFC 9110)."""

from collections.abc import Mapping

from shared.errors import Language

_KNOWN: Mapping[str, Language] = {"vi": "vi", "en": "en"}


def language_of(accept_language: str | None) -> Language:
    best: tuple[float, Language] = (0.0, "vi")
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        quality = _quality(parameters)
        language = _KNOWN.get(tag.strip().lower().split("-")[0])
        if language is not None and quality > best[0]:
            best = (quality, language)
    return best[1]


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
