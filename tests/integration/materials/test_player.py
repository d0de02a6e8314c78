"""A SCORM package plays at the address for content, file by file, from the folder and from a bucket alike."""

import json
import os
import re
import time
from urllib.parse import urlsplit

import pytest

from services.materials.domain.signed_links import PackageLink
from services.materials.storage.local_folder import LocalFolder
from services.materials.storage.packed_files import PackedFiles
from tests.integration.materials.lti import open_page, register
from tests.integration.materials.public import publish
from tests.integration.materials.shelf import CONTENT_URL, PATH, PDF, TEACHER
from tests.support.hostile_files import MANIFEST, archive, package
from tests.support.lti_platform import lms
from tests.unit.materials.inspection.test_readers import h5p, sample

PAGE = b"<html><script src='kich-ban/a.js'></script>Bai</html>"
NOISE = os.urandom(700_000)


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"max_upload_bytes": 8 * 1024 * 1024})


def scorm() -> bytes:
    return archive({"imsmanifest.xml": MANIFEST, "a.html": PAGE, "kich-ban/a.js": b"1;" * 100_000, "phim.bin": NOISE})


async def shown(library, content: bytes, name: str = "goi.zip") -> str:
    """The path, at the address for content, of the link to show it."""
    material = await library.create(content=content, name=name)
    link = await library.client.post(
        f"{PATH}/{material['id']}/files/1/link", headers=TEACHER, params={"disposition": "inline"}
    )
    url: str = link.json()["url"]
    assert url.startswith(CONTENT_URL)
    return url.removeprefix(CONTENT_URL)


async def test_a_package_is_played_from_its_own_files(library):
    player = await shown(library, scorm())
    page = await library.client.get(player)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "window.API = {" in page.text
    assert "window.API_1484_11 = {" in page.text
    (launch,) = re.findall(r'<iframe src="([^"]+)"', page.text)
    folder = player.rpartition("/")[0]
    first = await library.client.get(f"{folder}/{launch}")
    assert (first.content, first.headers["Content-Type"]) == (PAGE, "text/html; charset=utf-8")
    policy = first.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self' ")
    assert "http" not in policy  # it can send nothing to anybody else
    script = await library.client.get(f"{folder}/kich-ban/a.js")
    assert (script.content, script.headers["X-Content-Type-Options"]) == (b"1;" * 100_000, "nosniff")
    assert (await library.client.get(f"{folder}/phim.bin")).content == NOISE
    head = await library.client.head(f"{folder}/phim.bin")
    assert (head.headers["Content-Length"], head.content) == (str(len(NOISE)), b"")
    absent = await library.client.get(f"{folder}/khong-co.html")
    assert (absent.status_code, absent.json()["code"]) == (404, "package.file_unknown")


async def test_only_who_has_the_link_reads_the_package_and_only_that_one(library):
    player = await shown(library, scorm())
    other = (await library.create(content=package(khac=b"khac"), name="b.zip"))["file"]["sha256"]
    own = player.split("/")[4]
    grant = player.split("/")[5]
    for spoiled in (
        player.replace(own, other),
        player.replace(grant, grant[:-1] + ("0" if grant[-1] != "0" else "1")),
        player.replace(grant, "1." + grant.partition(".")[2]),
        player.replace(grant, "khong-phai"),
        player.replace(grant, "1.%C3%A1.%C3%A1"),
    ):
        answer = await library.client.get(spoiled)
        assert (answer.status_code, answer.json()["code"]) == (403, "link.invalid")
    over = PackageLink(own, "a.html", int(time.time()) - 1).url(CONTENT_URL, b"k" * 32)
    ended = await library.client.get(urlsplit(over).path)
    assert (ended.status_code, ended.json()["code"]) == (403, "link.expired")


async def test_what_the_player_cannot_play_is_answered_as_it_is(library):
    for content, name in ((h5p(), "a.h5p"), (PDF, "a.pdf")):
        assert "/packages/" not in await shown(library, content, name)


async def test_a_package_plays_inside_an_lms(library):
    material = await publish(library, content=scorm(), name="goi.zip")
    async with lms() as platform:
        await register(library, platform)
        _, viewer = await open_page(library, platform, platform.resource_link(material["id"]))
    (player, sandbox) = re.findall(r'<iframe src="([^"]+)"[^>]* sandbox="([^"]+)"', viewer.text)[0]
    assert player.startswith(f"{CONTENT_URL}/content/v1/packages/")
    assert "allow-top-navigation" not in sandbox
    assert (await library.client.get(player.removeprefix(CONTENT_URL))).status_code == 200


@pytest.mark.parametrize("name", ["scorm12_singlescobasic.zip", "scorm2004_3rd_runtimebasiccalls.zip"])
async def test_every_file_of_a_real_package_is_read_whole(library, name):
    player = await shown(library, sample(name).read_bytes())
    folder = player.rpartition("/")[0]
    page = await library.client.get(player)
    (launch,) = re.findall(r'<iframe src="([^"]+)"', page.text)
    first = await library.client.get(f"{folder}/{launch}")
    assert (first.status_code, b"<html" in first.content.lower()) == (200, True)


async def test_a_package_that_says_two_things_is_cut_off(tmp_path):
    """None such passes the inspection; should one, it ends the answer and nothing else."""
    store = LocalFolder(tmp_path)
    raw = bytearray(scorm())
    entry = raw.rindex(b"PK\x01\x02")
    raw[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")  # the last file, unpacked
    async with store.incoming() as incoming:
        await incoming.write(bytes(raw))
        sha256 = (await incoming.keep()).sha256
    packed = PackedFiles(store)
    file = await packed.find(sha256, "phim.bin")
    assert file is not None
    with pytest.raises(OSError, match="longer than"):
        _ = [block async for block in packed.read(sha256, file)]
    assert await packed.find("0" * 64, "phim.bin") is None
    assert json.dumps(sorted(packed._kept)) == json.dumps([sha256])
