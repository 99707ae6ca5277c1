"""Evaluation: run anyone on any world, measure, compare, report."""

from understudy.evaluation._perform import episodes, perform, record, simulate, watch
from understudy.evaluation._rollout import Rollout, rollout

__all__ = ["Rollout", "episodes", "perform", "record", "rollout", "simulate", "watch"]
