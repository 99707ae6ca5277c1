"""Experimenters: whatever chooses interventions, on one protocol."""

from __future__ import annotations

from seedo.experimenters._about import about
from seedo.experimenters._bayesian import BAYESIAN, Bayesian, bayesian
from seedo.experimenters._blicket import (
    BLICKET_PLAYERS,
    BlicketBayesian,
    blicket_answers,
    blicket_bayesian,
    blicket_beliefs,
    blicket_gains,
    blicket_player,
    blicket_probabilities,
    blicket_update,
)
from seedo.experimenters._check import check
from seedo.experimenters._choosers import CHOOSERS, Chooser
from seedo.experimenters._limited import LONGEST_MEMORY, LastSteps
from seedo.experimenters._memoriser import action_frequencies, memoriser
from seedo.experimenters._mistakes import MISTAKES, Mistaken, Slipping
from seedo.experimenters._names import (
    FORMS,
    Name,
    changed,
    find_player,
    is_spoken,
    is_trained,
    parse_name,
    plugins,
)
from seedo.experimenters._proposer import Proposer, best_tried
from seedo.experimenters._protocol import Experimenter, Player
from seedo.experimenters._readers import READERS, History, Reader
from seedo.experimenters._rooms import ROOMS_PLAYERS, RoomsPlayer, rooms_player
from seedo.experimenters._scripted import Scripted, legal_actions
from seedo.experimenters._scripted_by_name import SCRIPTED, names_in, scripted
from seedo.worlds import Action, Observation

__all__ = [
    "BAYESIAN",
    "BLICKET_PLAYERS",
    "CHOOSERS",
    "FORMS",
    "LONGEST_MEMORY",
    "MISTAKES",
    "READERS",
    "ROOMS_PLAYERS",
    "SCRIPTED",
    "Action",
    "Bayesian",
    "BlicketBayesian",
    "Chooser",
    "Experimenter",
    "History",
    "LastSteps",
    "Mistaken",
    "Name",
    "Observation",
    "Player",
    "Proposer",
    "Reader",
    "RoomsPlayer",
    "Scripted",
    "Slipping",
    "about",
    "action_frequencies",
    "bayesian",
    "best_tried",
    "blicket_answers",
    "blicket_bayesian",
    "blicket_beliefs",
    "blicket_gains",
    "blicket_player",
    "blicket_probabilities",
    "blicket_update",
    "changed",
    "check",
    "find_player",
    "is_spoken",
    "is_trained",
    "legal_actions",
    "memoriser",
    "names_in",
    "parse_name",
    "plugins",
    "rooms_player",
    "scripted",
]
