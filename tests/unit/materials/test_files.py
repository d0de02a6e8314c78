import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.materials.api.download import content_disposition
from services.materials.domain.file_names import ascii_name, checked_name, download_name
from services.materials.domain.file_types import (
    ACCEPTED,
    DOCX,
    HEAD_BYTES,
    HTML,
    MP4,
    PDF,
    SVG,
    TEXT,
    WEBP,
    recognise,
)
from shared.errors import AppError


def no_zip() -> frozenset[str]:
    raise AssertionError("not a ZIP")


@given(st.binary(max_size=64))
def test_whatever_is_not_recognised_is_refused_and_nothing_crashes(head):
    try:
        kind = recognise(head, frozenset)
    except AppError:
        return
    assert kind in ACCEPTED


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"<!DOCTYPE html><script>", HTML),
        (b"\xef\xbb\xbf  <html lang='vi'>", HTML),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', SVG),
        ("Bài tập về nhà\n1. Tính".encode(), TEXT),
        ("ề".encode() * HEAD_BYTES, TEXT),
        (b"RIFF\0\0\0\0WEBPVP8 ", WEBP),
    ],
)
def test_what_people_write_is_told_apart(head, kind):
    assert recognise(head[:HEAD_BYTES], no_zip) is kind


@pytest.mark.parametrize("head", [b"", b"  \n", b"a\0b", b"\xff\xfe a", b"<?xml version='1.0'?><x/>", b"MZ\x90"])
def test_what_is_no_text_and_no_known_kind_is_refused(head):
    with pytest.raises(AppError, match=r"file\.type_unsupported"):
        recognise(head, no_zip)


def test_video_is_told_by_its_brand():
    assert recognise(b"\x00\x00\x00\x18ftypmp42" + bytes(20), no_zip) is MP4
    with pytest.raises(AppError, match=r"file\.type_unsupported"):
        recognise(b"\x00\x00\x00\x18ftypheic" + bytes(20), no_zip)


def test_a_pdf_begins_with_its_mark_and_not_somewhere_later():
    assert recognise(b"%PDF-1.4\n", no_zip) is PDF
    with pytest.raises(AppError, match=r"file\.type_unsupported"):
        recognise(b"\0%PDF-1.4", no_zip)


def test_an_archive_that_claims_to_be_two_documents_is_neither():
    names = frozenset({"[Content_Types].xml", "word/document.xml", "xl/workbook.xml"})
    with pytest.raises(AppError, match=r"file\.type_unsupported"):
        recognise(b"PK\x03\x04", lambda: names)
    assert recognise(b"PK\x03\x04", lambda: names - {"xl/workbook.xml"}) is DOCX


@given(st.text(max_size=220))
def test_a_checked_name_is_never_a_path_and_always_fits_a_header(name):
    try:
        clean = checked_name(name)
    except AppError:
        return
    assert not set(clean) & set("/\\\r\n\0")
    header = content_disposition(download_name(clean, PDF))
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


def test_tone_marks_are_dropped_for_old_clients_only():
    assert ascii_name("Đề cương ôn tập.pdf") == "De cuong on tap.pdf"
    assert "filename*=UTF-8''%C4%90%E1%BB%81.pdf" in content_disposition("Đề.pdf")


def test_a_download_ends_as_its_content_demands():
    assert download_name("Bài.PDF", PDF) == "Bài.PDF"
    assert download_name("Bài.html", PDF) == "Bài.html.pdf"
