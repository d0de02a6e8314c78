"""Builds what the processes of the gateway hold open."""

import functools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from services.gateway.api.deps import Held
from services.gateway.api.documents import Documents
from services.gateway.domain.attempts import Attempts
from services.gateway.proxy.forwarder import Forwarder
from services.gateway.proxy.headers import client_address
from services.gateway.proxy.routes import ProxyRoute, proxy_routes
from services.gateway.proxy.verifier import RememberingVerifier
from services.gateway.settings import GatewaySettings
from services.gateway.storage.signing_keys import SigningKeys
from services.gateway.storage.tables import Base
from services.gateway.usecases.issue_token import Issuer
from shared.auth import Principal
from shared.auth.tokens import FixedKeys, TokenVerifier
from shared.clock import Clock
from shared.db.scope import NOTHING, Scope
from shared.db.unit_of_work import UnitOfWork
from shared.service import Runtime, Service, build_runtime

SERVICE = Service(name="gateway", settings=GatewaySettings, metadata=Base.metadata)


def build(settings: GatewaySettings, *, role: str, clock: Clock | None = None) -> Runtime:
    """`role` tells the gateway's processes apart in the database: `api`, `worker`, `admin`."""
    return build_runtime(SERVICE.name, settings, role=role, clock=clock)


@dataclass(frozen=True, slots=True)
class Parts:
    """What only the gateway's API process has."""

    issuer: Issuer
    attempts: Attempts
    verifier: TokenVerifier
    routes: Sequence[ProxyRoute]
    forwarder: Forwarder

    async def scope_of(self, _uow: UnitOfWork, _principal: Principal) -> Scope:
        """No table of the gateway is a school's."""
        return NOTHING


def build_parts(settings: GatewaySettings, runtime: Runtime) -> Parts:
    """Raise OSError or ValueError when a signing key cannot be read."""
    keys = SigningKeys.load(settings.signing_key_file, settings.previous_signing_key_file)
    issuer = Issuer(keys, settings.issuer, settings.token_audience, settings.token_seconds, runtime.clock)
    return Parts(
        issuer=issuer,
        attempts=Attempts(
            requests_per_minute=settings.token_requests_per_minute,
            failures_per_minute=settings.token_failures_per_minute,
        ),
        verifier=RememberingVerifier(
            FixedKeys(keys.jwks()), issuer=issuer.url, audience=issuer.audience, clock=runtime.clock
        ),
        routes=proxy_routes(settings.upstreams),
        forwarder=Forwarder(
            connect_seconds=settings.upstream_connect_seconds,
            silence_seconds=settings.upstream_seconds,
            trusted=settings.trusted,
        ),
    )


@asynccontextmanager
async def opened(app: FastAPI, settings: GatewaySettings, parts: Parts) -> AsyncIterator[None]:
    """The gateway's application works inside this block."""
    async with parts.forwarder.opened(), httpx.AsyncClient() as client:
        app.state.held = Held(
            issuer=parts.issuer,
            attempts=parts.attempts,
            documents=Documents(app.openapi, settings.upstreams, client, public_url=settings.public_url),
            public_url=settings.public_url,
            address_of=functools.partial(client_address, trusted=settings.trusted),
        )
        yield
