"""cmi5 course packages (AICC/ADL cmi5, course structure in `cmi5.xml`)."""

from urllib.parse import SplitResult, parse_qsl, urlsplit

from services.materials.inspection.archive import Archive
from services.materials.inspection.manifest import MANIFEST_LIMIT, path_of
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import CONTENTS_LIMIT, Inspection
from services.materials.inspection.safe_xml import Element, attribute, child_text, children, local, parse
from shared.errors import AppError

_NAMESPACE = "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"
_RESERVED = frozenset({"endpoint", "fetch", "actor", "registration", "activityid"})
_MOVE_ON = frozenset({"Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed", "NotApplicable"})
_LAUNCH_METHOD = frozenset({"AnyWindow", "OwnWindow"})


def read_cmi5(archive: Archive) -> Inspection:
    """Title, first assignable unit and outline. Raises `cmi5.invalid` with what is wrong and where."""
    root = parse(archive.read("cmi5.xml", MANIFEST_LIMIT), "cmi5.xml")
    if local(root) != "courseStructure" or not str(root.tag).startswith(f"{{{_NAMESPACE}}}"):
        raise _invalid("courseStructure", "namespace")
    course = next(iter(children(root, "course")), None)
    if course is None:
        raise _invalid("course", "missing")
    units = [element for element in root.iter() if local(element) == "au"]
    blocks = [element for element in root.iter() if local(element) == "block"]
    if not units:
        raise _invalid("au", "missing")
    _require_unique_ids([course, *units, *blocks])
    launches = [_check_unit(archive, unit) for unit in units]
    found = Inspection("cmi5", title=child_text(course, "title"), standard="cmi5")
    found.launch = next((launch for launch in launches if launch), None)
    titles = [child_text(element, "title") for element in (*blocks, *units)]
    found.contents = [title for title in titles if title][:CONTENTS_LIMIT]
    found.text = "\n".join(filter(None, [found.title, child_text(course, "description"), *titles]))
    return found


def _require_unique_ids(elements: list[Element]) -> None:
    seen: set[str] = set()
    for element in elements:
        name = attribute(element, "id") or ""
        if not _parts(name, name).scheme:
            raise _invalid(name or local(element), "id is no IRI")
        if name in seen:
            raise _invalid(name, "id is repeated")
        seen.add(name)


def _check_unit(archive: Archive, unit: Element) -> str | None:
    """The path of an assignable unit's start, None when it lies elsewhere on the web."""
    name = attribute(unit, "id") or ""
    if attribute(unit, "moveon") not in _MOVE_ON | {None}:
        raise _invalid(name, "moveOn")
    if attribute(unit, "launchmethod") not in _LAUNCH_METHOD | {None}:
        raise _invalid(name, "launchMethod")
    _check_mastery(name, attribute(unit, "masteryscore"))
    url = child_text(unit, "url") or ""
    parts = _parts(url, name)
    if _RESERVED & {key.lower() for key, _ in parse_qsl(parts.query, keep_blank_values=True)}:
        raise _invalid(name, "url has a reserved parameter")
    if parts.scheme in {"http", "https"}:
        return None
    path = path_of(url)
    if path is None or not archive.has(path):
        raise refusal("package.file_missing", place=url)
    return path


def _parts(address: str, place: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError as failure:
        raise _invalid(place, "the address is malformed") from failure


def _check_mastery(name: str, score: str | None) -> None:
    try:
        fits = score is None or 0 <= float(score) <= 1
    except ValueError:
        fits = False
    if not fits:
        raise _invalid(name, "masteryScore")


def _invalid(place: str, what: str) -> AppError:
    return refusal("cmi5.invalid", place=place, found=what)
