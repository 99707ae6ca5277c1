"""Players of worlds with a space, by name."""

from seedo.experimenters.proposers._botorch import ACQUISITIONS, BotorchProposer, bo_player
from seedo.experimenters.proposers._by_name import (
    grid,
    one_factor,
    random_player,
    response_surface,
    sobol,
)
from seedo.experimenters.proposers._chain import Chain, Link, linked
from seedo.experimenters.proposers._heeded import Heeded, against, heeded
from seedo.experimenters.proposers._mechanisms import MechanismsProposer
from seedo.experimenters.proposers._plain import (
    GridProposer,
    OneFactorProposer,
    RandomProposer,
    SobolProposer,
    filling,
)
from seedo.experimenters.proposers._response_surface import ResponseSurfaceProposer
from seedo.experimenters.proposers._steps import Step, steps

__all__ = [
    "ACQUISITIONS",
    "BotorchProposer",
    "Chain",
    "GridProposer",
    "Heeded",
    "Link",
    "MechanismsProposer",
    "OneFactorProposer",
    "RandomProposer",
    "ResponseSurfaceProposer",
    "SobolProposer",
    "Step",
    "against",
    "bo_player",
    "filling",
    "grid",
    "heeded",
    "linked",
    "one_factor",
    "random_player",
    "response_surface",
    "sobol",
    "steps",
]
