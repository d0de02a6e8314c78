"""Whole HTML documents that load nothing: one look for every page of the library."""

import base64
import hashlib
from collections.abc import Sequence

from shared.errors import Language
from shared.http.markup import Markup, element

MEDIA_TYPE = "text/html; charset=utf-8"
STYLE = """
:root{color-scheme:light dark;--ink:#16222e;--soft:#54616f;--paper:#fff;--line:#d8dfe6;--accent:#0b5cad;--tint:#eef4fa}
@media (prefers-color-scheme:dark){:root{--ink:#e7edf3;--soft:#9fb0c0;--paper:#10161d;--line:#2b3844;--accent:#7ab8f5;
--tint:#18222c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif}
header,main,footer{max-width:46rem;margin:0 auto;padding:1rem 1.25rem}
header{display:flex;flex-wrap:wrap;gap:.5rem 1rem;justify-content:space-between;color:var(--soft);font-size:.9rem;
border-bottom:1px solid var(--line)}
h1{font-size:1.7rem;line-height:1.25;margin:.35rem 0 .75rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .6rem}
a{color:var(--accent)}
.kind{color:var(--soft);margin:1rem 0 0}
.about{white-space:pre-line;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:minmax(8rem,auto) 1fr;gap:.35rem 1.25rem;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
ul.files{list-style:none;margin:0;padding:0}
ul.files li{margin:0 0 .5rem}
ul.files a{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:.1rem 1rem;
padding:.7rem .9rem;border:1px solid var(--line);border-radius:.5rem;background:var(--tint);text-decoration:none;
overflow-wrap:anywhere}
ul.files a:hover,ul.files a:focus-visible{border-color:var(--accent)}
ul.files small{color:var(--soft);white-space:nowrap}
footer{color:var(--soft);font-size:.9rem;border-top:1px solid var(--line);margin-top:2rem}
@media (max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}h1{font-size:1.4rem}}
"""


def style_source(style: str) -> str:
    """What a Content-Security-Policy must name for `style` to hold."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def document(title: str, language: Language, head: Sequence[str], body: Sequence[str], *, style: str = STYLE) -> bytes:
    whole = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", title),
            Markup(f"<style>{style}</style>"),
            *head,
        ),
        element("body", *body),
        lang=language,
    )
    return f"<!doctype html>\n{whole}\n".encode()


def size_words(size: int) -> str:
    """Rounded for people, in binary units."""
    number, unit = float(size), "B"
    for following in ("KiB", "MiB", "GiB"):
        if number < 1024:
            break
        number, unit = number / 1024, following
    return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
