"""Texts and whole pages of the documentation, made of safe pieces of HTML."""

import re
from html import escape

from shared.http.markup import Markup, element, joined

__all__ = ["Markup", "breakable", "element", "inline", "joined", "page", "prose"]

_CODE = re.compile(r"`([^`]+)`")


def prose(text: str) -> Markup:
    """Paragraphs at empty lines, `code` in backticks; the rest of Markdown is left as written."""
    paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    return joined(*(element("p", inline(" ".join(part.split()))) for part in paragraphs))


def inline(text: str) -> Markup:
    """One line of text with `code` in backticks."""
    return Markup(_CODE.sub(r"<code>\1</code>", escape(text, quote=False)))


def breakable(path: str) -> Markup:
    """A path that may wrap after its slashes and nowhere else."""
    return Markup(escape(path).replace("/", "/<wbr>"))


def page(*body: str, title: str, language: str, style_url: str) -> str:
    """A whole document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("link", rel="stylesheet", href=style_url),
    )
    return "<!doctype html>\n" + element("html", head, element("body", *body), lang=language)
