"""tus-js-client, the client browsers use, over a wire that breaks in the middle."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.materials.bootstrap import build
from services.materials.settings import MaterialsSettings
from tests.integration.materials.shelf import PATH, TEACHER, metadata, settle_city
from tests.integration.materials.test_tus import UPLOADS
from tests.support.cutting import wire
from tests.support.hostile_files import package

SOURCE = Path(__file__).parents[2] / "support" / "tus_js"
BIN = Path(sys.executable).parent
SIZE = 3_000_000


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> Path:
    """The client as its lock file says, installed once."""
    folder = tmp_path_factory.mktemp("tus-js")
    for name in ("package.json", "package-lock.json", "upload.js"):
        shutil.copy(SOURCE / name, folder / name)
    done = subprocess.run(  # our own file
        [BIN / "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
    )
    if done.returncode != 0:
        pytest.skip(f"NOT RUN: tus-js-client could not be installed: {done.stderr[-300:]}")
    return folder / "upload.js"


@pytest.fixture
async def service(database, start_service, tmp_path):
    fresh = database("materials")
    runtime = build(MaterialsSettings(database_url=fresh.app_url, nats_url="nats://unused.invalid"), role="api")
    await settle_city(runtime.units)
    await runtime.close()
    return start_service("materials", fresh, DATA_DIR=str(tmp_path / "data"))


async def upload(script: Path, base: str, file: Path, *, parallel: int = 1, stop_at: int | None = None):
    wanted = {
        "endpoint": f"{base}{UPLOADS}",
        "file": str(file),
        "headers": TEACHER,
        "parallel": parallel,
        "memory": str(file.with_suffix(".memory")),
        "stopAt": stop_at,
    }
    process = await asyncio.create_subprocess_exec(
        BIN / "node", script, json.dumps(wanted), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, failed = await asyncio.wait_for(process.communicate(), 120)
    if stop_at is not None:
        assert process.returncode == 3
        return None
    assert process.returncode == 0, failed.decode()[-2000:]
    return json.loads(said)


async def taken(base: str, url: str) -> str:
    """The SHA-256 of what a draft took over."""
    async with httpx.AsyncClient(base_url=base, headers=TEACHER, timeout=60) as client:
        material = (await client.post(PATH, json=metadata())).json()
        answer = await client.post(f"{PATH}/{material['id']}/files", json={"upload": url.rpartition("/")[2]})
        assert answer.status_code == 201, answer.text
        sha256: str = answer.json()["files"][0]["sha256"]
        return sha256


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "goi.zip"
    path.write_bytes(package(inside=os.urandom(SIZE)))
    return path


@pytest.mark.parametrize("parallel", [1, 3])
async def test_an_upload_goes_on_after_the_wire_broke(script, service, file, parallel):
    async with wire(service.url, [700_000, 2_000_000]) as line:
        done = await upload(script, line.url, file, parallel=parallel)
        assert line.broken == 2
    assert done["retries"] >= 2
    assert line.sent < len(file.read_bytes()) * 1.7  # it went on and did not begin anew
    assert await taken(service.url, done["url"]) == hashlib.sha256(file.read_bytes()).hexdigest()


async def test_an_upload_goes_on_in_another_process(script, service, file):
    assert await upload(script, service.url, file, stop_at=1_000_000) is None
    done = await upload(script, service.url, file)
    assert done["resumed"] is True
    assert await taken(service.url, done["url"]) == hashlib.sha256(file.read_bytes()).hexdigest()
