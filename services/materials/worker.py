"""The worker: outbox relay, the org tree's consumer, the sweep of orphan files, the panel, the scanner."""

from services.materials.bootstrap import PANEL_JOB, SERVICE, build, build_spool, build_store, scan_jobs, sweep_job
from services.materials.settings import MaterialsSettings
from shared import failpoints
from shared.logs import configure_logs
from shared.telemetry import configure_telemetry
from shared.worker import run_worker


def main() -> None:
    settings = MaterialsSettings()
    configure_logs(SERVICE.name, settings.log_level)
    configure_telemetry(SERVICE.name, settings.otel_exporter_otlp_endpoint or None)
    failpoints.arm(settings.failpoint)
    runtime = build(settings, role="worker")
    store = build_store(settings, runtime.engine)
    jobs = [sweep_job(store, build_spool(settings)), PANEL_JOB, *scan_jobs(settings, store)]
    run_worker(SERVICE, runtime, jobs)


if __name__ == "__main__":
    main()
