"""Traces through the OpenTelemetry API; nothing leaves the process unless an OTLP endpoint is configured."""

from opentelemetry import trace


def configure_telemetry(service: str, endpoint: str | None) -> None:
    """Export spans to `endpoint` (OTLP over HTTP, `http://collector:4318/v1/traces`); None or empty leaves it off."""
    if not endpoint:
        return
    # Imported only when wanted: a sixth of a second at each start of eight processes.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # as said above
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415  # as said above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # as said above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # as said above

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
