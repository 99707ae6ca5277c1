"""Players of worlds with a space, by name."""

from seedo.experimenters.proposers._botorch import ACQUISITIONS, BotorchProposer, bo_player
from seedo.experimenters.proposers._by_name import (
    grid,
    one_factor,
    random_player,
    response_surface,
    sobol,
)
from seedo.experimenters.proposers._mechanisms import MechanismsProposer
from seedo.experimenters.proposers._plain import (
    GridProposer,
    OneFactorProposer,
    RandomProposer,
    SobolProposer,
    filling,
)
from seedo.experimenters.proposers._response_surface import ResponseSurfaceProposer

__all__ = [
    "ACQUISITIONS",
    "BotorchProposer",
    "GridProposer",
    "MechanismsProposer",
    "OneFactorProposer",
    "RandomProposer",
    "ResponseSurfaceProposer",
    "SobolProposer",
    "bo_player",
    "filling",
    "grid",
    "one_factor",
    "random_player",
    "response_surface",
    "sobol",
]
