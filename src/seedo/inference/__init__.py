"""What a history says about the system that made it: exact linear-Gaussian posteriors."""

from seedo.inference._answer import Answer, data_in_words, number
from seedo.inference._answers import answer
from seedo.inference._answers_effect import default_options
from seedo.inference._causal_posterior import CausalPosterior, infer
from seedo.inference._conflicts import Conflicts, PairConflict, find_conflicts
from seedo.inference._draws import Draws, draw_parameters
from seedo.inference._essential import effect_identified, essential_graph
from seedo.inference._experiment_value import (
    INFORMATION_DRAWS,
    VALUE_DRAWS,
    ExperimentBatch,
    batch_information_gain,
    best_experiment,
    expected_information_gain,
    goal_probabilities,
    value_of_information,
)
from seedo.inference._families import (
    Families,
    FamilyTable,
    Moments,
    Rows,
    add_row,
    as_moments,
    family_table,
    fit_families,
    no_rows,
)
from seedo.inference._gcm import NonlinearModel
from seedo.inference._graph_posterior import GraphPosterior, Progress, graph_posterior
from seedo.inference._identify import Identified, NotIdentified, Population, identify
from seedo.inference._known_answers import (
    answer_nonlinear,
    answer_with_hidden_causes,
    prior_of_graph,
)
from seedo.inference._known_graph import KnownGraph, parse_graph, read_graph
from seedo.inference._lattice import LatticePosterior
from seedo.inference._logs import LogRows, batch_rows, log_rows
from seedo.inference._next_experiment import (
    Action,
    Candidate,
    Goal,
    Plan,
    best_action,
    plan_experiments,
)
from seedo.inference._posterior import ExactPosterior
from seedo.inference._prior import GraphPrior, edge_prior
from seedo.inference._query import Query
from seedo.inference._query_parser import parse
from seedo.inference._query_words import QueryError
from seedo.inference._reader import (
    MAX_VARIABLES,
    EffectsPosterior,
    bayes_expected,
    bayes_supported,
)
from seedo.inference._score_table import ScoreTable
from seedo.inference._scores import Fusion, KnownNoise, NoiseModel, UnknownNoise, fuse
from seedo.inference._stated import numbers, one_number, pairs, stated_prior
from seedo.inference._subsets import SubsetPosterior

__all__ = [
    "INFORMATION_DRAWS",
    "MAX_VARIABLES",
    "VALUE_DRAWS",
    "Action",
    "Answer",
    "Candidate",
    "CausalPosterior",
    "Conflicts",
    "Draws",
    "EffectsPosterior",
    "ExactPosterior",
    "ExperimentBatch",
    "Families",
    "FamilyTable",
    "Fusion",
    "Goal",
    "GraphPosterior",
    "GraphPrior",
    "Identified",
    "KnownGraph",
    "KnownNoise",
    "LatticePosterior",
    "LogRows",
    "Moments",
    "NoiseModel",
    "NonlinearModel",
    "NotIdentified",
    "PairConflict",
    "Plan",
    "Population",
    "Progress",
    "Query",
    "QueryError",
    "Rows",
    "ScoreTable",
    "SubsetPosterior",
    "UnknownNoise",
    "add_row",
    "answer",
    "answer_nonlinear",
    "answer_with_hidden_causes",
    "as_moments",
    "batch_information_gain",
    "batch_rows",
    "bayes_expected",
    "bayes_supported",
    "best_action",
    "best_experiment",
    "data_in_words",
    "default_options",
    "draw_parameters",
    "edge_prior",
    "effect_identified",
    "essential_graph",
    "expected_information_gain",
    "family_table",
    "find_conflicts",
    "fit_families",
    "fuse",
    "goal_probabilities",
    "graph_posterior",
    "identify",
    "infer",
    "log_rows",
    "no_rows",
    "number",
    "numbers",
    "one_number",
    "pairs",
    "parse",
    "parse_graph",
    "plan_experiments",
    "prior_of_graph",
    "read_graph",
    "stated_prior",
    "value_of_information",
]
