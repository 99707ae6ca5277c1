"""Training of `pretrained:tuner`; what it learns from, and how."""

from seedo.learning.tuner._course import TunerRecipe, loss, read_checkpoint, train
from seedo.learning.tuner._lessons import (
    Lessons,
    System,
    draw_history,
    draw_lessons,
    draw_system,
)

__all__ = [
    "Lessons",
    "System",
    "TunerRecipe",
    "draw_history",
    "draw_lessons",
    "draw_system",
    "loss",
    "read_checkpoint",
    "train",
]
