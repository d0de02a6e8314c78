"""The gateway's second process: outbox relay, purge, and a small health application."""

from services.gateway.bootstrap import SERVICE, build
from services.gateway.settings import GatewaySettings
from shared.logs import configure_logs
from shared.telemetry import configure_telemetry
from shared.worker import run_worker


def main() -> None:
    settings = GatewaySettings()
    configure_logs(SERVICE.name, settings.log_level)
    configure_telemetry(SERVICE.name, settings.otel_exporter_otlp_endpoint)
    run_worker(SERVICE, build(settings, role="worker"))


if __name__ == "__main__":
    main()
