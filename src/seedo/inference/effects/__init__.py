"""Effects from a design or from a known graph: contrasts, adjustment, instruments, paths."""

from seedo.inference.effects._comparison import (
    Comparison,
    Plan,
    compare,
    fillers,
    plain_mean,
)
from seedo.inference.effects._curved_paths import front_door_by_curves, natural_effect
from seedo.inference.effects._design import SetRows, set_rows, touched
from seedo.inference.effects._estimate import LEVEL, Estimate, t_estimate
from seedo.inference.effects._filled import compare_filled, pooled, told_by_outcome
from seedo.inference.effects._front_door import front_door_of_shares
from seedo.inference.effects._fusion import (
    Fused,
    adjusted_effect,
    fuse_estimates,
    observed_effect,
    trust_observations,
)
from seedo.inference.effects._implications import Denied, denied, outside
from seedo.inference.effects._instrument import Instrumented, instrument
from seedo.inference.effects._intervals import mean_estimate, wilson
from seedo.inference.effects._mixture import ShareEffect, share_effect
from seedo.inference.effects._model import Wanted
from seedo.inference.effects._paths import (
    Rows,
    direct_effect,
    effect_through,
    estimated,
    front_door,
    indirect_effect,
    line,
)
from seedo.inference.effects._pooled_interval import PooledInterval, pooled_interval
from seedo.inference.effects._sample import Scale, scale_of
from seedo.inference.effects._sensitivity import (
    HIDDEN,
    Benchmark,
    e_value,
    robustness,
    sensitivity,
    strongest,
    tipping_point,
)
from seedo.inference.effects._straight import Leg, bent
from seedo.inference.effects._strategy import CausalGraph, Strategy

__all__ = [
    "HIDDEN",
    "LEVEL",
    "Benchmark",
    "CausalGraph",
    "Comparison",
    "Denied",
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
    "denied",
    "direct_effect",
    "e_value",
    "effect_through",
    "estimated",
    "fillers",
    "front_door",
    "front_door_by_curves",
    "front_door_of_shares",
    "fuse_estimates",
    "indirect_effect",
    "instrument",
    "line",
    "mean_estimate",
    "natural_effect",
    "observed_effect",
    "outside",
    "plain_mean",
    "pooled",
    "pooled_interval",
    "robustness",
    "scale_of",
    "sensitivity",
    "set_rows",
    "share_effect",
    "strongest",
    "t_estimate",
    "tipping_point",
    "told_by_outcome",
    "touched",
    "trust_observations",
    "wilson",
]
