"""What lies behind which path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service: its name for people, and its address without a slash at the end."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class ProxyRoute:
    """Everything at `path` and below it belongs to `upstream`. Metrics and logs call a call by its `path`."""

    path: str
    upstream: Upstream

    def covers(self, path: str) -> bool:
        return path.startswith(self.path) and path[len(self.path) : len(self.path) + 1] in {"", "/"}


def proxy_routes(urls: Mapping[str, str]) -> Sequence[ProxyRoute]:
    """The proxied prefixes, from the services' base addresses by name."""
    upstreams = {name: Upstream(name, url.rstrip("/")) for name, url in urls.items()}
    return (
        ProxyRoute("/sync", upstreams["sync"]),
        ProxyRoute("/ims/oneroster", upstreams["sync"]),
        ProxyRoute("/materials", upstreams["materials"]),
        ProxyRoute("/reporting", upstreams["reporting"]),
    )
