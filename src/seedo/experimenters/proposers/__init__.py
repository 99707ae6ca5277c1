"""Players of worlds with a space, by name."""

from seedo.experimenters.proposers._plain import RandomProposer, random_player

__all__ = ["RandomProposer", "random_player"]
