"""What networks represent: probes of their states, and interchange interventions."""

from seedo.abstraction._algorithms import ALGORITHMS, CAUSAL, FREQUENCIES, RIVALS, tables, taken
from seedo.abstraction._inside import Inside, Probe, look_inside
from seedo.abstraction._interchange import Algorithm, Interchange, find_directions, interchanged
from seedo.abstraction._probes import PROBES, TARGETS, Places, pairs, probed, scored
from seedo.abstraction._states import Looked, States, actions_with, states
from seedo.abstraction._truths import Truths, truths

__all__ = [
    "ALGORITHMS",
    "CAUSAL",
    "FREQUENCIES",
    "PROBES",
    "RIVALS",
    "TARGETS",
    "Algorithm",
    "Inside",
    "Interchange",
    "Looked",
    "Places",
    "Probe",
    "States",
    "Truths",
    "actions_with",
    "find_directions",
    "interchanged",
    "look_inside",
    "pairs",
    "probed",
    "scored",
    "states",
    "tables",
    "taken",
    "truths",
]
