"""What no honest vendor sends: a clear 4xx, and nothing stored, neither a row nor a file."""

import io
import struct
import zipfile

import httpx
import pytest

from tests.integration.sync.packages import HEADERS, make_csv, make_manifest, make_package, make_zip, school_files


@pytest.fixture
async def vendor(sync):
    await sync.put_schools("A")
    return sync.as_vendor("A")


async def assert_nothing_stored(sync):
    for table in ("import", "import_problem", "staged_person", "idempotency_record"):
        assert await sync.sql(f'SELECT count(*) FROM "{table}"') == [0], table
    folder = sync.settings.data_dir / "uploads"
    assert not folder.exists() or list(folder.iterdir()) == []


def entry(name: str, content: bytes = b"x", **attributes) -> bytes:
    """A ZIP with one entry beside a manifest, with the directory entry's attributes changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("manifest.csv", make_manifest({}))
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        for attribute, value in attributes.items():
            setattr(info, attribute, value)
        package.writestr(info, content)
    return buffer.getvalue()


def encrypted() -> bytes:
    content = bytearray(make_package(school_files("A")))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


def damaged() -> bytes:
    """One flipped byte inside the packed rows of users.csv: the checksum no longer holds."""
    content = bytearray(make_package(school_files("A", learners=200)))
    package = zipfile.ZipFile(io.BytesIO(bytes(content)))
    info = package.getinfo("users.csv")
    content[info.header_offset + 30 + len(info.filename) + info.compress_size // 2] ^= 0xFF
    return bytes(content)


def directory_of_many() -> bytes:
    """An end record that claims 60,000 entries."""
    content = bytearray(make_package(school_files("A")))
    at = content.rindex(b"PK\x05\x06")
    struct.pack_into("<HH", content, at + 8, 60000, 60000)
    return bytes(content)


def with_file(name: str, content: str) -> bytes:
    files: dict[str, bytes | str] = {"manifest.csv": make_manifest({"orgs": "bulk", "users": "bulk"})}
    files |= {"orgs.csv": make_csv("orgs", []), "users.csv": make_csv("users", [])}
    return make_zip(files | {name: content})


BODIES = {
    "empty body": (b"", "zip.empty"),
    "empty ZIP": (make_zip({}), "zip.empty"),
    "not a ZIP": (b"sourcedId,status\r\n1,active\r\n" * 100, "zip.notZip"),
    "truncated": (make_package(school_files("A"))[:-40], "zip.notZip"),
    "bomb": (make_zip({"manifest.csv": make_manifest({}), "users.csv": b"0" * 50_000_000}), "zip.ratio"),
    "too many entries": (make_zip({f"{number}.csv": b"" for number in range(100)}), "zip.tooManyEntries"),
    "directory of many": (directory_of_many(), "zip.tooManyEntries"),
    "traversal": (entry("../../etc/users.csv"), "zip.path"),
    "absolute path": (entry("/etc/users.csv"), "zip.path"),
    "drive": (entry("C:users.csv"), "zip.path"),
    "folder": (entry("roster/users.csv"), "zip.path"),
    "link": (entry("users.csv", b"/etc/passwd", external_attr=0o120777 << 16), "zip.symlink"),
    "encrypted": (encrypted(), "zip.encrypted"),
    "nested": (entry("more.zip", make_zip({"users.csv": "x"})), "zip.nested"),
    "damaged": (damaged(), "zip.damaged"),
    "no manifest": (make_zip({"users.csv": make_csv("users", [])}), "manifest.missing"),
    "unknown column": (with_file("users.csv", HEADERS["users"] + ",salary\r\n"), "header.unknown"),
    "missing column": (with_file("users.csv", "sourcedId,status,dateLastModified\r\n"), "header.missing"),
    "no header": (with_file("users.csv", ""), "file.empty"),
    "header of another encoding": (
        make_zip({"manifest.csv": make_manifest({"orgs": "bulk"}), "orgs.csv": b"t\xean\r\n"}),
        "file.notUtf8",
    ),
    "unknown file": (with_file("notes.txt", "hello"), "file.unknown"),
    "undeclared file": (with_file("roles.csv", HEADERS["roles"]), "file.undeclared"),
    "declared but missing": (make_zip({"manifest.csv": make_manifest({"orgs": "bulk"})}), "file.missing"),
    "nothing declared": (make_zip({"manifest.csv": make_manifest({})}), "manifest.nothing"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_an_unfit_package_is_refused_at_the_door_and_nothing_is_stored(sync, vendor, name):
    content, code = BODIES[name]
    answer = await sync.upload(content, vendor | {"Idempotency-Key": "one"})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "package.invalid"
    assert code in {each["code"] for each in problem["errors"]}
    assert all(each["pointer"].startswith("/") and each["detail"] for each in problem["errors"])
    await assert_nothing_stored(sync)


async def test_a_lenient_upload_does_not_make_a_hostile_package_fit(sync, vendor):
    for name in ("bomb", "traversal", "encrypted", "link", "missing column"):
        answer = await sync.upload(BODIES[name][0], vendor, lenient="true")
        assert answer.status_code == 422, name
    await assert_nothing_stored(sync)


@pytest.mark.parametrize("kind", ["text/csv", "application/json", "", "text/html"])
async def test_a_wrong_content_type_is_refused_and_nothing_is_stored(sync, vendor, kind):
    answer = await sync.client.post(
        "/sync/v1/imports", content=make_package(school_files("A")), headers=vendor | {"Content-Type": kind}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "media_type.unsupported")
    await assert_nothing_stored(sync)


async def test_a_declared_gigabyte_is_refused_before_a_byte_is_read(sync, vendor):
    async def body():
        raise AssertionError("the body was read")
        yield b""

    request = sync.client.build_request(
        "POST",
        "/sync/v1/imports",
        content=body(),
        headers=vendor | {"Content-Type": "application/zip", "Content-Length": str(1024**3)},
    )
    answer = await sync.client.send(request)
    assert (answer.status_code, answer.json()["code"]) == (413, "body.too_large")
    await assert_nothing_stored(sync)


async def test_a_body_that_grows_beyond_the_limit_is_cut_off_and_nothing_is_stored(sync, vendor, monkeypatch):
    async def body():
        for _ in range(300):
            yield b"0" * 1024 * 1024

    answer = await sync.client.post(
        "/sync/v1/imports", content=body(), headers=vendor | {"Content-Type": "application/zip"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body.too_large")
    await assert_nothing_stored(sync)


async def test_without_the_scope_nothing_is_received(sync):
    await sync.put_schools("A")
    reader = sync.as_vendor("A", scope="sync.read")
    answer = await sync.upload(make_package(school_files("A")), reader)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope.missing")
    assert (await sync.upload(make_package(school_files("A")), {})).status_code == 401
    await assert_nothing_stored(sync)


async def test_a_form_with_one_file_is_taken_as_well(sync, vendor):
    package = make_package(school_files("A"))
    answer = await sync.client.post(
        "/sync/v1/imports", files={"file": ("roster.zip", package, "application/zip")}, headers=vendor
    )
    assert answer.status_code == 202, answer.text
    assert answer.json()["size"] == len(package)
    empty = await sync.client.post("/sync/v1/imports", files={}, data={"a": "b"}, headers=vendor)
    assert isinstance(empty, httpx.Response)
    assert empty.status_code in {400, 415, 422}


async def test_a_file_with_a_broken_row_loses_that_row_only(sync, vendor):
    files = school_files("A")
    users = make_csv("users", files["users"]).encode()
    lines = users.split(b"\r\n")
    lines[1] = lines[1].replace("Nguyễn".encode(), "Nguyễn".encode("utf-16"))
    lines[2] = lines[2] + b",one,two"
    contents: dict[str, bytes | str] = {"manifest.csv": make_manifest(dict.fromkeys(files, "bulk"))}
    contents |= {f"{name}.csv": make_csv(name, rows) for name, rows in files.items()}
    contents["users.csv"] = b"\r\n".join(lines)
    done = await sync.imported(make_zip(contents), vendor, mode="auto")
    assert done["state"] == "committed"
    found = await sync.problems(done["id"], vendor, file="users.csv")
    assert {(each["line"], each["code"]) for each in found} == {(2, "row.notUtf8"), (3, "row.columnCount")}
    assert len(await sync.roster("users", vendor)) == 9
