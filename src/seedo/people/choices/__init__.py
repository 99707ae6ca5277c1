"""What people's interventions told them, and by what they chose them."""

from seedo.people.choices._attribution import (
    LAPSES,
    SHARPNESS,
    SOFT_LAPSES,
    Prediction,
    attributed,
    best_logs,
    best_marks,
    held_out,
    soft_logs,
    told_apart,
)
from seedo.people.choices._histories import (
    KINDS,
    Histories,
    from_graphs,
    histories,
    kinds_of,
    links_right,
)
from seedo.people.choices._simulated import simulate
from seedo.people.choices._strategies import STRATEGIES, Scores, limited_information, scores

__all__ = [
    "KINDS",
    "LAPSES",
    "SHARPNESS",
    "SOFT_LAPSES",
    "STRATEGIES",
    "Histories",
    "Prediction",
    "Scores",
    "attributed",
    "best_logs",
    "best_marks",
    "from_graphs",
    "held_out",
    "histories",
    "kinds_of",
    "limited_information",
    "links_right",
    "scores",
    "simulate",
    "soft_logs",
    "told_apart",
]
