"""What is refused leaves nothing behind: no row, no file."""

import json

import pytest

from tests.integration.materials.shelf import PATH, PDF, TEACHER, metadata, office, parts


def body(*sections: bytes, end: bytes = b"--x--\r\n") -> bytes:
    return b"".join(b"--x\r\n" + section + b"\r\n" for section in sections) + end


META = b'Content-Disposition: form-data; name="metadata"\r\n\r\n' + json.dumps(metadata()).encode()
FILE = b'Content-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n' + PDF


async def refused(library, answer, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()["messages"]) == {"vi", "en"}
    assert await library.count("material") == 0
    assert await library.count("stored_file") == 0
    assert library.stored() == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file.empty"),
        (b"MZ" + bytes(100), "file.type_unsupported"),
        (b"%PDF-1.7 and nothing more", "file.damaged"),
        (b"PK\x03\x04" + bytes(50), "file.damaged"),
        (office("imsmanifest.xml"), "package.manifest_invalid"),
        (office("lessons/imsmanifest.xml"), "package.manifest_nested"),
        (office("word/document.xml", "word/vbaProject.bin"), "file.macros"),
    ],
)
async def test_a_file_named_pdf_that_is_none_is_refused_by_its_content(library, content, code):
    await refused(library, await library.client.post(PATH, headers=TEACHER, **parts(content=content)), 422, code)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\x.pdf", "a/b.pdf", "/x.pdf", "..", "a\u202efdp.exe", "x" * 201]
)
async def test_a_path_as_file_name_is_refused(library, name):
    answer = await library.client.post(PATH, headers=TEACHER, **parts(name=name))
    await refused(library, answer, 422, "file.name_invalid")


@pytest.mark.parametrize("content_type", ["application/pdf", "multipart/form-data", "text/html"])
async def test_another_content_type_is_refused(library, content_type):
    answer = await library.client.post(PATH, headers=TEACHER | {"Content-Type": content_type}, content=PDF)
    await refused(library, answer, 415, "media_type.unsupported")


async def test_a_gigabyte_is_refused_by_its_declared_length(library):
    async def never_sent():
        raise AssertionError("the body must not be asked for")
        yield b""

    headers = TEACHER | {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(1024**3)}
    answer = await library.client.post(PATH, headers=headers, content=never_sent())
    await refused(library, answer, 413, "body.too_large")


async def test_a_body_without_a_length_is_cut_off_at_the_limit(library):
    sent = 0

    async def endless():
        nonlocal sent
        yield body(META, FILE, end=b"")
        while True:
            sent += 64 * 1024
            yield bytes(64 * 1024)

    headers = TEACHER | {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await library.client.post(PATH, headers=headers, content=endless())
    await refused(library, answer, 413, "body.too_large")
    assert sent <= library.settings.max_upload_bytes + 2 * 64 * 1024


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (body(FILE, META), "upload.parts_wrong"),
        (body(META), "upload.parts_wrong"),
        (body(META, FILE, FILE), "upload.parts_wrong"),
        (body(META, FILE.replace(b'"file"', b'"other"')), "upload.parts_wrong"),
        (body(META, FILE.replace(b'; filename="a.pdf"', b"")), "file.name_invalid"),
        (body(META, FILE, end=b""), "upload.malformed"),
        (body(META, b"no header at all"), "upload.malformed"),
        (b"", "upload.malformed"),
        (b"nothing of the kind", "upload.malformed"),
        (body(META.replace(b"{", b"", 1), FILE), "request.invalid"),
        (body(META + b" " * 70_000, FILE), "upload.metadata_too_large"),
    ],
)
async def test_a_body_that_is_not_metadata_and_then_one_file_is_refused(library, raw, code):
    headers = TEACHER | {"Content-Type": "multipart/form-data; boundary=x"}
    await refused(library, await library.client.post(PATH, headers=headers, content=raw), 422, code)


async def test_an_action_takes_no_large_body(library):
    material = await library.create()
    answer = await library.client.post(
        f"{PATH}/{material['id']}/return", headers=TEACHER, content=bytes(library.settings.max_body_bytes + 1)
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body.too_large")
