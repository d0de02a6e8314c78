"""The picker: search, look, choose. One form, no script, no cookie; what is chosen stays chosen from page to page."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from services.materials.api.links import Links
from services.materials.api.lti.parts import page, sending_script
from services.materials.domain.catalogue import TYPE_NAMES, MaterialType, subjects
from services.materials.domain.file_types import BY_MEDIA_TYPE, WEBP
from services.materials.usecases.lti_library import ShownMaterial
from shared.errors import Language, Text
from shared.http.markup import Markup, element, joined

GRADES = ("6", "7", "8", "9", "10", "11", "12")
_WORDS = {
    "title": Text("Chọn học liệu", "Choose materials"),
    "words": Text("Từ khóa", "Words"),
    "subject": Text("Môn", "Subject"),
    "grade": Text("Lớp", "Grade"),
    "type": Text("Loại", "Type"),
    "any": Text("Tất cả", "All"),
    "search": Text("Tìm", "Search"),
    "add": Text("Thêm vào khóa học", "Add to the course"),
    "next": Text("Trang sau", "Next page"),
    "chosen": Text("Đã chọn", "Chosen"),
    "found": Text("Tìm thấy", "Found"),
    "none": Text(
        "Không tìm thấy học liệu nào. Hãy thử ít từ hơn hoặc bỏ bớt bộ lọc.",
        "Nothing was found. Try fewer words or fewer filters.",
    ),
    "meant": Text("Có phải bạn tìm:", "Did you mean:"),
    "choose": Text("Chọn", "Choose"),
    "nothing": Text("Bạn chưa chọn học liệu nào.", "You have not chosen a material yet."),
    "sent": Text("Đang gửi lựa chọn về LMS", "Sending your choice to the LMS"),
    "send": Text("Quay lại LMS", "Back to the LMS"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page was asked for, by the names of the form's fields."""

    q: str = ""
    subject: str | None = None
    grade: str | None = None
    type: str | None = None
    chosen: Collection[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is on the page: hits, those chosen before, how many there are in all."""

    hits: Sequence[ShownMaterial]
    chosen: Sequence[ShownMaterial]
    total: int
    meant: str | None
    following: str | None


def picker_page(
    asked: Asked, shelf: Shelf, links: Links, *, name: str, language: Language, multiple: bool, empty: bool
) -> bytes:
    """`empty`: the form was sent with nothing chosen."""
    title = _word("title", language)
    here = {str(each.material_id) for each in shelf.hits}
    kept = [each for each in shelf.chosen if str(each.material_id) not in here] if multiple else []
    form = element(
        "form",
        _search_fields(asked, language),
        element("p", _word("nothing", language), class_="notice", role="alert") if empty else Markup(""),
        _kept(kept, language),
        _results(asked, shelf, links, language, multiple=multiple),
        _bar(shelf, language),
        method="get",
    )
    return page(title, name, language, element("h1", title), form)


def handed_over_page(return_url: str, message: str, nonce: str, *, name: str, language: Language) -> bytes:
    """Posts the signed message to the LMS."""
    title = _word("sent", language)
    form = element(
        "form",
        element("input", type="hidden", name="JWT", value=message),
        element("button", _word("send", language), type="submit"),
        method="post",
        action=return_url,
    )
    return page(title, name, language, element("h1", title), form, sending_script(nonce))


def _search_fields(asked: Asked, language: Language) -> Markup:
    type_names = {code.value: text.of(language) for code, text in TYPE_NAMES.items()}
    subject_names = {each.code: each.name.of(language) for each in subjects().values()}
    words = element("input", type="search", name="q", value=asked.q, maxlength="500", autofocus="autofocus")
    return element(
        "div",
        element("label", _word("words", language), words, class_="words"),
        _select("subject", asked.subject, subject_names, language),
        _select("grade", asked.grade, {grade: grade for grade in GRADES}, language),
        _select("type", asked.type, type_names, language),
        element("button", _word("search", language), type="submit"),
        class_="search",
        role="search",
    )


def _select(name: str, chosen: str | None, options: Mapping[str, str], language: Language) -> Markup:
    offered = [Markup(f'<option value="">{_word("any", language)}</option>')]
    for value, text in options.items():
        offered.append(element("option", text, value=value, selected="selected" if value == chosen else ""))
    return element("label", _word(name, language), element("select", *offered, name=name))


def _kept(kept: Sequence[ShownMaterial], language: Language) -> Markup:
    if not kept:
        return Markup("")
    boxes = [(_box(each, chosen=True, multiple=True), _about(each, language)) for each in kept]
    lines = [element("li", *parts, class_="plain") for parts in boxes]
    return joined(element("h2", _word("chosen", language)), element("ol", *lines, class_="found"))


def _results(asked: Asked, shelf: Shelf, links: Links, language: Language, *, multiple: bool) -> Markup:
    if not shelf.hits:
        nothing = element("p", _word("none", language), class_="notice", role="status")
        return joined(nothing, _meant(shelf.meant, language) if shelf.meant else Markup(""))
    lines = [
        _hit(each, links, language, chosen=str(each.material_id) in asked.chosen, multiple=multiple)
        for each in shelf.hits
    ]
    count = element("p", f"{_word('found', language)}: {shelf.total}", role="status")
    return joined(count, element("ol", *lines, class_="found"))


def _meant(spelling: str, language: Language) -> Markup:
    button = element("button", spelling, name="q", value=spelling, class_="quiet")
    return element("p", _word("meant", language), " ", button)


def _hit(each: ShownMaterial, links: Links, language: Language, *, chosen: bool, multiple: bool) -> Markup:
    box, picture = _box(each, chosen=chosen, multiple=multiple), _picture(each, links)
    return element("li", box, picture, _about(each, language), class_="" if picture else "plain")


def _box(each: ShownMaterial, *, chosen: bool, multiple: bool) -> Markup:
    return element(
        "input",
        type="checkbox" if multiple else "radio",
        name="material",
        value=str(each.material_id),
        id=f"m-{each.material_id}",
        checked="checked" if chosen else "",
    )


def _picture(each: ShownMaterial, links: Links) -> Markup:
    for file in each.files:
        sha256 = file.check.thumbnail_sha256 if file.check is not None else None
        if sha256 is not None:
            url, _ = links.link(sha256, "thumbnail.webp", WEBP.media_type, "inline")
            return Markup(f'<img alt="" loading="lazy" src="{escape(url)}">')
    return Markup("")


def _about(each: ShownMaterial, language: Language) -> Markup:
    title = element("label", each.title, lang=each.language, **{"for": f"m-{each.material_id}"})
    seen = element("a", Text("Xem trước", "Preview").of(language), href=f"?preview={each.material_id}")
    return element(
        "div",
        element("h2", title),
        element("p", facts(each, language)),
        element("p", " ".join(each.description.split())[:200], lang=each.language) if each.description else Markup(""),
        element("p", seen),
    )


def facts(each: ShownMaterial, language: Language) -> str:
    """Subject, grades, type and kinds of file, in one line."""
    subject = subjects().get(each.subject)
    kinds = dict.fromkeys(BY_MEDIA_TYPE[file.media_type].code.upper() for file in each.files)
    parts = [
        subject.name.of(language) if subject else each.subject,
        f"{_word('grade', language)} {', '.join(each.grades)}",
        TYPE_NAMES[MaterialType(each.type)].of(language),
        ", ".join(kinds),
    ]
    return " · ".join(part for part in parts if part)


def _bar(shelf: Shelf, language: Language) -> Markup:
    more = (
        element("button", _word("next", language), name="cursor", value=shelf.following, class_="quiet")
        if shelf.following
        else Markup("")
    )
    add = element("button", _word("add", language), type="submit", formmethod="post")
    return element("div", add, more, class_="bar")


def _word(name: str, language: Language) -> str:
    return _WORDS[name].of(language)
