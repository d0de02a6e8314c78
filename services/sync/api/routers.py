"""Every router of the service, in the order of its documentation."""

from services.sync.api import (
    catalogues,
    causes,
    changes,
    class_diff,
    holds,
    imports,
    oneroster,
    oneroster_gradebook,
    oneroster_writes,
    orgs,
    pulls,
    records,
    registry,
    reverts,
    single_records,
    vendors,
)

ROUTERS = [
    imports.router,
    causes.router,
    changes.router,
    class_diff.router,
    holds.router,
    registry.router,
    vendors.router,
    catalogues.router,
    orgs.router,
    pulls.router,
    records.router,
    single_records.router,
    reverts.router,
    oneroster.router,
    oneroster_gradebook.router,
    oneroster_writes.router,
]
