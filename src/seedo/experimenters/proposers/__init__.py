"""Players of worlds with a space, by name."""

from seedo.experimenters.proposers._botorch import ACQUISITIONS, BotorchProposer, bo_player
from seedo.experimenters.proposers._by_name import grid, one_factor, random_player, sobol
from seedo.experimenters.proposers._plain import (
    GridProposer,
    OneFactorProposer,
    RandomProposer,
    SobolProposer,
    filling,
)

__all__ = [
    "ACQUISITIONS",
    "BotorchProposer",
    "GridProposer",
    "OneFactorProposer",
    "RandomProposer",
    "SobolProposer",
    "bo_player",
    "filling",
    "grid",
    "one_factor",
    "random_player",
    "sobol",
]
