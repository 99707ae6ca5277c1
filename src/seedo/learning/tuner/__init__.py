"""Training of `pretrained:tuner`; what it learns from, and how."""

from seedo.learning.tuner._course import TunerRecipe, loss, part_way, read_checkpoint, train
from seedo.learning.tuner._lessons import (
    WITHOUT,
    Lessons,
    System,
    draw_history,
    draw_lessons,
    draw_system,
)
from seedo.learning.tuner._reinforced import (
    PASSES,
    PASSES_WATCHING,
    draw_campaigns,
    reward_loss,
)

__all__ = [
    "PASSES",
    "PASSES_WATCHING",
    "WITHOUT",
    "Lessons",
    "System",
    "TunerRecipe",
    "draw_campaigns",
    "draw_history",
    "draw_lessons",
    "draw_system",
    "loss",
    "part_way",
    "read_checkpoint",
    "reward_loss",
    "train",
]
