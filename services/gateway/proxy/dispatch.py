"""The fork in the road: proxied prefixes to their service, everything else to the gateway's own application."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.proxy.forwarder import Forwarder
from services.gateway.proxy.routes import ProxyRoute
from shared.errors import not_found
from shared.http.unit_of_work import current_principal


class Dispatch:
    """Raw ASGI, inside the guard and the correlation id, in front of FastAPI.

    A call passes only with a token that is valid here and now; the service checks it again, and alone decides what the
    caller may see. A route's public documents need no token.

    Under `content_host` only `content` is there, and nowhere else: what strangers have written is never answered from
    the address of the API, and the API is never at theirs.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Sequence[ProxyRoute],
        forwarder: Forwarder,
        content: ProxyRoute,
        content_host: str | None,
    ) -> None:
        self.app = app
        self._routes = routes
        self._forwarder = forwarder
        self._content = content
        self._content_host = content_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._route_of(scope)
        if route is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = route
        if not route.is_public(scope["method"], scope["path"]):
            await current_principal(Request(scope))
        await self._forwarder.forward(route.upstream, scope, receive, send)

    def _route_of(self, scope: Scope) -> ProxyRoute | None:
        if scope["type"] != "http":
            return None
        path: str = scope["path"]
        if self._content_host is not None and _host(scope) == self._content_host:
            if not (self._content.covers(path) and self._content.is_public(scope["method"], path)):
                raise not_found("path.unknown", vi="Không có địa chỉ này.", en="There is nothing at this path.")
            return self._content
        return next((route for route in self._routes if route.covers(path)), None)


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"), "")
