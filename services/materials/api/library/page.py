"""The landing page of an item, and the page that says there is none: whole HTML documents that load nothing."""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from services.materials.api.library.described import (
    duration,
    is_url,
    licence_url,
    shared_on,
    subject_codes,
    subject_name,
    type_name,
)
from services.materials.api.library.json_ld import json_ld
from services.materials.api.library.signposting import Link
from services.materials.domain.file_types import BY_MEDIA_TYPE
from services.materials.domain.repository import Repository
from services.materials.storage.shelf_tables import ShelfItem
from shared.errors import AppError, Language, Text
from shared.http.markup import Markup, element, joined

_STYLE = """
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
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
MEDIA_TYPE = "text/html; charset=utf-8"

_WORDS = {
    "files": Text("Tệp tải về", "Files to download"),
    "about": Text("Thông tin", "About"),
    "authors": Text("Tác giả", "Authors"),
    "subjects": Text("Môn học", "Subjects"),
    "grades": Text("Lớp", "Grades"),
    "requirements": Text("Yêu cầu cần đạt", "Curriculum requirements"),
    "language": Text("Ngôn ngữ", "Language"),
    "duration": Text("Thời lượng", "Duration"),
    "licence": Text("Giấy phép", "Licence"),
    "rights": Text("Quyền tác giả", "Rights"),
    "sources": Text("Nguồn", "Sources"),
    "school": Text("Trường (mã)", "School (code)"),
    "shared": Text("Chia sẻ ngày", "Shared on"),
    "version": Text("Phiên bản", "Version"),
    "metadata": Text("Siêu dữ liệu", "Metadata"),
    "other": Text("English", "Tiếng Việt"),
    "minutes": Text("phút", "minutes"),
    "seconds": Text("giây", "seconds"),
}


def landing_page(item: ShelfItem, repository: Repository, links: Sequence[Link], language: Language) -> bytes:
    def word(name: str) -> str:
        return _WORDS[name].of(language)

    files = [_file(file, repository.file(item.material_id, file["position"])) for file in item.files]
    main = element(
        "main",
        element("p", type_name(item).of(language), class_="kind"),
        element("h1", item.title, lang=item.language),
        element("p", item.description, class_="about", lang=item.language) if item.description else Markup(""),
        element("h2", word("files")),
        element("ul", *files, class_="files"),
        element("h2", word("about")),
        element("dl", *(_row(word(name), value) for name, value in _facts(item, language) if value)),
    )
    metadata = [
        joined(" · ", element("a", name, href=address))
        for name, address in (
            ("JSON-LD", repository.json_ld(item.material_id)),
            ("Dublin Core", repository.oai_record(item.material_id, "oai_dc")),
            ("LOM", repository.oai_record(item.material_id, "lom")),
        )
    ]
    other = "en" if language == "vi" else "vi"
    switch = element("a", word("other"), href=f"?lang={other}", hreflang=other, lang=other, rel="alternate nofollow")
    head = [
        *(element("link", rel=link.rel, href=link.href, **link.attributes) for link in links),
        element("meta", name="description", content=" ".join(item.description.split())[:160]),
        Markup(f'<script type="application/ld+json">{_embedded(json_ld(item, repository))}</script>'),
    ]
    body = [
        element("header", element("span", repository.name), switch),
        main,
        element("footer", word("metadata"), *metadata),
    ]
    return _document(item.title, language, head, body)


def error_page(error: AppError, repository: Repository, language: Language) -> bytes:
    """Says what is wrong in the reader's language, and nothing else."""
    text = error.text.of(language)
    robots = element("meta", name="robots", content="noindex")
    body = [element("header", element("span", repository.name)), element("main", element("h1", text))]
    return _document(text, language, [robots], body)


def _document(title: str, language: Language, head: Sequence[str], body: Sequence[str]) -> bytes:
    whole = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", title),
            Markup(f"<style>{_STYLE}</style>"),
            *head,
        ),
        element("body", *body),
        lang=language,
    )
    return f"<!doctype html>\n{whole}\n".encode()


def _embedded(document: dict[str, Any]) -> str:
    """JSON inside a script element: no `<` can end it or begin a comment."""
    return json.dumps(document, ensure_ascii=False).replace("<", "\\u003c")


def _facts(item: ShelfItem, language: Language) -> list[tuple[str, str]]:
    address = licence_url(item)
    licence = item.licence if address is None else element("a", item.licence, href=address, rel="license")
    return [
        ("authors", ", ".join(str(author["name"]) for author in item.authors)),
        ("subjects", ", ".join(subject_name(code).of(language) for code in subject_codes(item))),
        ("grades", ", ".join(item.grades)),
        ("requirements", ", ".join(item.requirements)),
        ("language", item.language),
        ("duration", _spoken_duration(item, language)),
        ("licence", licence),
        ("rights", item.rights_statement),
        ("sources", _breaks([_source(source) for source in item.sources])),
        ("school", item.school_sourced_id),
        ("shared", shared_on(item).strftime("%d/%m/%Y" if language == "vi" else "%Y-%m-%d")),
        ("version", str(item.number)),
    ]


def _spoken_duration(item: ShelfItem, language: Language) -> str:
    if item.duration_seconds is None:
        return ""
    number, unit = item.duration_seconds // 60, "minutes"
    if number == 0:
        number, unit = item.duration_seconds, "seconds"
    return element("time", f"{number} {_WORDS[unit].of(language)}", datetime=duration(item) or "")


def _row(name: str, value: str) -> Markup:
    return joined(element("dt", name), element("dd", value))


def _source(source: str) -> str:
    return element("a", source, href=source, rel="nofollow noopener") if is_url(source) else source


def _breaks(parts: Sequence[str]) -> str:
    return joined(*(piece for part in parts for piece in (part, Markup("<br>")))) if parts else ""


def _file(file: dict[str, Any], address: str) -> Markup:
    kind = BY_MEDIA_TYPE[file["mediaType"]].code.upper()
    size = element("small", f"{kind} · {_size(file['size'])}")
    return element("li", element("a", element("span", file["name"]), size, href=address, type=file["mediaType"]))


def _size(size: int) -> str:
    """Rounded for people, in binary units."""
    number, unit = float(size), "B"
    for following in ("KiB", "MiB", "GiB"):
        if number < 1024:
            break
        number, unit = number / 1024, following
    return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
