"""What the pages are made of: one look, one policy, one vocabulary."""

from services.materials.api.html import STYLE, document, style_source
from shared.errors import AppError, Language, Text
from shared.http.markup import Markup, element

LTI_STYLE = (
    STYLE
    + """
.search{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end;margin:1rem 0}
.search label{display:flex;flex-direction:column;gap:.2rem;color:var(--soft);font-size:.9rem}
.search label.words{flex:1 1 16rem}
input,select,button{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--soft);
border-radius:.4rem;padding:.45rem .6rem;max-width:100%}
button,.button{background:var(--accent);border-color:var(--accent);color:var(--paper);cursor:pointer;font-weight:600}
button.quiet{background:transparent;color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
ol.found{list-style:none;margin:0;padding:0}
ol.found li{display:grid;grid-template-columns:auto 7rem 1fr;gap:.9rem;align-items:start;padding:.8rem 0;
border-top:1px solid var(--line)}
ol.found li.plain{grid-template-columns:auto 1fr}
ol.found input{width:1.3rem;height:1.3rem;margin-top:.25rem}
ol.found img{width:7rem;height:auto;border:1px solid var(--line);border-radius:.3rem;background:#fff}
ol.found h2{font-size:1.05rem;margin:0}
ol.found p{margin:.2rem 0 0;color:var(--soft);font-size:.9rem;overflow-wrap:anywhere}
.bar{position:sticky;bottom:0;display:flex;flex-wrap:wrap;gap:.7rem;align-items:center;padding:.8rem 0;
background:var(--paper);border-top:1px solid var(--line)}
.notice{background:var(--tint);border-radius:.5rem;padding:.7rem .9rem}
.stage{margin:1rem 0}
.stage iframe{width:100%;height:75vh;border:1px solid var(--line);border-radius:.4rem;background:#fff}
.stage img,.stage video{max-width:100%;height:auto}
.stage audio{width:100%}
nav ul{list-style:none;padding:0;margin:0}
nav li{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.2rem 1rem;padding:.5rem 0;
border-top:1px solid var(--line);overflow-wrap:anywhere}
code{color:var(--soft)}
@media (max-width:34rem){ol.found li{grid-template-columns:auto 1fr}ol.found img{display:none}}
"""
)


def page_headers(*, content: str | None = None, script: str | None = None) -> dict[str, str]:
    """`content` is the other origin when the page shows something of it, `script` the nonce of its one script.

    Nothing forbids the frame of an LMS: the page's address holds a token nobody else has, and that is its protection.
    """
    policy = ["default-src 'none'", f"style-src {style_source(LTI_STYLE)}", "base-uri 'none'"]
    if content is not None:
        policy += [f"frame-src {content}", f"img-src {content}", f"media-src {content}"]
    if script is not None:
        policy.append(f"script-src 'nonce-{script}'")
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def page(title: str, name: str, language: Language, *main: str) -> bytes:
    """A whole page of the library called `name`."""
    robots = element("meta", name="robots", content="noindex")
    body = [element("header", element("span", name)), element("main", *main)]
    return document(title, language, [robots], body, style=LTI_STYLE)


def error_page(error: AppError, name: str, language: Language) -> bytes:
    """What is wrong, what to do, and the code to tell an administrator."""
    text = error.text.of(language)
    hint = element("p", error.hint.of(language)) if error.hint is not None else Markup("")
    code = element("p", Text("Mã lỗi: ", "Code: ").of(language), element("code", error.code))
    return page(text, name, language, element("h1", text), hint, code)


def closing_script(nonce: str) -> Markup:
    """Tells the LMS that its registration window is done (Dynamic Registration 3.7)."""
    said = "(window.opener||window.parent).postMessage({subject:'org.imsglobal.lti.close'},'*')"
    return Markup(f'<script nonce="{nonce}">{said}</script>')


def sending_script(nonce: str) -> Markup:
    """Sends the page's one form; without scripts there is a button."""
    return Markup(f'<script nonce="{nonce}">document.forms[0].submit()</script>')
