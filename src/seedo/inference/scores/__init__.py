"""Family scores: how well each set of parents explains a variable."""

from seedo.inference.scores._families import (
    Families,
    FamilyTable,
    Moments,
    Rows,
    add_row,
    as_moments,
    family_table,
    fit_families,
    no_rows,
    weight_covariance,
)
from seedo.inference.scores._mechanisms import Mechanisms
from seedo.inference.scores._score_table import ScoreTable
from seedo.inference.scores._scores import Fusion, KnownNoise, NoiseModel, UnknownNoise, fuse

__all__ = [
    "Families",
    "FamilyTable",
    "Fusion",
    "KnownNoise",
    "Mechanisms",
    "Moments",
    "NoiseModel",
    "Rows",
    "ScoreTable",
    "UnknownNoise",
    "add_row",
    "as_moments",
    "family_table",
    "fit_families",
    "fuse",
    "no_rows",
    "weight_covariance",
]
