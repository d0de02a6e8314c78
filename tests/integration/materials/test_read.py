import asyncio

import pytest

from tests.integration.materials.panel import API
from tests.integration.materials.public import share
from tests.integration.materials.shelf import LEAD, PATH, PDF, TEACHER, office

ROWS = 5


async def test_pages_follow_each_other_newest_first_without_gap_or_repeat(library):
    made = [(await library.create(title=f"Bài {number}"))["id"] for number in range(ROWS)]
    found, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await library.client.get(PATH, headers=TEACHER, params=query)).json()
        found += [item["id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found == made[::-1]


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "WyJub3QtYS11dWlkIl0", "WzFd"])
async def test_a_cursor_of_ones_own_making_is_refused(library, cursor):
    answer = await library.client.get(PATH, headers=TEACHER, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "paging.cursor_invalid")


async def test_filters_narrow_the_list(library):
    fractions = await library.create()
    poem = await library.create(subject="literature", grades=["8", "9"], type="test")
    await library.act(poem, "submit", TEACHER)
    for query, expected in (
        ({"subject": "literature"}, [poem]),
        ({"grade": "9"}, [poem]),
        ({"grade": "6"}, [fractions]),
        ({"type": "e_lecture"}, [fractions]),
        ({"state": "submitted"}, [poem]),
        ({"school": "truong-a", "state": "draft"}, [fractions]),
        ({"subject": "physics"}, []),
    ):
        items = (await library.client.get(PATH, headers=LEAD, params=query)).json()["items"]
        assert [item["id"] for item in items] == [material["id"] for material in expected], query
    wrong = await library.client.get(PATH, headers=LEAD, params={"state": "lost"})
    assert wrong.status_code == 422


async def test_a_download_carries_the_bytes_and_headers_a_browser_cannot_misread(library):
    material = await library.create()
    answer = await library.client.get(f"{PATH}/{material['id']}/file", headers=TEACHER)
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["ETag"] == f'"{material["file"]["sha256"]}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert (
        answer.headers["Content-Disposition"] == "attachment; filename=\"Bai 1.pdf\"; filename*=UTF-8''B%C3%A0i%201.pdf"
    )


async def test_a_download_is_named_after_what_it_is(library):
    material = await library.create(content=office("ppt/presentation.xml"), name="bài.exe")
    answer = await library.client.get(f"{PATH}/{material['id']}/file", headers=TEACHER)
    assert 'filename="bai.exe.pptx"' in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("wanted", "status", "expected", "content_range"),
    [
        ("bytes=0-4", 206, PDF[:5], f"bytes 0-4/{len(PDF)}"),
        ("bytes=5-", 206, PDF[5:], f"bytes 5-{len(PDF) - 1}/{len(PDF)}"),
        ("bytes=-6", 206, PDF[-6:], f"bytes {len(PDF) - 6}-{len(PDF) - 1}/{len(PDF)}"),
        ("bytes=5-99999", 206, PDF[5:], f"bytes 5-{len(PDF) - 1}/{len(PDF)}"),
        ("bytes=0-1,4-5", 200, PDF, None),
        ("lines=1-2", 200, PDF, None),
        ("bytes=5-4", 200, PDF, None),
        ("bytes=99999-", 416, None, f"bytes */{len(PDF)}"),
        ("bytes=-0", 416, None, f"bytes */{len(PDF)}"),
    ],
)
async def test_a_range_is_answered_with_exactly_its_bytes(library, wanted, status, expected, content_range):
    material = await library.create()
    answer = await library.client.get(f"{PATH}/{material['id']}/file", headers=TEACHER | {"Range": wanted})
    assert answer.status_code == status
    assert answer.headers.get("Content-Range") == content_range
    if expected is None:
        assert answer.json()["code"] == "range.not_satisfiable"
    else:
        assert answer.content == expected
        assert answer.headers["Content-Length"] == str(len(expected))


async def test_conditions_compare_the_content(library):
    material = await library.create()
    url, etag = f"{PATH}/{material['id']}/file", f'"{material["file"]["sha256"]}"'
    unchanged = await library.client.get(url, headers=TEACHER | {"If-None-Match": f'"x", {etag}'})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    part = {"Range": "bytes=0-3"}
    assert (await library.client.get(url, headers=TEACHER | part | {"If-Range": etag})).status_code == 206
    assert (await library.client.get(url, headers=TEACHER | part | {"If-Range": '"other"'})).status_code == 200


async def test_a_file_the_store_has_lost_is_an_error_and_not_an_empty_answer(library):
    material = await library.create()
    next(library.folder.rglob(material["file"]["sha256"])).unlink()
    answer = await library.client.get(f"{PATH}/{material['id']}/file", headers=TEACHER)
    assert (answer.status_code, answer.json()["code"]) == (503, "file.missing")


async def test_no_transaction_is_open_while_a_file_is_streamed(library):
    material = await library.create()
    open_connections: list[int] = []
    app = library.client._transport.app
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": f"{PATH}/{material['id']}/file",
        "raw_path": b"",
        "query_string": b"",
        "headers": [(b"host", b"x"), (b"authorization", TEACHER["Authorization"].encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "root_path": "",
    }
    hang_up = asyncio.Event()
    asked = False

    async def receive():
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await hang_up.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        open_connections.append(library.runtime.engine.pool.checkedout())

    await app(scope, receive, send)
    assert len(open_connections) >= 2
    assert set(open_connections) == {0}


async def test_a_file_has_a_small_picture_where_one_could_be_made(library):
    material = await share(library)
    plain = await library.create(content=b"Bai tap", name="a.txt")
    for address in (f"{PATH}/{material['id']}/files/1/thumbnail", f"{API}/shelf/{material['id']}/files/1/thumbnail"):
        answer = await library.client.get(address, headers=TEACHER)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")
        assert answer.content[8:12] == b"WEBP"
        same = {"If-None-Match": answer.headers["ETag"]}
        assert (await library.client.get(address, headers=TEACHER | same)).status_code == 304
    none = await library.client.get(f"{PATH}/{plain['id']}/files/1/thumbnail", headers=TEACHER)
    assert (none.status_code, none.json()["code"]) == (404, "thumbnail.none")
