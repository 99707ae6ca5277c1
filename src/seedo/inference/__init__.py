"""What rows say about the system that made them: posteriors, answers, next experiments."""

from seedo.inference import design, exact, graphs, questions, refuters, scores
from seedo.inference._ask import ask
from seedo.inference._stated import stated_beliefs
from seedo.inference.design import Goal, Plan, plan_experiments
from seedo.inference.exact import CausalPosterior, Conflicts, LogRows, infer, log_rows
from seedo.inference.graphs import (
    GraphPrior,
    KnownGraph,
    edge_prior,
    identify,
    parse_graph,
    read_graph,
    stated_prior,
)
from seedo.inference.questions import (
    Answer,
    Beliefs,
    Form,
    Query,
    QueryError,
    answer,
    answer_nonlinear,
    answer_with_hidden_causes,
    parse,
    posterior,
)
from seedo.inference.refuters import refute
from seedo.inference.scores import Fusion, KnownNoise, NoiseModel, UnknownNoise

__all__ = [
    "Answer",
    "Beliefs",
    "CausalPosterior",
    "Conflicts",
    "Form",
    "Fusion",
    "Goal",
    "GraphPrior",
    "KnownGraph",
    "KnownNoise",
    "LogRows",
    "NoiseModel",
    "Plan",
    "Query",
    "QueryError",
    "UnknownNoise",
    "answer",
    "answer_nonlinear",
    "answer_with_hidden_causes",
    "ask",
    "design",
    "edge_prior",
    "exact",
    "graphs",
    "identify",
    "infer",
    "log_rows",
    "parse",
    "parse_graph",
    "plan_experiments",
    "posterior",
    "questions",
    "read_graph",
    "refute",
    "refuters",
    "scores",
    "stated_beliefs",
    "stated_prior",
]
