"""An S3-compatible server in a process of its own (moto), and a bucket in it."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx

NAME = "hoc-lieu"


@dataclass
class S3Server:
    port: int
    process: "subprocess.Popen[bytes]" = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(self.url, timeout=5)
                return
            assert time.monotonic() < deadline, "moto did not start"
            time.sleep(0.1)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def client(self) -> Any:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="khoa",
            aws_secret_access_key="bi-mat",  # moto takes any
        )

    def settings(self) -> dict[str, Any]:
        """For the materials service."""
        return {
            "content_store": "s3",
            "s3_bucket": NAME,
            "s3_endpoint": self.url,
            "s3_access_key": "khoa",
            "s3_secret_key": "bi-mat",
            "s3_prefix": "thu-vien/",
        }


@contextlib.contextmanager
def s3_server() -> Iterator[S3Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    server = S3Server(port)
    server.start()
    try:
        yield server
    finally:
        server.kill()
