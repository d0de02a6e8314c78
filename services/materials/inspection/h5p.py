"""H5P packages: `h5p.json`, `content/content.json` and the libraries they need."""

import html
import json
import re
from typing import Any

from services.materials.inspection.archive import Archive
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import CONTENTS_LIMIT, TEXT_LIMIT, Inspection

# What H5P's own validator lets into a package (h5p.org, "files allowed"), content and libraries.
_ALLOWED = frozenset(
    {
        *("bmp", "gif", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp"),
        *("m4a", "mp3", "mp4", "ogg", "ogv", "wav", "webm", "swf", "vtt", "webvtt", "glb", "gltf"),
        *("csv", "doc", "docx", "json", "md", "odp", "ods", "odt", "pdf", "ppt", "pptx", "rtf", "textile", "txt"),
        *("xls", "xlsx", "xml", "diff", "patch", "css", "js", "eot", "otf", "ttf", "woff", "woff2"),
    }
)
# Texts and settings that libraries bring along under a name without an ending; each by its whole name.
_PLAIN = frozenset({"license", "readme", "copying", "changelog", ".gitignore", ".gitattributes", ".editorconfig"})
_TAG = re.compile(r"<[^>]{0,1000}>")


def read_h5p(archive: Archive) -> Inspection:
    """Title, main library and text. Raises `h5p.invalid` or `h5p.file_type` with the place."""
    head = _json(archive, "h5p.json")
    main, dependencies = head.get("mainLibrary"), head.get("preloadedDependencies")
    if not isinstance(main, str) or not isinstance(head.get("title"), str) or not isinstance(dependencies, list):
        raise refusal("h5p.invalid", place="h5p.json")
    if not archive.has("content/content.json"):
        raise refusal("package.file_missing", place="content/content.json")
    content = _json(archive, "content/content.json")
    for name in sorted(archive.names):
        file = name.rpartition("/")[2].lower()
        if file not in _PLAIN and not ("." in file and file.rpartition(".")[2] in _ALLOWED):
            raise refusal("h5p.file_type", place=name)
    found = Inspection("h5p", title=html.unescape(head["title"]), standard=f"H5P, {main}")
    needed = [each for each in dependencies if isinstance(each, dict)]
    found.contents = [_library(each) for each in needed][:CONTENTS_LIMIT]
    found.text = "\n".join([found.title or "", *_words(content)])[:TEXT_LIMIT]
    _note_libraries(archive, needed, found)
    return found


def _json(archive: Archive, name: str) -> dict[str, Any]:
    try:
        document = json.loads(archive.read(name))
    except (ValueError, RecursionError) as failure:
        raise refusal("h5p.invalid", place=name) from failure
    if not isinstance(document, dict):
        raise refusal("h5p.invalid", place=name)
    return document


def _library(dependency: dict[str, Any]) -> str:
    return f"{dependency.get('machineName')} {dependency.get('majorVersion')}.{dependency.get('minorVersion')}"


def _note_libraries(archive: Archive, needed: list[dict[str, Any]], found: Inspection) -> None:
    for each in needed:
        name, major, minor = (each.get(key) for key in ("machineName", "majorVersion", "minorVersion"))
        if not archive.has(f"{name}-{major}.{minor}/library.json"):
            found.note(
                "h5p.library_absent",
                "Gói không kèm thư viện này; nơi phát phải có sẵn.",
                "The package does not bring this library along; the player must have it.",
                _library(each),
            )


def _words(value: Any) -> list[str]:
    """Texts a learner would read: strings with a space in them, without their tags."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += reversed(list(each.values()))
        elif isinstance(each, list):
            waiting += reversed(each)
        elif isinstance(each, str) and " " in each:
            found.append(html.unescape(_TAG.sub(" ", each)))
    return found
