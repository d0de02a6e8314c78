"""The worker process, `python -m services.reporting.worker`: relay, consumers, and schools joining open campaigns."""

from datetime import timedelta

from services.reporting.bootstrap import SERVICE, build
from services.reporting.settings import ReportingSettings
from services.reporting.usecases.project import join_campaigns
from shared import failpoints
from shared.db.scope import EVERYTHING
from shared.logs import configure_logs
from shared.service import Runtime
from shared.telemetry import configure_telemetry
from shared.worker import Job, run_worker


async def join(runtime: Runtime) -> None:
    """Schools whose validity has begun since the last round join the campaigns that are open."""
    async with runtime.units.begin(EVERYTHING) as uow:
        await join_campaigns(uow)


JOBS = (Job("join-campaigns", timedelta(minutes=10), join),)


def main() -> None:
    settings = ReportingSettings()
    configure_logs(SERVICE.name, settings.log_level)
    configure_telemetry(SERVICE.name, settings.otel_exporter_otlp_endpoint)
    failpoints.arm(settings.failpoint)
    run_worker(SERVICE, build(settings, role="worker"), JOBS)


if __name__ == "__main__":
    main()
