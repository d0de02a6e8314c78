import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.materials.api.download import content_disposition
from services.materials.domain.file_names import ascii_name, checked_name, download_name
from services.materials.domain.file_types import ACCEPTED, DOCX, MP4, PDF, recognise
from services.materials.storage.zip_directory import MAX_ENTRIES, names_in_zip
from shared.errors import AppError


def no_zip() -> frozenset[str]:
    raise AssertionError("not a ZIP")


def archive(*names: str) -> io.BytesIO:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return held


@given(st.binary(max_size=64))
def test_whatever_is_not_recognised_is_refused_and_nothing_crashes(head):
    try:
        kind = recognise(head, lambda: names_in_zip(io.BytesIO(head)))
    except AppError:
        return
    assert kind in ACCEPTED


def test_video_is_told_by_its_brand():
    assert recognise(b"\x00\x00\x00\x18ftypmp42" + bytes(20), no_zip) is MP4
    with pytest.raises(AppError, match=r"file\.type_unsupported"):
        recognise(b"\x00\x00\x00\x18ftypheic" + bytes(20), no_zip)


def test_a_pdf_begins_with_its_mark_and_not_somewhere_later():
    assert recognise(b"%PDF-1.4\n", no_zip) is PDF
    with pytest.raises(AppError, match=r"file\.type_unsupported"):
        recognise(b"<html>%PDF-1.4", no_zip)


def test_an_archive_that_claims_to_be_two_documents_is_neither():
    names = frozenset({"[Content_Types].xml", "word/document.xml", "xl/workbook.xml"})
    with pytest.raises(AppError, match=r"file\.type_unsupported"):
        recognise(b"PK\x03\x04", lambda: names)
    assert recognise(b"PK\x03\x04", lambda: names - {"xl/workbook.xml"}) is DOCX


def test_names_are_those_python_reads_too():
    held = archive("a", "thư mục/bài.xml", "[Content_Types].xml")
    assert names_in_zip(held) == {"a", "thư mục/bài.xml", "[Content_Types].xml"}


def test_an_archive_of_too_many_entries_is_refused_before_they_are_read():
    held = archive(*(str(number) for number in range(MAX_ENTRIES + 1)))
    with pytest.raises(AppError, match=r"file\.archive_too_large"):
        names_in_zip(held)


def test_an_archive_that_counts_wrongly_or_ends_early_is_damaged():
    raw = bytearray(archive("a", "b").getvalue())
    end = raw.rindex(b"PK\x05\x06")
    for offset, value in ((10, 3), (12, 7)):  # number of entries, length of the directory
        broken = raw.copy()
        struct.pack_into("<H", broken, end + offset, value)
        with pytest.raises(AppError, match=r"file\.archive_damaged"):
            names_in_zip(io.BytesIO(bytes(broken)))
    with pytest.raises(AppError, match=r"file\.archive_damaged"):
        names_in_zip(io.BytesIO(bytes(raw[:-5])))


def test_an_encrypted_archive_is_refused():
    raw = bytearray(archive("a").getvalue())
    place = raw.rindex(b"PK\x01\x02")
    raw[place + 8] |= 1
    with pytest.raises(AppError, match=r"file\.archive_encrypted"):
        names_in_zip(io.BytesIO(bytes(raw)))


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
