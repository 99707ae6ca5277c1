"""Attempts to refute an answer: placebos, common causes, other samples of its rows."""

from seedo.inference.refuters._refutation import Refutation, Verdict
from seedo.inference.refuters._refute import Times, refute

__all__ = ["Refutation", "Times", "Verdict", "refute"]
