"""Effects from a design or from a known graph: contrasts, adjustment, instruments, paths."""

from seedo.inference.effects._estimate import LEVEL, Estimate, t_estimate

__all__ = ["LEVEL", "Estimate", "t_estimate"]
