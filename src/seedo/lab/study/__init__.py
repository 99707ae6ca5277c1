"""Study mode: experiments with human participants."""

from __future__ import annotations

from fastapi import APIRouter

from seedo.lab.study import _download, _pages, _take
from seedo.lab.study._assignment import balanced_orders
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._export import Whose, export, pseudonym
from seedo.lab.study._kept import kept, kept_keys, kept_pay
from seedo.lab.study._kinds import prepare
from seedo.lab.study._language import tag, template
from seedo.lab.study._opening import open_study
from seedo.lab.study._pages import EXAMPLE, EXAMPLES
from seedo.lab.study._pay import PayList, bonus_table, due, erase, one_time_links, pay_table
from seedo.lab.study._pilot import pilot
from seedo.lab.study._preregistration import preregistration
from seedo.lab.study._session import Session
from seedo.lab.study._store import StudyStore
from seedo.lab.study._summary import summary
from seedo.lab.study._words import Said

__all__ = [
    "EXAMPLE",
    "EXAMPLES",
    "PayList",
    "Said",
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
    "pilot",
    "prepare",
    "preregistration",
    "pseudonym",
    "routes",
    "summary",
    "tag",
    "template",
]


routes = APIRouter()
"""The researcher's page and the participants'."""
for _part in (_take, _pages, _download):
    routes.include_router(_part.routes)
