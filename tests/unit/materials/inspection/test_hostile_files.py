"""Each is refused with its own reason by a child that may die of it; the next file is looked at as if nothing was."""

import contextlib
import resource
import zipfile

import pytest

from deploy.demo.pdf import one_page
from services.materials.inspection.child import bind
from services.materials.inspection.inspector import Inspector
from services.materials.inspection.report import Limits
from shared.errors import AppError, Kind
from tests.support import hostile_files as hostile

GOOD = one_page("Phan so")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (hostile.zip_bomb, "archive.ratio"),
        (hostile.overlapping, "archive.overlap"),
        (lambda: hostile.named("../../etc/cron.d/x"), "archive.path_escape"),
        (lambda: hostile.named("..\\x"), "archive.path_escape"),
        (lambda: hostile.named("/etc/x"), "archive.path_escape"),
        (lambda: hostile.named("C:\\x"), "archive.path_escape"),
        (lambda: hostile.named("A.HTML"), "archive.duplicate"),
        (hostile.symlink, "archive.symlink"),
        (hostile.encrypted, "file.encrypted"),
        (lambda: hostile.package(inside__deep=hostile.package()), "archive.nested"),
        (lambda: hostile.package(inside=b"Rar!\x1a\x07\x00"), "archive.nested"),
        (lambda: hostile.many_entries(1_000_000), "archive.too_many_entries"),
        (lambda: hostile.lying_about_entries(1_000_000), "archive.too_many_entries"),
        (lambda: hostile.lying_in_the_small_record(30_000), "archive.too_many_entries"),
        (lambda: hostile.lying_in_the_small_record(10_000), "file.damaged"),
        (lambda: hostile.two_directories(1_000_000), "file.damaged"),
        (lambda: hostile.named(""), "archive.nameless"),
        (hostile.bad_name, "file.damaged"),
        (hostile.bad_name_in_local_header, "file.damaged"),
        (lambda: hostile.packed_by(zipfile.ZIP_LZMA), "archive.method"),
        (lambda: hostile.packed_by(zipfile.ZIP_BZIP2), "archive.method"),
        (lambda: hostile.with_manifest(hostile.XXE), "file.xml_doctype"),
        (lambda: hostile.with_manifest(hostile.BILLION_LAUGHS), "file.xml_doctype"),
        (lambda: hostile.with_manifest(hostile.XXE.decode().encode("utf-16")), "file.xml_doctype"),
        (lambda: hostile.with_manifest(hostile.XXE.decode().encode("utf-16-be")), "file.xml_doctype"),
        (lambda: hostile.with_manifest(hostile.XXE.decode().encode("utf-32")), "file.xml_encoding"),
        (lambda: hostile.with_manifest(hostile.XXE.decode().encode("utf-32-be")), "file.xml_encoding"),
        (lambda: hostile.with_manifest(hostile.declared("utf-7")), "file.xml_encoding"),
        (lambda: hostile.with_manifest(hostile.declared("cp037")), "file.xml_invalid"),
        (lambda: hostile.with_manifest(hostile.DEEP_XML), "file.xml_invalid"),
        (hostile.png_bomb, "file.image_too_large"),
        (lambda: hostile.package()[:-10], "file.damaged"),
        (lambda: GOOD[:40], "file.damaged"),
        (lambda: b"\x00\x01\x02", "file.type_unsupported"),
    ],
)
async def test_it_is_refused_with_its_own_reason(inspect, make, code):
    with pytest.raises(AppError) as refused:
        await inspect(make())
    assert (refused.value.code, refused.value.kind) == (code, Kind.INVALID)
    assert refused.value.text.vi
    assert (await inspect(GOOD)).pages == 1


@pytest.mark.parametrize("make", [hostile.looping_pdf, hostile.self_drawing_pdf, hostile.endless_pdf])
async def test_a_pdf_that_loops_ends_and_nothing_else_suffers(inspect, make):
    with contextlib.suppress(AppError):  # refused or read as far as it goes: either is right, hanging is not
        assert len((await inspect(make(), cpu_seconds=5, wall_seconds=20)).text) <= 200_000
    assert (await inspect(GOOD)).pages == 1


async def test_a_child_that_needs_too_long_is_ended(inspect):
    with pytest.raises(AppError, match=r"file\.too_costly"):
        await inspect(hostile.endless_pdf(), wall_seconds=0.01)


async def test_a_child_that_needs_too_much_memory_is_ended(inspect):
    with pytest.raises(AppError, match=r"file\.too_costly"):
        await inspect(GOOD, memory_bytes=32 * 1024 * 1024)


async def test_a_file_that_is_gone_is_our_fault_and_not_the_senders(tmp_path):
    with pytest.raises(AppError) as failed:
        await Inspector().inspect(tmp_path / "gone")
    assert (failed.value.code, failed.value.kind) == ("inspection.unavailable", Kind.UNAVAILABLE)


def test_the_child_binds_everything_before_it_looks(monkeypatch):
    bound = {}
    monkeypatch.setattr(resource, "setrlimit", lambda what, amounts: bound.update({what: amounts}))
    bind(Limits(memory_bytes=7, cpu_seconds=3))
    assert bound == {
        resource.RLIMIT_AS: (7, 7),
        resource.RLIMIT_CPU: (3, 3),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (64, 64),
        resource.RLIMIT_NPROC: (0, 0),
    }
