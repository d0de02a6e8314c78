"""The only public door: tokens, documents, and the way through to the services."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from services.gateway.api import oauth
from services.gateway.api.oauth_answers import oauth_error
from services.gateway.api.oneroster_errors import oneroster_error
from services.gateway.api.pages import routes as pages
from services.gateway.api.tus_errors import tus_error
from services.gateway.bootstrap import SERVICE, build, build_parts, opened
from services.gateway.proxy.dispatch import Dispatch
from services.gateway.proxy.routes import content_route
from services.gateway.settings import GatewaySettings
from shared import failpoints
from shared.auth.tokens import TokenVerifier
from shared.http.app import AppParts
from shared.http.app import create_app as create_service_app
from shared.http.server import serve
from shared.logs import configure_logs
from shared.service import Runtime
from shared.telemetry import configure_telemetry

# Forms, in bytes; the signed message of an LMS is the longest.
_MAX_FORMS = {"/oauth2/token": 16 * 1024, "/oai": 16 * 1024, "/lti": 512 * 1024}


def create_app(
    settings: GatewaySettings, runtime: Runtime | None = None, verifier: TokenVerifier | None = None
) -> FastAPI:
    """The whole gateway; raises OSError or ValueError when the signing key cannot be read."""
    runtime = runtime or build(settings, role="api")
    parts = build_parts(settings, runtime)
    app = create_service_app(
        runtime,
        AppParts(
            title="Gateway",
            description="Access tokens and discovery.",
            routers=[oauth.router, pages.router],
            scope_of=parts.scope_of,
            body_limits={
                "/sync/v1/imports": settings.max_import_bytes,
                "/materials/v1/materials": settings.max_material_bytes,
                "/materials/v1/uploads": settings.max_tus_bytes,
                **_MAX_FORMS,
            },
            shapers={
                "/oauth2/token": oauth_error,
                "/materials/v1/uploads": tus_error,
                "/ims/oneroster": oneroster_error,
                "/materials/ims/oneroster": oneroster_error,
            },
            verifier=verifier or parts.verifier,
            lifespan=lambda app: opened(app, settings, parts),
            openapi_url=None,
        ),
    )
    # Innermost of the middlewares: the guard and the correlation id hold for what passes through as well.
    app.user_middleware.append(
        Middleware(
            Dispatch,
            routes=parts.routes,
            forwarder=parts.forwarder,
            content=content_route(settings.upstreams),
            content_host=settings.content_host,
        )
    )
    return app


def main() -> None:
    settings = GatewaySettings()
    configure_logs(SERVICE.name, settings.log_level)
    configure_telemetry(SERVICE.name, settings.otel_exporter_otlp_endpoint)
    failpoints.arm(settings.failpoint)
    serve(create_app(settings), host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
