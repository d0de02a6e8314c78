"""Codes are issued by the department: an unknown one is held with one reason, a provisional learner is accepted."""

import gzip
from collections.abc import Callable

import pytest
from backports import zstd

from services.sync.bootstrap import uploads_of
from services.sync.domain.archive import ArchiveLimits
from services.sync.storage.objects_file import TooLargeError
from services.sync.storage.uploads import Uploads
from tests.integration.sync.packages import make_package, school_files
from tests.integration.sync.stage import DEPARTMENT


async def load(sync, kind, body, content_type="text/csv", headers=None):
    return await sync.client.post(
        f"/sync/v1/registry/{kind}",
        content=body if isinstance(body, bytes) else body.encode(),
        headers={**(headers or sync.as_department), "Content-Type": content_type},
    )


def renamed(files, old, new):
    """The package with one person under another code."""
    return {
        name: [{key: new if value == old else value for key, value in row.items()} for row in rows]
        for name, rows in files.items()
    }


async def state_of(sync):
    items = (await sync.read("/sync/v1/registry", sync.as_department))["items"]
    return {each["kind"]: (each["mode"], each["codes"]) for each in items}


async def test_codes_are_loaded_from_csv_and_ndjson_and_loading_them_again_changes_nothing(sync):
    await sync.put_schools("A")
    assert await state_of(sync) == {"learners": ("open", 0), "staff": ("open", 0)}
    body = "sourcedId,name\nA-hs0,An\nA-hs1,Bình\nbad code,Chi\nprovisional:x,Dũng\n"
    first = (await load(sync, "learners", body)).json()
    assert (first["read"], first["added"], first["known"], first["refused"]) == (4, 2, 0, 2)
    assert [(each["line"], each["code"]) for each in first["problems"]] == [
        (4, "registry.codeInvalid"),
        (5, "registry.codeProvisional"),
    ]
    assert first["droppedFields"] == ["name"]
    again = (await load(sync, "learners", body)).json()
    assert (again["added"], again["known"]) == (0, 2)
    lines = '{"sourcedId": "A-gv", "phone": "1"}\nnot json\n[]\n'
    staff = (await load(sync, "staff", lines, "application/x-ndjson")).json()
    assert (staff["added"], staff["refused"], staff["droppedFields"]) == (1, 2, ["phone"])
    assert await state_of(sync) == {"learners": ("authoritative", 2), "staff": ("authoritative", 1)}
    assert await sync.sql("SELECT count(*) FROM registry_code") == [3]


