"""Settings of the ways to learn, each field with its help and what it may be.

Light, so that a command line can be checked before anything that computes is imported; who learns
by them is `seedo.learning`.
"""

from seedo.recipes._dagger import ASK, DaggerRecipe
from seedo.recipes._group import AUTO, Group
from seedo.recipes._imitation import EXPLANATIONS, PRECISIONS, Recipe, Training
from seedo.recipes._reinforcement import (
    LEARNT,
    REWARDS,
    ROOMS_NETWORKS,
    FineTuning,
    ReinforcementRecipe,
)
from seedo.recipes._settings import Checked, setting
from seedo.recipes._tuning import HUB, TuningRecipe

__all__ = [
    "ASK",
    "AUTO",
    "EXPLANATIONS",
    "HUB",
    "LEARNT",
    "PRECISIONS",
    "REWARDS",
    "ROOMS_NETWORKS",
    "Checked",
    "DaggerRecipe",
    "FineTuning",
    "Group",
    "Recipe",
    "ReinforcementRecipe",
    "Training",
    "TuningRecipe",
    "setting",
]
