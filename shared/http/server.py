"""uvicorn with the options every process of ours uses."""

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 10


def server_config(app: ASGIApp, *, host: str, port: int) -> uvicorn.Config:
    """`httptools`, because h11 executed a smuggled second request; our own logs instead of uvicorn's."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,
        backlog=2048,
    )


def serve(app: ASGIApp, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; running requests get ten seconds to end."""
    uvicorn.Server(server_config(app, host=host, port=port)).run()
