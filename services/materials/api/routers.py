"""Every router of the service, in the order its documentation shows them; how its public paths tell of errors."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from services.materials.api import (
    catalogues,
    content,
    coverage,
    drafts,
    panel,
    panel_batch,
    player,
    procedure,
    requirements,
    resources,
    review,
    routes,
    search,
    shelf,
    tus,
)
from services.materials.api.library import oai, pages
from services.materials.api.library.oai_answers import oai_shaper
from services.materials.api.lti import login as lti_login
from services.materials.api.lti import pages as lti_pages
from services.materials.api.lti import platforms as lti_platforms
from services.materials.domain.repository import Repository
from shared.clock import Clock
from shared.http.problems import Shaper

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
    requirements.router,
    catalogues.router,
    player.router,
    content.router,
    pages.router,
    oai.router,
    resources.router,
    lti_login.router,
    lti_pages.router,
    lti_platforms.router,
)

READ_LIMITS: Mapping[str, int] = {
    oai.PATH: oai.MAX_REQUEST_BYTES,
    lti_login.PREFIX: lti_login.MAX_REQUEST_BYTES,
    **requirements.LIMITS,
}


def public_shapers(repository: Repository, clock: Clock) -> Mapping[str, Shaper]:
    return {
        oai.PATH: oai_shaper(repository, clock.now),
        pages.PREFIX: pages.library_shaper(repository),
        lti_login.PREFIX: lti_login.lti_shaper(repository.name),
        **resources.SHAPERS,
    }
