"""Which experiment would tell most, or gain most."""

from seedo.inference.design._experiment_value import (
    INFORMATION_DRAWS,
    VALUE_DRAWS,
    ExperimentBatch,
    batch_information_gain,
    best_experiment,
    expected_information_gain,
    goal_probabilities,
    value_of_information,
)
from seedo.inference.design._next_experiment import (
    Action,
    Candidate,
    Goal,
    Plan,
    best_action,
    plan_experiments,
)

__all__ = [
    "INFORMATION_DRAWS",
    "VALUE_DRAWS",
    "Action",
    "Candidate",
    "ExperimentBatch",
    "Goal",
    "Plan",
    "batch_information_gain",
    "best_action",
    "best_experiment",
    "expected_information_gain",
    "goal_probabilities",
    "plan_experiments",
    "value_of_information",
]
