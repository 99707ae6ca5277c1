"""Raw worlds: systems that are shown as pictures, signals or mixtures, and ways to see through."""

from seedo.worlds.raw._drawings import DRAWINGS, LARGEST, Drawing, drawing
from seedo.worlds.raw._encoder import (
    ABOUT,
    Encoder,
    load_encoder,
    perceptron,
    read_about,
    save_encoder,
)
from seedo.worlds.raw._world import DO_VALUES, HANDS, RawObservation, RawWorld, ThroughWorld

__all__ = [
    "ABOUT",
    "DO_VALUES",
    "DRAWINGS",
    "HANDS",
    "LARGEST",
    "Drawing",
    "Encoder",
    "RawObservation",
    "RawWorld",
    "ThroughWorld",
    "drawing",
    "load_encoder",
    "perceptron",
    "read_about",
    "save_encoder",
]
