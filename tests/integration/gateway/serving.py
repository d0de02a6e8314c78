"""An ASGI application on a real port, served by uvicorn as in production, in a thread of the test."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from deploy.local.ports import HOST
from shared.http.server import server_config

_START_SECONDS = 20.0


@contextlib.contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The application's address; it is gone when the block ends."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        config = server_config(app, host=HOST, port=listening.getsockname()[1])
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server starts too slowly"
            time.sleep(0.01)
        try:
            yield f"http://{HOST}:{config.port}"
        finally:
            server.should_exit = True
            thread.join(_START_SECONDS)


@contextlib.contextmanager
def closed_port() -> Iterator[str]:
    """An address where nobody listens: bound, so that nobody else gets it either."""
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        yield f"http://{HOST}:{bound.getsockname()[1]}"
