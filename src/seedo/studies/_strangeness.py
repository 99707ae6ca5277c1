"""How strange recorded campaigns are to the worlds that the tuner is trained on.

The untrained network forecasts all settings from some runs at random; what happened surprises it by
so many nats a setting. A campaign's surprise is placed among those of simulated systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.experimenters.proposers.tuner import Frame, TunerProposer
from seedo.learning.tuner import draw_system
from seedo.studies._campaigns import Campaign, untrained
from seedo.worlds.surfaces import CATEGORICAL, NUMERIC

Array = NDArray[np.float64]

_SEEN, _TIMES, _SYSTEMS, _SETTINGS = 12, 20, 200, 150


def strangeness(campaigns: Sequence[Campaign], seed: int) -> dict[str, dict[str, Any]]:
    """By campaign: `surprise`, nats a setting; `percentile`, of it among simulated systems; and
    what can be counted: `knobs`, `categorical`, `settings`."""
    tuner = untrained()
    rng = np.random.default_rng([seed, 1])
    simulated = []
    for _ in range(_SYSTEMS):
        system = draw_system(_SETTINGS, 12, rng)
        simulated.append(
            _surprise(tuner, system.settings, system.knobs.kinds, system.truth, 2, rng)
        )
    found = {}
    for campaign in campaigns:
        assert campaign.spec.space is not None
        levels = [knob.type == "categorical" for knob in campaign.spec.space.knobs]
        kinds = np.where(levels, CATEGORICAL, NUMERIC)
        surprise = _surprise(tuner, campaign.settings, kinds, campaign.worths, _TIMES, rng)
        found[campaign.name] = {
            "surprise": round(surprise, 3),
            "percentile": round(100 * float(np.mean(np.array(simulated) < surprise)), 1),
            "knobs": len(kinds),
            "categorical": int((kinds == 2).sum()),
            "settings": len(campaign.settings),
        }
    return found


def _surprise(
    tuner: TunerProposer, settings: Array, kinds: NDArray[np.int64], outcomes: Array, times: int,
    rng: np.random.Generator,
) -> float:  # fmt: skip
    """Mean over some histories at random."""
    frame, total = Frame.of(settings, kinds), 0.0
    for _ in range(times):
        order = rng.permutation(len(settings))
        seen, rest = order[:_SEEN], order[_SEEN:]
        total += tuner.surprise(
            frame, settings[seen], outcomes[seen], settings[rest], outcomes[rest]
        )
    return total / times
