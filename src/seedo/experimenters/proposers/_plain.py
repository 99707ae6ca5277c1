"""Proposers that look at no result."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.experimenters._by_chance import ByChance
from seedo.experimenters._proposer import Proposer
from seedo.spaces import Runs
from seedo.worlds import Spec, World


class RandomProposer(Proposer):
    """Any possible setting, evenly."""

    name = "random"

    def propose(
        self,
        spec: Spec,
        runs: Runs,
        pending: NDArray[np.float64],
        left: int,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        assert spec.space is not None
        return spec.space.sample(1, rng)[0]


def random_player(rest: str, world: World, greedy: bool, seed: int) -> Any:
    """`random`: in a world with a space, any setting; elsewhere any action.

    Raises:
        UserError: something follows the name.
    """
    if rest:
        raise UserError("player", f"random:{rest}", "use random: nothing may follow it")
    return RandomProposer() if world.spec.space is not None else ByChance()
