"""Evaluation: measures of what was logged."""

from seedo.evaluation._advice import Advice, advise, read_goal
from seedo.evaluation._attribution import attribute
from seedo.evaluation._blicket import (
    BlicketReading,
    best_information,
    blicket_bayes_returns,
    read_blicket,
)
from seedo.evaluation._frontier import Frontier, frontier
from seedo.evaluation._metrics import DEFINITIONS, Metrics, episode_returns, measure
from seedo.evaluation._review import Review, review
from seedo.evaluation._strategies import BAYES, ORACLE, Readings, read

__all__ = [
    "BAYES",
    "DEFINITIONS",
    "ORACLE",
    "Advice",
    "BlicketReading",
    "Frontier",
    "Metrics",
    "Readings",
    "Review",
    "advise",
    "attribute",
    "best_information",
    "blicket_bayes_returns",
    "episode_returns",
    "frontier",
    "measure",
    "read",
    "read_blicket",
    "read_goal",
    "review",
]
