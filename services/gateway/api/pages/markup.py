"""HTML in safe pieces: plain text is escaped, only what these functions made is not."""

import re
from html import escape

_CODE = re.compile(r"`([^`]+)`")
_VOID = frozenset({"meta", "link", "br"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str) -> Markup:
    """`<name …>children</name>`. `class_` becomes `class`, `open_` becomes `open`; an empty attribute is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items() if value
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    return Markup("".join(child if isinstance(child, Markup) else escape(child, quote=False) for child in children))


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
