"""From raw data to variables and back; what networks represent: probes, interchange."""

from seedo.abstraction._abstract import STEPS, UPDATES, Abstraction, Knob, abstract, abstract_table
from seedo.abstraction._algorithms import ALGORITHMS, CAUSAL, FREQUENCIES, RIVALS, tables, taken
from seedo.abstraction._alignment import Subspaces, find_subspaces
from seedo.abstraction._commuting import Commuting
from seedo.abstraction._inside import FEWEST, Inside, Looking, Probe, look, look_inside
from seedo.abstraction._interchange import Algorithm, Interchange, interchanged
from seedo.abstraction._probes import PROBES, TARGETS, Places, probed, scored
from seedo.abstraction._shown import Shown, shown_in, world_of
from seedo.abstraction._states import Looked, Ready, States, actions_with, ready, states
from seedo.abstraction._truths import Truths, exact_posterior, truths

__all__ = [
    "ALGORITHMS",
    "CAUSAL",
    "FEWEST",
    "FREQUENCIES",
    "PROBES",
    "RIVALS",
    "STEPS",
    "TARGETS",
    "UPDATES",
    "Abstraction",
    "Algorithm",
    "Commuting",
    "Inside",
    "Interchange",
    "Knob",
    "Looked",
    "Looking",
    "Places",
    "Probe",
    "Ready",
    "Shown",
    "States",
    "Subspaces",
    "Truths",
    "abstract",
    "abstract_table",
    "actions_with",
    "exact_posterior",
    "find_subspaces",
    "interchanged",
    "look",
    "look_inside",
    "probed",
    "ready",
    "scored",
    "shown_in",
    "states",
    "tables",
    "taken",
    "truths",
    "world_of",
]
