"""Study mode: experiments with human participants."""

from __future__ import annotations

from fastapi import APIRouter

from seedo.lab._lab import Lab
from seedo.lab.study._assignment import balanced_orders
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._download import download_router
from seedo.lab.study._export import export, pseudonym
from seedo.lab.study._kept import kept
from seedo.lab.study._pages import EXAMPLE, study_router, warm
from seedo.lab.study._session import Session
from seedo.lab.study._store import StudyStore
from seedo.lab.study._take import take_router
from seedo.lab.study._tasks import prepare

__all__ = [
    "EXAMPLE",
    "StudyConfig",
    "StudyStore",
    "balanced_orders",
    "export",
    "kept",
    "prepare",
    "pseudonym",
    "router",
]


def router(lab: Lab) -> APIRouter:
    """The researcher's page and the participants'.

    Raises:
        UserError: a study file or a database that cannot be used.
    """
    session = None
    if lab.settings.study is not None:
        config = StudyConfig.load(lab.settings.study)
        session = Session(config, StudyStore.open(lab.settings, config), lab.keys)
        if lab.settings.warm:
            warm(session)
    routes = APIRouter()
    routes.include_router(study_router(lab, session))
    routes.include_router(download_router(lab, session))
    routes.include_router(take_router(lab, session))
    return routes
