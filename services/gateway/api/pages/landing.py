"""`/`: what this is and where to go."""

from services.gateway.api.pages.markup import element, page
from services.gateway.api.pages.reference import STYLE_URL, masthead
from services.gateway.api.pages.words import WORDS
from shared.errors import Language


def landing_page(language: Language) -> str:
    links = (
        ("api", "link_docs", f"/docs?lang={language}"),
        ("openapi", "link_openapi", "/openapi.json"),
        ("discovery", "link_discovery", "/.well-known/oauth-authorization-server"),
        ("readiness", "link_ready", "/readyz"),
    )
    cards = [
        element(
            "a",
            element("h2", WORDS[title].of(language)),
            element("p", WORDS[about].of(language)),
            href=address,
            class_="card",
        )
        for title, about, address in links
    ]
    return page(
        masthead(language, "/"),
        element(
            "main",
            element("p", WORDS["landing"].of(language), class_="lead"),
            element("div", *cards, class_="cards"),
            class_="landing",
        ),
        title="Liên Thông",
        language=language,
        style_url=STYLE_URL,
    )
