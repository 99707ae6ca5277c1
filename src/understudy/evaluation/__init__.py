"""Evaluation: run anyone on any world, measure, compare, report."""

from understudy.evaluation._attribution import attribute
from understudy.evaluation._metrics import DEFINITIONS, Metrics, measure
from understudy.evaluation._perform import (
    episodes,
    fitted_memoriser,
    perform,
    record,
    simulate,
    watch,
)
from understudy.evaluation._report import table, write_report
from understudy.evaluation._review import Review, review
from understudy.evaluation._rollout import Rollout, rollout

__all__ = [
    "DEFINITIONS",
    "Metrics",
    "Review",
    "Rollout",
    "attribute",
    "episodes",
    "fitted_memoriser",
    "measure",
    "perform",
    "record",
    "review",
    "rollout",
    "simulate",
    "table",
    "watch",
    "write_report",
]
