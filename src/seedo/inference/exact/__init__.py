"""Posteriors over graphs and parameters; everything here sees scores only."""

from seedo.inference.exact._arrows import (
    Arrows,
    edge_probabilities,
    likely_arrows,
    posterior_of,
    relevant_rows,
)
from seedo.inference.exact._causal_posterior import CausalPosterior, infer
from seedo.inference.exact._conflicts import Conflicts, PairConflict, find_conflicts
from seedo.inference.exact._draws import Draws, draw_parameters
from seedo.inference.exact._graph_posterior import GraphPosterior, Progress, graph_posterior
from seedo.inference.exact._lattice import LatticePosterior
from seedo.inference.exact._logs import LogRows, batch_rows, log_rows
from seedo.inference.exact._posterior import ExactPosterior
from seedo.inference.exact._reader import (
    MAX_VARIABLES,
    EffectsPosterior,
    bayes_expected,
    bayes_posterior,
    bayes_supported,
)
from seedo.inference.exact._subsets import SubsetPosterior

__all__ = [
    "MAX_VARIABLES",
    "Arrows",
    "CausalPosterior",
    "Conflicts",
    "Draws",
    "EffectsPosterior",
    "ExactPosterior",
    "GraphPosterior",
    "LatticePosterior",
    "LogRows",
    "PairConflict",
    "Progress",
    "SubsetPosterior",
    "batch_rows",
    "bayes_expected",
    "bayes_posterior",
    "bayes_supported",
    "draw_parameters",
    "edge_probabilities",
    "find_conflicts",
    "graph_posterior",
    "infer",
    "likely_arrows",
    "log_rows",
    "posterior_of",
    "relevant_rows",
]
