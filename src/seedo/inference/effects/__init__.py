"""Effects from a design or from a known graph: contrasts, adjustment, instruments, paths."""

from seedo.inference.effects._estimate import LEVEL, Estimate, t_estimate
from seedo.inference.effects._fusion import Fused, fuse_estimates, observed_effect
from seedo.inference.effects._pooled_interval import PooledInterval, pooled_interval

__all__ = [
    "LEVEL",
    "Estimate",
    "Fused",
    "PooledInterval",
    "fuse_estimates",
    "observed_effect",
    "pooled_interval",
    "t_estimate",
]
