"""A large file by tus through the gateway against `cp` to the same disk, and back against nginx serving the same file.

    python -m tests.load.transfers [--megabytes 2048] [--rounds 3]

The whole system runs as `make run` starts it. `cp` ends with an fsync, as each chunk of ours does. nginx is taken from
the machine; where there is none, the download is shown without a limit. Memory is the highest resident set of the
gateway's and the service's process, after against before.
"""

# ruff: noqa: T201  # a table on the terminal is what it is for

import argparse
import base64
import contextlib
import dataclasses
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from deploy.demo.city import SECOND_SCHOOL
from deploy.demo.client import Caller, Gateway
from deploy.local.plan import REPOSITORY
from deploy.local.ports import Ports, free_block
from tests.load.figures import Figure, against, alone, show, write
from tests.support.supervised import Supervised, ended_with_the_test

API = "/materials/v1"
CHUNK = 64 * 1024 * 1024
_BLOCK = 1024 * 1024
_MEGABYTE = 1024 * 1024
_HEAD = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"
_TUS = {"Tus-Resumable": "1.0.0"}


def make_film(path: Path, megabytes: int) -> None:
    """A file that begins like an MP4; what comes after is noise that nobody can pack."""
    with path.open("wb") as file:
        file.write(_HEAD)
        file.write(os.urandom(_MEGABYTE - len(_HEAD)))
        for _ in range(megabytes - 1):
            file.write(os.urandom(_MEGABYTE))


def copied(source: Path, target: Path) -> float:
    """Seconds of a copy that is on the disk."""
    os.sync()
    started = time.perf_counter()
    subprocess.run(["cp", "--reflink=never", source, target], check=True)  # the tool itself is the limit
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return time.perf_counter() - started


def uploaded(gateway: str, token: str, source: Path) -> tuple[float, str]:
    """Seconds of an upload by tus in chunks of 64 MiB over one connection, and its path."""
    size = source.stat().st_size
    name = base64.b64encode(b"phim.mp4").decode()
    http_ = _connection(gateway)
    headers = _TUS | {"Authorization": token}
    os.sync()
    started = time.perf_counter()
    begun = headers | {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"}
    http_.request("POST", f"{API}/uploads", headers=begun)
    place = urlsplit(_read(http_, 201).headers["Location"]).path
    with source.open("rb") as file:
        for offset in range(0, size, CHUNK):
            length = min(CHUNK, size - offset)
            said = headers | {
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": str(offset),
                "Content-Length": str(length),
            }
            http_.request("PATCH", place, body=_Part(file, length), headers=said)
            _read(http_, 204)
    return time.perf_counter() - started, place


def downloaded(address: str, path: str, headers: dict[str, str], size: int) -> float:
    """Seconds of a GET whose bytes are thrown away."""
    http_ = _connection(address)
    buffer = bytearray(_BLOCK)
    started = time.perf_counter()
    http_.request("GET", path, headers=headers)
    answer = http_.getresponse()
    assert answer.status == 200, answer.read(500)
    read = 0
    while count := answer.readinto(buffer):
        read += count
    assert read == size
    return time.perf_counter() - started


class _Part:
    """A stretch of a file as `http.client` sends it."""

    def __init__(self, file: object, length: int) -> None:
        self._file, self._left = file, length

    def read(self, size: int = _BLOCK, /) -> bytes:
        block: bytes = self._file.read(min(size, self._left))  # type: ignore[attr-defined]  # a binary file
        self._left -= len(block)
        return block


def _connection(address: str) -> http.client.HTTPConnection:
    parts = urlsplit(address)
    assert parts.hostname is not None
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=600, blocksize=_BLOCK)


def _read(connection: http.client.HTTPConnection, status: int) -> http.client.HTTPResponse:
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == status, (answer.status, body[:500])
    return answer


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str | None]:
    """nginx over a folder, with sendfile; None where the machine has none."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(
        f"{user} daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1; events {{}}\n"
        f"http {{ access_log off; sendfile on; tcp_nopush on; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    process = subprocess.Popen([program, "-c", configuration], stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def peaks(supervisor: int) -> dict[str, float]:
    """The highest resident set so far, in MiB, of the gateway's and the library's API process."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            status = dict(line.split(":\t", 1) for line in (entry / "status").read_text().splitlines() if ":\t" in line)
            for name in ("gateway", "materials"):
                if f"services.{name}.main".encode() in words and int(status["PPid"]) == supervisor:
                    found[name] = int(status["VmHWM"].split()[0]) / 1024
    return found


def _material(teacher: Caller, upload: str) -> str:
    """A material with the uploaded file; the path of its file."""
    metadata = {
        "schoolSourcedId": SECOND_SCHOOL.sourced_id,
        "title": "Phim dài",
        "type": "video",
        "subject": "mathematics",
        "grades": ["6"],
    }
    made = teacher.send("POST", f"{API}/materials", json=metadata).json()
    teacher.send("POST", f"{API}/materials/{made['id']}/files", json={"upload": upload.rpartition("/")[2]})
    return f"{API}/materials/{made['id']}/file"


def figures(megabytes: int, rounds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-transfers-") as name, contextlib.ExitStack() as opened:
        folder = Path(name)
        folder.chmod(0o755)
        film = folder / "film.mp4"
        make_film(film, megabytes)
        ports = Ports(free_block())
        run = folder / "run"
        arguments = ("deploy.local", "--run-dir", str(run), "run", "--port", str(ports.gateway))
        system = opened.enter_context(ended_with_the_test(Supervised(run, ports, *arguments)))
        system.until_running()
        with Gateway(system.demo()) as gateway:
            teacher = gateway.person("second_teacher")
            return _measured(system, teacher, film, rounds)


def _measured(system: Supervised, teacher: Caller, film: Path, rounds: int) -> list[Figure]:
    size, token = film.stat().st_size, teacher.authorization
    megabytes = size / _MEGABYTE
    before = peaks(system.process.pid)
    ups, copies, takes, downs, served = [], [], [], [], []
    with nginx(film.parent) as other:
        for _ in range(rounds):
            copy = film.with_suffix(".copy")
            copies.append(megabytes / copied(film, copy))
            copy.unlink()
            seconds, place = uploaded(system.gateway_url, token, film)
            ups.append(megabytes / seconds)
            started = time.perf_counter()
            path = _material(teacher, place)
            takes.append(time.perf_counter() - started)
            if other is not None:
                served.append(megabytes / downloaded(other, f"/{film.name}", {}, size))
            downs.append(megabytes / downloaded(system.gateway_url, path, {"Authorization": token}, size))
            print(
                f"MB/s: upload {ups[-1]:.0f}, cp {copies[-1]:.0f}, download {downs[-1]:.0f}, {served[-1:]}", flush=True
            )
    after = peaks(system.process.pid)
    limit = f"{megabytes:.0f} MB"
    found = [_higher(against(f"upload of {limit} by tus through the gateway, against cp", "MB/s", ups, copies, 0.5))]
    if served:
        found.append(_higher(against("download through the gateway, against nginx", "MB/s", downs, served, 0.9)))
    else:
        found.append(_higher(alone("download through the gateway (no nginx here)", "MB/s", downs)))
    found.append(alone("a draft takes the upload over: looked at, hashed, kept", "s", takes))
    found += [alone(f"memory that {each} grew by", "MB", [after[each] - before[each]], 32) for each in sorted(after)]
    return found


def _higher(figure: Figure) -> Figure:
    return dataclasses.replace(figure, better="higher")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found = figures(options.megabytes, options.rounds)
    print(show(found))
    write(REPOSITORY / ".run" / "bench" / "materials-transfers.json", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