async def test_only_the_department_loads_codes_and_decides_the_mode(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    assert (await load(sync, "learners", "sourcedId\nx\n", headers=vendor)).status_code == 403
    school = sync.as_vendor("A", scope="sync.read sync.orgs")
    refused = await load(sync, "learners", "sourcedId\nx\n", headers=school)
    assert (refused.status_code, refused.json()["code"]) == (403, "registry.notDepartment")
    body = {"mode": "open", "reason": "x"}
    assert (await sync.client.put("/sync/v1/registry/staff", json=body, headers=school)).status_code == 403
    assert (await load(sync, "learners", "x", "image/png")).status_code == 415


async def test_people_with_unknown_codes_are_held_under_one_cause_and_retried_when_the_codes_arrive(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    await load(sync, "learners", "sourcedId\n" + "\n".join(f"A-hs{n}" for n in range(4)))
    done = await sync.imported(make_package(files), vendor, mode="auto")
    assert done["state"] == "committed"
    assert len(await sync.roster("students", vendor)) == 4
    # Staff codes were never loaded: open.
    assert len(await sync.roster("teachers", vendor)) == 1
    (cause,) = (await sync.read(f"/sync/v1/imports/{done['id']}/causes", vendor))["items"]
    assert (cause["code"], cause["who"], cause["value"]) == ("registry.unknown", "department", None)
    assert {each["file"]: each["rows"] for each in cause["files"]} == {
        "users.csv": 6,
        "roles.csv": 6,
        "enrollments.csv": 6,
    }
    await load(sync, "learners", "sourcedId\n" + "\n".join(f"A-hs{n}" for n in range(10)))
    answer = await sync.client.post(f"/sync/v1/imports/{done['id']}/retry", headers=vendor, json={"cause": cause["id"]})
    await sync.work()
    assert (await sync.read(answer.headers["location"], vendor))["state"] == "committed"
    assert len(await sync.roster("students", vendor)) == 10
    assert len(await sync.roster("enrollments", vendor)) == 11


async def test_a_provisional_learner_is_accepted_and_a_provisional_teacher_is_not(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    codes = "sourcedId\n" + "\n".join(f"A-hs{n}" for n in range(10))
    await load(sync, "learners", codes)
    await load(sync, "staff", "sourcedId\nA-other\n")
    files = renamed(renamed(school_files("A"), "A-hs0", "provisional:A-7"), "A-gv", "provisional:A-8")
    await sync.imported(make_package(files), vendor, mode="auto")
    assert {each["sourcedId"] for each in await sync.roster("users", vendor)} == {
        "provisional:A-7",
        *(f"A-hs{n}" for n in range(1, 10)),
    }


async def test_a_department_without_a_registry_switches_to_open_with_a_reason(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    await load(sync, "learners", "sourcedId\nother\n")
    path, body = "/sync/v1/registry/learners", {"mode": "open", "reason": "Chưa đủ mã"}
    silent = await sync.client.put(path, json={**body, "reason": "  "}, headers=sync.as_department)
    assert (silent.status_code, silent.json()["code"]) == (422, "reason.missing")
    answer = await sync.client.put(path, json=body, headers=sync.as_department)
    assert (answer.json()["mode"], answer.json()["reason"]) == ("open", "Chưa đủ mã")
    await sync.imported(make_package(school_files("A")), vendor, mode="auto")
    assert len(await sync.roster("students", vendor)) == 10
    assert DEPARTMENT in {each["sourcedId"] for each in await sync.roster("orgs", vendor)}


SCHOOLS = (
    "sourcedId,name,level,parentSourcedId,validFrom\n"
    "79-1,Trường Một,lower_secondary,{above},2026-09-01\n"
    "79-2,Trường Hai,upper_secondary,{above},\n"
    "79 3,Trường Ba,lower_secondary,{above},\n"
    "79-4,,lower_secondary,{above},\n"
    "79-5,Trường Năm,primary,{above},\n"
    "79-6,Trường Sáu,lower_secondary,khong-co,\n"
    "79-7,Trường Bảy,lower_secondary,{above},01/09/2026\n"
)


async def test_schools_are_loaded_from_a_file_and_wrong_lines_are_told_by_number(sync):
    await sync.put_schools()
    first = (await load(sync, "schools", SCHOOLS.format(above=DEPARTMENT))).json()
    assert (first["read"], first["added"], first["changed"], first["known"], first["refused"]) == (7, 2, 0, 0, 5)
    assert [each["line"] for each in first["problems"]] == [4, 5, 6, 7, 8]
    assert await sync.sql("SELECT sourced_id FROM org WHERE kind = 'school' ORDER BY 1") == ["79-1", "79-2"]
    again = (await load(sync, "schools", SCHOOLS.format(above=DEPARTMENT))).json()
    assert (again["added"], again["changed"], again["known"]) == (0, 0, 2)
    line = '{"sourcedId": "79-2", "name": "Tên mới", "level": "upper_secondary", "parentSourcedId": "%s"}\nkhông\n'
    third = (await load(sync, "schools", line % DEPARTMENT, "application/x-ndjson")).json()
    assert (third["changed"], third["refused"]) == (1, 1)
    done = await sync.imported(make_package(school_files("79-1")), sync.as_vendor("79-1"), mode="auto")
    assert done["state"] == "committed"


async def test_only_the_department_loads_schools(sync):
    await sync.put_schools("A")
    answer = await load(sync, "schools", "sourcedId\n", headers=sync.as_vendor("A", scope="sync.orgs"))
    assert answer.status_code == 403


PACKINGS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}


@pytest.mark.parametrize("packing", PACKINGS)
async def test_files_of_codes_and_schools_may_come_compressed(sync, packing):
    await sync.put_schools()
    pack = PACKINGS[packing]
    codes = (await load(sync, "learners", pack("\ufeffsourcedId,name\nA-hs0,An\nbad code,Chi\n".encode()))).json()
    assert (codes["read"], codes["added"], codes["refused"], codes["droppedFields"]) == (2, 1, 1, ["name"])
    assert [each["line"] for each in codes["problems"]] == [3]
    lines = pack(b'{"sourcedId": "A-gv"}\n{"sourcedId": "A-gv2"}\n')
    assert (await load(sync, "staff", lines, "application/x-ndjson")).json()["added"] == 2
    schools = (await load(sync, "schools", pack(SCHOOLS.format(above=DEPARTMENT).encode()))).json()
    assert (schools["read"], schools["added"], schools["refused"]) == (7, 2, 5)
    assert nothing_left(sync)


MANY = "sourcedId\n" + "".join(f"A-hs{n}\n" for n in range(9000))
UNFIT = {
    "gzip cut short": (lambda: gzip.compress(MANY.encode())[:-9], "registry.fileDamaged"),
    "gzip altered": (lambda: gzip.compress(MANY.encode())[:-8] + b"\0" * 8, "registry.fileDamaged"),
    "zstd cut short": (lambda: zstd.compress(MANY.encode())[:-3], "registry.fileDamaged"),
    "bomb": (lambda: gzip.compress(b"sourcedId\n" + b" " * 300_000_000), "registry.fileTooLarge"),
}


@pytest.mark.parametrize("case", UNFIT)
async def test_a_compressed_file_that_is_damaged_or_too_large_loads_nothing(sync, case):
    await sync.put_schools()
    make, code = UNFIT[case]
    for kind in ("learners", "schools"):
        answer = await load(sync, kind, make())
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert await state_of(sync) == {"learners": ("open", 0), "staff": ("open", 0)}
    assert nothing_left(sync)


async def test_unpacked_a_file_of_codes_is_no_larger_than_one_sent_plain_may_be(sync, tmp_path):
    assert uploads_of(sync.settings).limits.packed_bytes == sync.settings.max_upload_bytes
    packed = tmp_path / "codes.part"
    packed.write_bytes(gzip.compress(MANY.encode()))
    (tmp_path / "uploads").mkdir()
    assert Uploads(tmp_path, ArchiveLimits(packed_bytes=len(MANY))).unpack(packed).read_text() == MANY
    with pytest.raises(TooLargeError):
        Uploads(tmp_path, ArchiveLimits(packed_bytes=len(MANY) - 1)).unpack(packed)
    assert len(list((tmp_path / "uploads").iterdir())) == 1


def nothing_left(sync):
    return list((sync.settings.data_dir / "uploads").iterdir()) == []
