"""`pretrained:tuner`: a network that learnt from experts who knew simulated response surfaces."""

from seedo.experimenters.proposers.tuner._network import (
    Question,
    Weights,
    initial,
    normalised,
    promise,
)
from seedo.experimenters.proposers.tuner._player import (
    TunerProposer,
    read_tuner,
    sharpness,
    shipped_tuner,
)
from seedo.experimenters.proposers.tuner._view import Frame

__all__ = [
    "Frame",
    "Question",
    "TunerProposer",
    "Weights",
    "initial",
    "normalised",
    "promise",
    "read_tuner",
    "sharpness",
    "shipped_tuner",
]
