"""What lies behind which path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_READ = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service: its name for people, and its address without a slash at the end."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class ProxyRoute:
    """Everything at `path` and below it belongs to `upstream`. Metrics and logs call a call by its `path`.

    Below the paths of `public` there are documents that need no token; they may be read and nothing else, by
    `public_methods`.
    """

    path: str
    upstream: Upstream
    public: tuple[str, ...] = ()
    public_methods: frozenset[str] = _READ

    def covers(self, path: str) -> bool:
        return path.startswith(self.path) and path[len(self.path) : len(self.path) + 1] in {"", "/"}

    def is_public(self, method: str, path: str) -> bool:
        return method in self.public_methods and ".." not in path and path.startswith(self.public)


# Where the standard wants a provider's discovery documents.
_DISCOVERY = tuple(f"/ims/oneroster/{service}/v1p2/discovery/" for service in ("rostering", "gradebook", "resources"))


def content_route(urls: Mapping[str, str]) -> ProxyRoute:
    """Files by signed links; they are their own permission, so no token is asked for."""
    return ProxyRoute("/content", Upstream("materials", urls["materials"].rstrip("/")), ("/content/",))


def proxy_routes(urls: Mapping[str, str]) -> Sequence[ProxyRoute]:
    """The proxied prefixes, from the services' base addresses by name."""
    upstreams = {name: Upstream(name, url.rstrip("/")) for name, url in urls.items()}
    return (
        ProxyRoute("/sync", upstreams["sync"]),
        ProxyRoute("/ims/oneroster", upstreams["sync"], _DISCOVERY),
        # What the server can do is asked before anybody has a token (tus 1.0).
        ProxyRoute("/materials/v1/uploads", upstreams["materials"], ("/materials/v1/uploads",), frozenset({"OPTIONS"})),
        ProxyRoute("/materials", upstreams["materials"]),
        # The city's shelf for the world. Harvesters may ask by POST, which reads here as well.
        ProxyRoute("/oai", upstreams["materials"], ("/oai",), _READ | {"POST"}),
        ProxyRoute("/library", upstreams["materials"], ("/library",)),
        # The library as a tool inside an LMS: logins and launches come as forms, and carry their own proof.
        ProxyRoute("/lti", upstreams["materials"], ("/lti",), _READ | {"POST"}),
        ProxyRoute("/robots.txt", upstreams["materials"], ("/robots.txt",)),
        ProxyRoute("/reporting", upstreams["reporting"]),
    )
