"""The landing page of an item, and the page that says there is none: whole HTML documents that load nothing."""

import json
from collections.abc import Sequence
from typing import Any

from services.materials.api.html import STYLE, document, size_words, style_source
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

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {style_source(STYLE)}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}

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
    return document(item.title, language, head, body)


def error_page(error: AppError, repository: Repository, language: Language) -> bytes:
    """Says what is wrong in the reader's language, and nothing else."""
    text = error.text.of(language)
    robots = element("meta", name="robots", content="noindex")
    body = [element("header", element("span", repository.name)), element("main", element("h1", text))]
    return document(text, language, [robots], body)


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
    size = element("small", f"{kind} · {size_words(file['size'])}")
    return element("li", element("a", element("span", file["name"]), size, href=address, type=file["mediaType"]))
