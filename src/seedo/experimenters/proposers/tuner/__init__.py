"""`pretrained:tuner`: a network that learnt from experts who knew simulated response surfaces."""

from seedo.experimenters.proposers.tuner._network import (
    Forecast,
    Outlook,
    Question,
    Weights,
    initial,
    normalised,
    outlook,
    promise,
    promise_and_forecast,
    surprise,
)
from seedo.experimenters.proposers.tuner._player import (
    TunerProposer,
    read_tuner,
    sharpness,
    shipped_tuner,
)
from seedo.experimenters.proposers.tuner._view import Frame

__all__ = [
    "Forecast",
    "Frame",
    "Outlook",
    "Question",
    "TunerProposer",
    "Weights",
    "initial",
    "normalised",
    "outlook",
    "promise",
    "promise_and_forecast",
    "read_tuner",
    "sharpness",
    "shipped_tuner",
    "surprise",
]
