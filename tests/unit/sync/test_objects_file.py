"""Files of lines from people who mean no good: flat memory, whatever they unpack to."""

import gzip
import tracemalloc

import pytest
from backports import zstd

from services.sync.storage.objects_file import TooLargeError, is_objects, lines_of

MIB = 1024 * 1024


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_a_bomb_takes_no_memory_before_the_limit_stops_it(tmp_path, pack):
    bomb = tmp_path / "bomb"
    bomb.write_bytes(pack(b" " * 300 * MIB))
    assert bomb.stat().st_size < MIB
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            list(lines_of(bomb, 250 * MIB))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * MIB


def test_a_frame_that_asks_for_more_than_8_mib_at_hand_is_damaged(tmp_path):
    wide = tmp_path / "wide"
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    wide.write_bytes(packer.compress(b"{}\n" * 4 * MIB) + packer.flush())
    with pytest.raises(zstd.ZstdError):
        list(lines_of(wide, 250 * MIB))


@pytest.mark.parametrize("head", [b"{", b"[", b"\n", b"\r\n", b"\t{", b" {", b"\xef\xbb\xbf{"])
def test_a_file_that_may_be_json_is_not_taken_for_a_zip(tmp_path, head):
    path = tmp_path / "lines"
    path.write_bytes(head)
    assert is_objects(path)
