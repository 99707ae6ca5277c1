"""Effects from a design or from a known graph: contrasts, adjustment, instruments, paths."""

from seedo.inference.effects._comparison import (
    Comparison,
    Plan,
    compare,
    fillers,
    plain_mean,
)
from seedo.inference.effects._design import SetRows, set_rows, touched
from seedo.inference.effects._estimate import LEVEL, Estimate, t_estimate
from seedo.inference.effects._filled import compare_filled, pooled
from seedo.inference.effects._front_door import front_door_of_shares
from seedo.inference.effects._fusion import (
    Fused,
    adjusted_effect,
    fuse_estimates,
    observed_effect,
    trust_observations,
)
from seedo.inference.effects._intervals import mean_estimate, wilson
from seedo.inference.effects._mixture import ShareEffect, share_effect
from seedo.inference.effects._model import Wanted
from seedo.inference.effects._paths import (
    Instrumented,
    Rows,
    direct_effect,
    effect_through,
    estimated,
    front_door,
    indirect_effect,
    instrument,
    line,
)
from seedo.inference.effects._pooled_interval import PooledInterval, pooled_interval
from seedo.inference.effects._sample import Scale, scale_of
from seedo.inference.effects._sensitivity import e_value, robustness, sensitivity
from seedo.inference.effects._straight import Leg, bent
from seedo.inference.effects._strategy import CausalGraph, Strategy

__all__ = [
    "LEVEL",
    "CausalGraph",
    "Comparison",
    "Estimate",
    "Fused",
    "Instrumented",
    "Leg",
    "Plan",
    "PooledInterval",
    "Rows",
    "Scale",
    "SetRows",
    "ShareEffect",
    "Strategy",
    "Wanted",
    "adjusted_effect",
    "bent",
    "compare",
    "compare_filled",
    "direct_effect",
    "e_value",
    "effect_through",
    "estimated",
    "fillers",
    "front_door",
    "front_door_of_shares",
    "fuse_estimates",
    "indirect_effect",
    "instrument",
    "line",
    "mean_estimate",
    "observed_effect",
    "plain_mean",
    "pooled",
    "pooled_interval",
    "robustness",
    "scale_of",
    "sensitivity",
    "set_rows",
    "share_effect",
    "t_estimate",
    "touched",
    "trust_observations",
    "wilson",
]
