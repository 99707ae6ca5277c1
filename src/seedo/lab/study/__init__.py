"""Study mode: experiments with human participants."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from seedo.lab._background import Job
from seedo.lab._lab import Lab
from seedo.lab.study import _download, _pages, _take
from seedo.lab.study._assignment import balanced_orders
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._export import Whose, export, pseudonym
from seedo.lab.study._joining import Joining
from seedo.lab.study._kept import kept, kept_keys, kept_pay
from seedo.lab.study._pages import EXAMPLE
from seedo.lab.study._pay import PayList, bonus_table, due, erase, one_time_links, pay_table
from seedo.lab.study._session import Session
from seedo.lab.study._store import StudyStore
from seedo.lab.study._tasks import prepare

__all__ = [
    "EXAMPLE",
    "PayList",
    "Session",
    "StudyConfig",
    "StudyStore",
    "Whose",
    "balanced_orders",
    "bonus_table",
    "due",
    "erase",
    "export",
    "kept",
    "kept_keys",
    "kept_pay",
    "one_time_links",
    "open_study",
    "pay_table",
    "prepare",
    "pseudonym",
    "routes",
]


routes = APIRouter()
"""The researcher's page and the participants'."""
for _part in (_pages, _download, _take):
    routes.include_router(_part.routes)


def open_study(lab: Lab) -> None:
    """Open the study of the lab's settings, if there is one, to participants.

    Raises:
        UserError: a study file or a database that cannot be used.
    """
    if lab.settings.study is None:
        return
    config = StudyConfig.load(lab.settings.study)
    store, pay = StudyStore.open(lab.settings, config), PayList(lab.settings.data, config.name)
    pay.keep_only(store.participants())
    proxied = lab.settings.public is not None
    session = Session(Joining(config, store, lab.keys, pay, proxied), lab.keys)
    lab.add(session)
    if lab.settings.warm:
        lab.background.start("warming up", partial(_warm, session))


def _warm(session: Session, job: Job) -> None:
    """Compile what the first participant of each condition needs."""
    for _, scenario in session.config.conditions():
        job.rest(0.0)
        prepare(scenario(0))
