import json
from pathlib import Path

import pytest

from deploy.demo.pdf import one_page
from shared.errors import AppError
from tests.integration.materials.shelf import office, picture
from tests.support import hostile_files as make

PACKAGES = Path(__file__).parents[5] / "shared" / "data" / "packages"


def sample(name: str) -> Path:
    """A package other people made; it lies beside the repository and is not part of it."""
    if not PACKAGES.is_dir():
        pytest.skip(f"NOT RUN: {PACKAGES} is absent, real packages are not looked at")
    return PACKAGES / name


CMI5 = """<?xml version="1.0" encoding="utf-8"?>
<courseStructure xmlns="https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd">
<course id="https://so.example/khoa/1"><title><langstring lang="vi">Phân số</langstring></title>
<description><langstring lang="vi">Khóa học</langstring></description></course>
<au id="https://so.example/khoa/1/bai/1" moveOn="{move}" masteryScore="{score}"><title><langstring>Bài 1</langstring>
</title><description><langstring>x</langstring></description><url>{url}</url></au></courseStructure>"""


def cmi5(move: str = "Passed", score: str = "0.8", url: str = "bai1/index.html?x=1") -> bytes:
    document = CMI5.format(move=move, score=score, url=url).encode()
    return make.archive({"cmi5.xml": document, "bai1/index.html": b"<html/>"})


def h5p(head: dict[str, object] | None = None, **files: bytes) -> bytes:
    known = {"title": "Địa lí", "mainLibrary": "H5P.Blanks", "preloadedDependencies": []} | (head or {})
    content = json.dumps({"text": "<p>Thủ đô là *Hà Nội*</p>"}).encode()
    others = {name.replace("__", "."): held for name, held in files.items()}
    return make.archive({"h5p.json": json.dumps(known).encode(), "content/content.json": content, **others})


@pytest.mark.parametrize(
    ("name", "kind", "title", "launch", "standard"),
    [
        (
            "common_cartridge_1p1_py4e.imscc",
            "common_cartridge",
            "Python for Everybody import",
            None,
            "Common Cartridge 1.1",
        ),
        ("filltheblanks.h5p", "h5p", "Geography", None, "H5P, H5P.Blanks"),
        ("greeting-card.h5p", "h5p", "Greeting card", None, "H5P, H5P.GreetingCard"),
        (
            "scorm12_singlescobasic.zip",
            "scorm_1_2",
            "Golf Explained - Run-time Basic Calls",
            "shared/launchpage.html",
            "SCORM 1.2",
        ),
        (
            "scorm2004_3rd_runtimebasiccalls.zip",
            "scorm_2004",
            "Golf Explained - Run-time Basic Calls",
            "shared/launchpage.html",
            "SCORM 2004 3rd Edition",
        ),
    ],
)
async def test_a_real_package_is_recognised(inspect, name, kind, title, launch, standard):
    found = await inspect(sample(name).read_bytes())
    assert (found.kind, found.title, found.launch, found.standard) == (kind, title, launch, standard)
    assert found.problems == []
    assert found.contents


@pytest.mark.parametrize(
    ("name", "code", "place"),
    [
        ("scorm12_missing_organization.zip", "scorm.no_organization", "imsmanifest.xml"),
        ("scorm_bad.zip", "package.manifest_nested", "badscorm/imsmanifest.xml"),
    ],
)
async def test_a_real_package_that_is_broken_is_refused_with_the_place(inspect, name, code, place):
    with pytest.raises(AppError) as refused:
        await inspect(sample(name).read_bytes())
    assert (refused.value.code, refused.value.details["place"]) == (code, place)


async def test_a_pdf_has_pages_text_and_a_picture(inspect):
    found = await inspect(one_page("Phan so bang nhau", "Lop 6"))
    assert (found.kind, found.pages) == ("pdf", 1)
    assert "Phan so bang nhau" in found.text
    assert found.thumbnail is not None
    assert found.thumbnail[8:12] == b"WEBP"


async def test_office_documents_have_text_in_nfc_and_slides_are_counted(inspect):
    document, slides = await inspect(office()), await inspect(office("ppt/presentation.xml"))
    assert (document.kind, document.text) == ("docx", "Phân số bằng nhau")
    assert (slides.kind, slides.pages, slides.text) == ("pptx", 1, "Phân số bằng nhau")


async def test_a_picture_becomes_a_small_one(inspect):
    found = await inspect(picture())
    assert (found.kind, found.thumbnail is not None) == ("png", True)


