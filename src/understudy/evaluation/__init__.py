"""Evaluation: run anyone on any world, measure, compare, report."""

from understudy.evaluation._advice import Advice, advise, read_goal
from understudy.evaluation._advice_report import advice_table, write_advice
from understudy.evaluation._attribution import attribute
from understudy.evaluation._film import film
from understudy.evaluation._live import Actor, LiveEpisode, episode_batch
from understudy.evaluation._metrics import DEFINITIONS, Metrics, measure
from understudy.evaluation._perform import (
    episodes,
    fitted_memoriser,
    origin,
    perform,
    record,
    simulate,
    watch,
)
from understudy.evaluation._players import find_player
from understudy.evaluation._report import matrix, table, write_report
from understudy.evaluation._review import Review, review
from understudy.evaluation._rollout import Rollout, rollout
from understudy.evaluation._rooms import play_rooms, simulate_rooms

__all__ = [
    "DEFINITIONS",
    "Actor",
    "Advice",
    "LiveEpisode",
    "Metrics",
    "Review",
    "Rollout",
    "advice_table",
    "advise",
    "attribute",
    "episode_batch",
    "episodes",
    "film",
    "find_player",
    "fitted_memoriser",
    "matrix",
    "measure",
    "origin",
    "perform",
    "play_rooms",
    "read_goal",
    "record",
    "review",
    "rollout",
    "simulate",
    "simulate_rooms",
    "table",
    "watch",
    "write_advice",
    "write_report",
]
