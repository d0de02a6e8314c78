import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.materials.api.multipart import PartBegin, PartEnd, multipart_events
from shared.errors import AppError

TYPE = "multipart/form-data; boundary=xyz"
BODY = (
    b'--xyz\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"a": 1}\r\n'
    + '--xyz\r\nContent-Disposition: form-data; name="file"; filename="Bài %22một%22.pdf"\r\n'.encode()
    + b"Content-Type: application/pdf\r\n\r\n%PDF\r\n--xy is no boundary\r\n--xyz--\r\n"
)


async def parts_of(body: bytes, cuts: list[int], content_type: str = TYPE) -> list[tuple[PartBegin, bytes]]:
    async def stream():
        edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
        for start, end in itertools.pairwise(edges):
            yield body[start:end]

    found: list[tuple[PartBegin, bytes]] = []
    async for event in multipart_events(content_type, stream()):
        if isinstance(event, PartBegin):
            found.append((event, b""))
        elif isinstance(event, bytes):
            found[-1] = (found[-1][0], found[-1][1] + event)
        else:
            assert isinstance(event, PartEnd)
    return found


@given(st.lists(st.integers(min_value=0), max_size=8))
async def test_parts_are_the_same_wherever_the_network_cuts(cuts):
    assert await parts_of(BODY, cuts) == [
        (PartBegin("metadata", None), b'{"a": 1}'),
        (PartBegin("file", 'Bài "một".pdf'), b"%PDF\r\n--xy is no boundary"),
    ]


@given(st.integers(min_value=0, max_value=len(BODY) - 5))
async def test_a_body_cut_off_anywhere_is_refused(end):
    with pytest.raises(AppError, match=r"upload\.malformed"):
        await parts_of(BODY[:end], [])


@pytest.mark.parametrize("content_type", ["", "multipart/form-data", "multipart/mixed; boundary=xyz", "text/plain"])
async def test_another_content_type_is_refused(content_type):
    with pytest.raises(AppError, match=r"media_type\.unsupported"):
        await parts_of(BODY, [], content_type)


@pytest.mark.parametrize("header", [b"", b'Content-Disposition: form-data; name="\xff"\r\n', b"X: y\r\n"])
async def test_a_part_without_a_readable_name_is_refused(header):
    with pytest.raises(AppError, match=r"upload\.malformed"):
        await parts_of(b"--xyz\r\n" + header + b"\r\nx\r\n--xyz--\r\n", [])
