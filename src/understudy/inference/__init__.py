"""What a history says about the system that made it: exact linear-Gaussian posteriors."""

from understudy.inference._families import Families, FamilyTable, Rows, family_table, fit_families
from understudy.inference._posterior import ExactPosterior
from understudy.inference._reader import (
    MAX_VARIABLES,
    EffectsPosterior,
    bayes_expected,
    bayes_supported,
)
from understudy.inference._subsets import SubsetPosterior

__all__ = [
    "MAX_VARIABLES",
    "EffectsPosterior",
    "ExactPosterior",
    "Families",
    "FamilyTable",
    "Rows",
    "SubsetPosterior",
    "bayes_expected",
    "bayes_supported",
    "family_table",
    "fit_families",
]
