"""Every router of the service, in the order its documentation shows them."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.materials.api import (
    catalogues,
    content,
    coverage,
    drafts,
    oai,
    panel,
    panel_batch,
    procedure,
    requirements,
    review,
    routes,
    search,
    shelf,
    tus,
)

ROUTERS: Sequence[APIRouter] = (
    routes.router,
    drafts.router,
    tus.router,
    review.router,
    procedure.router,
    panel.router,
    panel_batch.router,
    shelf.router,
    search.router,
    coverage.router,
    oai.router,
    catalogues.router,
    requirements.router,
    content.router,
)
