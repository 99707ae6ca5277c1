"""Evaluation: measures of what was logged."""

from seedo.evaluation._advice import Advice, advise
from seedo.evaluation._advice_settings import SettingsAdvice, advise_settings, settings_vary
from seedo.evaluation._advice_wishes import Wishes, wishes
from seedo.evaluation._advice_words import read_wishes
from seedo.evaluation._advised import Advised
from seedo.evaluation._arrows import (
    identifiable,
    random_scores,
    score_structures,
    structure_scores,
)
from seedo.evaluation._attribution import Diagnosis, attribute
from seedo.evaluation._blicket import (
    BlicketReading,
    best_information,
    blicket_bayes_returns,
    read_blicket,
)
from seedo.evaluation._campaign import Best, Effect, Expected, Found, found
from seedo.evaluation._cost import flops_of
from seedo.evaluation._definitions import definitions
from seedo.evaluation._exploring import EXPLORERS, Choices, explored, explorer_scores, taken
from seedo.evaluation._follows import CANNOT_TELL, followed_answers, followed_experiments
from seedo.evaluation._frontier import COSTS, Frontier, FrontierGroup, Point, frontier
from seedo.evaluation._graph_beliefs import graph_beliefs
from seedo.evaluation._information import Information, information
from seedo.evaluation._levers import Lever, Levers, levers
from seedo.evaluation._metrics import DEFINITIONS, UNTESTED, Metrics, episode_returns, measure
from seedo.evaluation._regret import Regret, regret
from seedo.evaluation._replay import Seen, left_before, reread, seen_before
from seedo.evaluation._review import Review, measure_run, review
from seedo.evaluation._runs import Group, Row, Run
from seedo.evaluation._spoken import Excerpt
from seedo.evaluation._strategies import BAYES, HEURISTICS, ORACLE, Readings, read

__all__ = [
    "BAYES",
    "CANNOT_TELL",
    "COSTS",
    "DEFINITIONS",
    "EXPLORERS",
    "HEURISTICS",
    "ORACLE",
    "UNTESTED",
    "Advice",
    "Advised",
    "Best",
    "BlicketReading",
    "Choices",
    "Diagnosis",
    "Effect",
    "Excerpt",
    "Expected",
    "Found",
    "Frontier",
    "FrontierGroup",
    "Group",
    "Information",
    "Lever",
    "Levers",
    "Metrics",
    "Point",
    "Readings",
    "Regret",
    "Review",
    "Row",
    "Run",
    "Seen",
    "SettingsAdvice",
    "Wishes",
    "advise",
    "advise_settings",
    "attribute",
    "best_information",
    "blicket_bayes_returns",
    "definitions",
    "episode_returns",
    "explored",
    "explorer_scores",
    "flops_of",
    "followed_answers",
    "followed_experiments",
    "found",
    "frontier",
    "graph_beliefs",
    "identifiable",
    "information",
    "left_before",
    "levers",
    "measure",
    "measure_run",
    "random_scores",
    "read",
    "read_blicket",
    "read_wishes",
    "regret",
    "reread",
    "review",
    "score_structures",
    "seen_before",
    "settings_vary",
    "structure_scores",
    "taken",
    "wishes",
]
