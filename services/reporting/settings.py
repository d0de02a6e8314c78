"""Settings of reporting: the common ones. Read only by main, worker, bootstrap and the migrations."""

from shared.settings import ServiceSettings


class ReportingSettings(ServiceSettings):
    """Nothing of its own yet: templates and recipients are data in `storage/files`, not settings."""
