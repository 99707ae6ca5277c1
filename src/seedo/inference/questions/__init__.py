"""The grammar of questions, and answers to them."""

from seedo.inference.questions._answer import (
    Answer,
    data_in_words,
    interval,
    number,
    setting_in_words,
    why_open,
)
from seedo.inference.questions._answers import answer
from seedo.inference.questions._answers_effect import default_options
from seedo.inference.questions._answers_graph import (
    EdgeBeliefs,
    edge_beliefs,
    misfit_in_words,
    told_by_form,
    why_undirected,
)
from seedo.inference.questions._ask import Beliefs, Form, ask, ask_again, posterior
from seedo.inference.questions._gcm import NonlinearModel
from seedo.inference.questions._imagined import ImaginedRow, imagined_row
from seedo.inference.questions._known_answers import (
    answer_nonlinear,
    answer_with_hidden_causes,
    prior_of_graph,
)
from seedo.inference.questions._levels import shown
from seedo.inference.questions._query import (
    BestIntervention,
    DoesCause,
    Effect,
    Query,
    Ranking,
)
from seedo.inference.questions._query_parser import parse
from seedo.inference.questions._query_words import QueryError
from seedo.inference.questions._straight import why_bent

__all__ = [
    "Answer",
    "Beliefs",
    "BestIntervention",
    "DoesCause",
    "EdgeBeliefs",
    "Effect",
    "Form",
    "ImaginedRow",
    "NonlinearModel",
    "Query",
    "QueryError",
    "Ranking",
    "answer",
    "answer_nonlinear",
    "answer_with_hidden_causes",
    "ask",
    "ask_again",
    "data_in_words",
    "default_options",
    "edge_beliefs",
    "imagined_row",
    "interval",
    "misfit_in_words",
    "number",
    "parse",
    "posterior",
    "prior_of_graph",
    "setting_in_words",
    "shown",
    "told_by_form",
    "why_bent",
    "why_open",
    "why_undirected",
]