async def test_a_page_of_html_is_its_words_and_not_its_scripts(inspect):
    found = await inspect(b"<html><title>Bai</title><script>alert(1)</script><p>Xin <b>ch\xc3\xa0o</b> em</p>")
    assert (found.kind, found.title) == ("html", "Bai")
    assert "chào" in found.text
    assert "alert" not in found.text


async def test_a_page_without_a_word_is_a_page(inspect):
    found = await inspect(b"<!DOCTYPE html><!-- -->")
    assert (found.kind, found.text, found.title) == ("html", "", None)


async def test_a_drawing_is_its_words(inspect):
    found = await inspect(b'<svg xmlns="http://www.w3.org/2000/svg"><title>Hinh</title><text>Tam giac</text></svg>')
    assert (found.kind, found.title, "Tam giac" in found.text) == ("svg", "Hinh", True)


async def test_a_good_scorm_package_tells_what_it_lacks(inspect):
    manifest = make.MANIFEST.replace(b'<file href="a.html"/>', b'<file href="a.html"/><file href="b%20c.css"/>')
    found = await inspect(make.with_manifest(manifest))
    assert (found.kind, found.launch) == ("scorm_1_2", "a.html")
    assert [(problem.code, problem.place) for problem in found.problems] == [("package.file_absent", "b c.css")]


async def test_a_scorm_package_that_breaks_off_later_says_where(inspect):
    second = b'<item identifier="j" identifierref="s"><title>Bai 2</title></item></organization>'
    resource = b'<resource identifier="s" type="webcontent" href="gone.html"/></resources>'
    manifest = make.MANIFEST.replace(b"</organization>", second).replace(b"</resources>", resource)
    found = await inspect(make.with_manifest(manifest))
    assert found.launch == "a.html"
    assert [(problem.code, problem.place) for problem in found.problems] == [("package.file_absent", "gone.html")]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<schemaversion>1.2", b"<schemaversion>3.0", "package.version_unknown"),
        (b'default="o"', b'default="p"', "scorm.no_organization"),
        (b'identifierref="r"', b'identifierref="s"', "scorm.resource_missing"),
        (b'identifierref="r"', b"", "scorm.nothing_to_launch"),
        (b'href="a.html">', b'href="gone.html">', "package.file_missing"),
        (b'href="a.html">', b'href="../a.html">', "scorm.nothing_to_launch"),
        (b"</manifest>", b"", "file.xml_invalid"),
    ],
)
async def test_a_scorm_package_that_cannot_be_played_is_refused(inspect, old, new, code):
    with pytest.raises(AppError) as refused:
        await inspect(make.with_manifest(make.MANIFEST.replace(old, new)))
    assert refused.value.code == code


async def test_a_cmi5_course_is_recognised(inspect):
    found = await inspect(cmi5())
    assert (found.kind, found.title, found.launch, found.contents) == ("cmi5", "Phân số", "bai1/index.html", ["Bài 1"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"move": "Whenever"}, "cmi5.invalid"),
        ({"score": "1.5"}, "cmi5.invalid"),
        ({"score": "high"}, "cmi5.invalid"),
        ({"url": "bai1/index.html?endpoint=x"}, "cmi5.invalid"),
        ({"url": "http://[bai"}, "cmi5.invalid"),
        ({"url": "bai2/index.html"}, "package.file_missing"),
        ({"url": "../../x.html"}, "package.file_missing"),
    ],
)
async def test_a_cmi5_course_that_breaks_a_rule_is_refused(inspect, change, code):
    with pytest.raises(AppError) as refused:
        await inspect(cmi5(**change))
    assert refused.value.code == code


async def test_an_h5p_package_without_its_libraries_is_taken_and_says_so(inspect):
    needed = [{"machineName": "H5P.Blanks", "majorVersion": 1, "minorVersion": 12}]
    found = await inspect(h5p({"preloadedDependencies": needed}))
    assert (found.kind, found.title) == ("h5p", "Địa lí")
    assert "Thủ đô là *Hà Nội*" in found.text
    assert [(problem.code, problem.place) for problem in found.problems] == [("h5p.library_absent", "H5P.Blanks 1.12")]


async def test_an_h5p_package_with_a_program_in_it_is_refused(inspect):
    for name in ("run__php", "page__html", "readme__html", "license__php", "__htaccess", "program"):
        with pytest.raises(AppError) as refused:
            await inspect(h5p(None, **{name: b"x"}))
        assert refused.value.code == "h5p.file_type"
    assert (await inspect(h5p(None, LICENSE=b"MIT"))).kind == "h5p"
    with pytest.raises(AppError, match=r"h5p\.invalid"):
        await inspect(h5p({"title": None}))
