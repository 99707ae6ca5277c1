"""Raw worlds: systems that are only shown, in pictures, numbers or words, and seen through."""

from seedo.worlds.raw._drawing import LARGEST, Drawing
from seedo.worlds.raw._drawings import DRAWINGS, drawing
from seedo.worlds.raw._encoder import (
    ABOUT,
    Encoder,
    load_encoder,
    perceptron,
    read_about,
    save_encoder,
)
from seedo.worlds.raw._words import text_of
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
    "text_of",
]
