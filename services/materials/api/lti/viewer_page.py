"""The viewer: one material, its first file open, the others a step away. Nothing of a file runs with our rights."""

from services.materials.api.html import size_words
from services.materials.api.links import Links
from services.materials.api.lti.parts import page
from services.materials.api.lti.picker_page import facts
from services.materials.api.player import launch_of
from services.materials.domain.file_names import download_name
from services.materials.domain.file_types import BY_MEDIA_TYPE, FileType
from services.materials.usecases.lti_library import ShownFile, ShownMaterial
from shared.errors import Language, Text
from shared.http.markup import Markup, element

_PICTURES = frozenset({"png", "jpeg", "gif", "webp"})
_SOUNDS = frozenset({"mp3", "m4a", "ogg", "wav"})
_FILMS = frozenset({"mp4", "webm"})
_PAPERS = frozenset({"pdf", "text"})
_PAGES = frozenset({"html", "svg"})
_WORDS = {
    "files": Text("Tệp của học liệu", "Files of the material"),
    "open": Text("Mở", "Open"),
    "save": Text("Tải về", "Download"),
    "unshown": Text(
        "Loại tệp này không xem được ngay trong trình duyệt; hãy tải về để mở.",
        "This kind of file cannot be shown in the browser; download it to open it.",
    ),
    "infected": Text("Tệp bị phần mềm quét virus từ chối.", "The virus scanner has refused this file."),
    "choose": Text("Chọn học liệu này", "Choose this material"),
    "back": Text("Quay lại danh sách", "Back to the list"),
    "licence": Text("Giấy phép", "Licence"),
    "version": Text("Phiên bản", "Version"),
}


def viewer_page(
    material: ShownMaterial, position: int | None, links: Links, *, name: str, language: Language, chooses: bool
) -> bytes:
    """`position` is the file to show (None: the first); `chooses` adds the picker's buttons."""
    shown = next((file for file in material.files if position in {None, file.position}), None)
    facts_line = " · ".join(
        part
        for part in (
            facts(material, language),
            ", ".join(material.authors),
            f"{_word('licence', language)}: {material.licence}" if material.licence else "",
            f"{_word('version', language)} {material.number}",
        )
        if part
    )
    return page(
        material.title,
        name,
        language,
        _choosing(material, language) if chooses else Markup(""),
        element("h1", material.title, lang=material.language),
        element("p", facts_line, class_="kind"),
        element("div", _stage(shown, links, language), class_="stage") if shown else Markup(""),
        element("p", material.description, class_="about", lang=material.language),
        _files(material, f"preview={material.material_id}&" if chooses else "", links, language),
    )


def _stage(file: ShownFile, links: Links, language: Language) -> Markup:
    if _infected(file):
        return element("p", _word("infected", language), class_="notice", role="alert")
    kind = BY_MEDIA_TYPE[file.media_type]
    url = _url(file, kind, links, inline=True)
    if kind.code in _PICTURES:
        return element("img", src=url, alt=file.name)
    if kind.code in _SOUNDS:
        return element("audio", src=url, controls="controls", preload="metadata")
    if kind.code in _FILMS:
        return element("video", src=url, controls="controls", preload="metadata")
    if kind.code in _PAPERS:
        return element("iframe", src=url, title=file.name, allowfullscreen="allowfullscreen")
    if (launch := launch_of(file.check)) is not None:
        # An origin of its own, that of the address for content: a package looks for its LMS in the frames around it.
        player, _ = links.player(file.sha256, launch)
        allowed = "allow-scripts allow-same-origin allow-forms allow-popups allow-modals"
        return element("iframe", src=player, title=file.name, sandbox=allowed, allowfullscreen="allowfullscreen")
    if kind.code in _PAGES:
        # The answer says the same of itself; said here too, it holds before the first byte has come.
        return element("iframe", src=url, title=file.name, sandbox="allow-scripts allow-popups")
    return element("p", _word("unshown", language), class_="notice")


def _files(material: ShownMaterial, at: str, links: Links, language: Language) -> Markup:
    """`at` is what the address says before the file."""
    title, lines = _word("files", language), [_line(file, at, links, language) for file in material.files]
    return element("nav", element("h2", title), element("ul", *lines), aria_label=title)


def _line(file: ShownFile, at: str, links: Links, language: Language) -> Markup:
    kind = BY_MEDIA_TYPE[file.media_type]
    about = element("span", f"{file.name} · {kind.code.upper()} · {size_words(file.size)}")
    if _infected(file):
        return element("li", about, element("span", _word("infected", language)))
    opened = _word("open", language)
    look = element("a", opened, href=f"?{at}file={file.position}", aria_label=f"{opened} {file.name}")
    save = element("a", _word("save", language), href=_url(file, kind, links, inline=False), rel="noreferrer")
    return element("li", about, element("span", look, " · ", save))


def _choosing(material: ShownMaterial, language: Language) -> Markup:
    """The form goes to the picker's own address, one step up."""
    return element(
        "form",
        element("input", type="hidden", name="material", value=str(material.material_id)),
        element("button", _word("choose", language), type="submit"),
        element("a", _word("back", language), href="?"),
        method="post",
        class_="bar",
    )


def _url(file: ShownFile, kind: FileType, links: Links, *, inline: bool) -> str:
    name = download_name(file.name, kind)
    return links.link(file.sha256, name, file.media_type, "inline" if inline else "attachment")[0]


def _infected(file: ShownFile) -> bool:
    return file.check is not None and file.check.scan == "infected"


def _word(name: str, language: Language) -> str:
    return _WORDS[name].of(language)
