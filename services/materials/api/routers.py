"""Every router of the service, in the order its documentation shows them."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.materials.api import (
    catalogues,
    content,
    drafts,
    panel,
    panel_batch,
    procedure,
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
    catalogues.router,
    content.router,
)
