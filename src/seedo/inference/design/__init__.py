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
from seedo.inference.design._region import Region, region_of
from seedo.inference.design._response import Factor, Response, fit_response
from seedo.inference.design._settings import SettingChoice, SettingsPlan, plan_settings

__all__ = [
    "INFORMATION_DRAWS",
    "VALUE_DRAWS",
    "Action",
    "Candidate",
    "ExperimentBatch",
    "Factor",
    "Goal",
    "Plan",
    "Region",
    "Response",
    "SettingChoice",
    "SettingsPlan",
    "batch_information_gain",
    "best_action",
    "best_experiment",
    "expected_information_gain",
    "fit_response",
    "goal_probabilities",
    "plan_experiments",
    "plan_settings",
    "region_of",
    "value_of_information",
]
