"""`/docs`: every operation of every service on one page."""

from collections.abc import Sequence
from typing import Any

from services.gateway.api.merged_openapi import METHODS
from services.gateway.api.pages.markup import Markup, breakable, element, inline, joined, page
from services.gateway.api.pages.operation import OperationView, anchor_of
from services.gateway.api.pages.outline import Outline
from services.gateway.api.pages.words import SERVICE_TITLES, WORDS
from services.gateway.domain.scopes import SCOPES
from shared.errors import Language

STYLE_URL = "/docs/style.css"
_RULES = ("rule_errors", "rule_retry", "rule_stale", "rule_pages", "rule_language", "rule_trace")

Entry = tuple[str, str, dict[str, Any]]


def reference_page(document: dict[str, Any], language: Language, public_url: str) -> str:
    """`document` is the merged one."""
    view = OperationView(Outline(document, language), language, public_url)
    groups = {tag["name"]: _operations_of(document, tag["name"]) for tag in document["tags"]}
    return page(
        masthead(language, "/docs"),
        element(
            "div",
            _contents(groups, language),
            element(
                "main",
                _start(language, public_url),
                *(_group(name, entries, view, document, language) for name, entries in groups.items()),
                _scopes(language),
            ),
            class_="columns",
        ),
        title=f"Liên Thông · {WORDS['api'].of(language)}",
        language=language,
        style_url=STYLE_URL,
    )


def masthead(language: Language, path: str) -> Markup:
    """The band at the top, with the way to the other language."""
    other: Language = "en" if language == "vi" else "vi"
    return element(
        "header",
        element("a", "Liên Thông", href=f"/?lang={language}", class_="wordmark"),
        element("span", WORDS["tagline"].of(language), class_="tagline"),
        element("a", WORDS["other_language"].of(language), href=f"{path}?lang={other}", lang=other, class_="switch"),
    )


def _operations_of(document: dict[str, Any], service: str) -> Sequence[Entry]:
    return [
        (method, path, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item and service in item[method].get("tags", ())
    ]


def _contents(groups: dict[str, Sequence[Entry]], language: Language) -> Markup:
    blocks = [
        joined(
            element("a", _title(name, language), href=f"#{name}", class_="service"),
            element(
                "ul",
                *(
                    element(
                        "li",
                        element(
                            "a",
                            element("span", method.upper(), class_=f"method {method}"),
                            element("span", breakable(path), class_="path"),
                            href=f"#{anchor_of(method, path)}",
                        ),
                    )
                    for method, path, _ in entries
                ),
            ),
        )
        for name, entries in groups.items()
    ]
    return element("nav", *blocks, element("a", WORDS["openapi"].of(language), href="/openapi.json", class_="service"))


def _title(name: str, language: Language) -> str:
    title = SERVICE_TITLES.get(name)
    return title.of(language) if title else name


def _group(
    name: str, entries: Sequence[Entry], view: OperationView, document: dict[str, Any], language: Language
) -> Markup:
    away = name in document["x-unavailable"]
    notice = element("p", WORDS["unavailable"].of(language), class_="unavailable") if away else ""
    count = element("span", f"{len(entries)} {WORDS['operations'].of(language)}", class_="count")
    return element(
        "section",
        element("h2", _title(name, language), " ", count if entries else ""),
        notice,
        *(view.draw(method, path, operation) for method, path, operation in entries),
        id=name,
    )


def _start(language: Language, public_url: str) -> Markup:
    steps = {
        "step_token": (
            f'TOKEN=$(curl -s -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials \\\n'
            f"  '{public_url}/oauth2/token' \\\n"
            "  | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])')"
        ),
        "step_call": (
            f"curl '{public_url}/ims/oneroster/rostering/v1p2/schools' \\\n  -H \"Authorization: Bearer $TOKEN\""
        ),
        "step_push": (
            f"curl '{public_url}/sync/v1/imports' \\\n"
            '  -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(uuidgen)" \\\n'
            "  -H 'Content-Type: application/zip' --data-binary @package.zip"
        ),
    }
    cards = [
        element(
            "li",
            element("h3", WORDS[name].of(language)),
            element("p", WORDS[f"{name}_why"].of(language)),
            element("pre", line),
        )
        for name, line in steps.items()
    ]
    rules = [element("li", inline(WORDS[name].of(language))) for name in _RULES]
    return element(
        "section",
        element("h1", WORDS["api"].of(language)),
        element("h2", WORDS["start"].of(language)),
        element("ol", *cards, class_="steps"),
        element("h2", WORDS["rules"].of(language)),
        element("ul", *rules, class_="rules"),
    )


def _scopes(language: Language) -> Markup:
    rows = [
        element("tr", element("td", element("code", name)), element("td", text.of(language)))
        for name, text in SCOPES.items()
    ]
    return element(
        "section",
        element("h2", WORDS["all_scopes"].of(language)),
        element("table", element("tbody", *rows), class_="scopes"),
        id="scopes",
    )
