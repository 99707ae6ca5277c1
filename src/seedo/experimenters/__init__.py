"""Experimenters: whatever chooses interventions, on one protocol."""

from __future__ import annotations

from seedo.errors import UserError
from seedo.experimenters._bayesian import BAYESIAN, Bayesian, bayesian
from seedo.experimenters._blicket import (
    BLICKET_PLAYERS,
    BlicketBayesian,
    BlicketPlayer,
    blicket_answers,
    blicket_bayesian,
    blicket_beliefs,
    blicket_gains,
    blicket_player,
    blicket_probabilities,
    blicket_update,
)
from seedo.experimenters._choosers import CHOOSERS, Chooser
from seedo.experimenters._limited import LONGEST_MEMORY, LastSteps
from seedo.experimenters._memoriser import action_frequencies, memoriser
from seedo.experimenters._mistakes import MISTAKES, Mistaken, Slipping
from seedo.experimenters._protocol import Action, Experimenter, Observation
from seedo.experimenters._readers import READERS, History, Reader
from seedo.experimenters._rooms import ROOMS_PLAYERS, RoomsPlayer, rooms_player
from seedo.experimenters._scripted import Scripted, legal_actions
from seedo.experimenters._stage import (
    Given,
    Stage,
    execute,
    first_observation,
    next_observation,
    references,
    set_stage,
    worths,
)

SCRIPTED = ("expert", "random", "memoriser", *READERS)
"""Names for `scripted:NAME`; `CHOOSER+READER` combines any two, e.g. `random+largest-effect`."""


def scripted(name: str) -> Scripted:
    """A scripted experimenter by name.

    `expert` explores in random order and knows the system when it exploits; `random` does both at
    random; a reader's name explores in random order (rotation would always try D just before E,
    which hands the held-out link to whoever repeats its last action); `CHOOSER+READER` names both,
    where READER may also be `random` or `expert`. (`memoriser` has to read logs first.)
    """
    if name == "expert":
        return Scripted("expert", CHOOSERS["shuffled"], None, knows_system=True)
    if name == "random":
        return Scripted("random", CHOOSERS["random"], None)
    chooser, plus, reader = name.partition("+")
    if not plus:
        chooser, reader = "shuffled", name
    if chooser not in CHOOSERS or (reader not in READERS and reader not in ("random", "expert")):
        raise UserError(
            "scripted",
            name,
            f"use one of {', '.join(SCRIPTED)}, or CHOOSER+READER with a chooser among "
            f"{', '.join(CHOOSERS)}",
        )
    return Scripted(name, CHOOSERS[chooser], READERS.get(reader), knows_system=reader == "expert")


__all__ = [
    "BAYESIAN",
    "BLICKET_PLAYERS",
    "CHOOSERS",
    "LONGEST_MEMORY",
    "MISTAKES",
    "READERS",
    "ROOMS_PLAYERS",
    "SCRIPTED",
    "Action",
    "Bayesian",
    "BlicketBayesian",
    "BlicketPlayer",
    "Chooser",
    "Experimenter",
    "Given",
    "History",
    "LastSteps",
    "Mistaken",
    "Observation",
    "Reader",
    "RoomsPlayer",
    "Scripted",
    "Slipping",
    "Stage",
    "action_frequencies",
    "bayesian",
    "blicket_answers",
    "blicket_bayesian",
    "blicket_beliefs",
    "blicket_gains",
    "blicket_player",
    "blicket_probabilities",
    "blicket_update",
    "execute",
    "first_observation",
    "legal_actions",
    "memoriser",
    "next_observation",
    "references",
    "rooms_player",
    "scripted",
    "set_stage",
    "worths",
]
