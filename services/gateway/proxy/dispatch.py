"""The fork in the road: proxied prefixes to their service, everything else to the gateway's own application."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.proxy.forwarder import Forwarder
from services.gateway.proxy.routes import ProxyRoute
from shared.http.unit_of_work import current_principal


class Dispatch:
    """Raw ASGI, inside the guard and the correlation id, in front of FastAPI.

    A call passes only with a token that is valid here and now; the service checks it again, and alone decides what the
    caller may see. A route's public documents need no token.
    """

    def __init__(self, app: ASGIApp, *, routes: Sequence[ProxyRoute], forwarder: Forwarder) -> None:
        self.app = app
        self._routes = routes
        self._forwarder = forwarder

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
        return next((route for route in self._routes if route.covers(path)), None)
