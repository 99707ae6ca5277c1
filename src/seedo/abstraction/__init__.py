"""What networks represent: probes of their states, and interchange interventions."""

from seedo.abstraction._algorithms import ALGORITHMS, CAUSAL, FREQUENCIES, RIVALS, tables, taken
from seedo.abstraction._inside import FEWEST, Inside, Looking, Probe, look, look_inside
from seedo.abstraction._interchange import Algorithm, Interchange, find_directions, interchanged
from seedo.abstraction._probes import PROBES, TARGETS, Places, probed, scored
from seedo.abstraction._states import Looked, States, actions_with, states
from seedo.abstraction._truths import Truths, exact_posterior, truths

__all__ = [
    "ALGORITHMS",
    "CAUSAL",
    "FEWEST",
    "FREQUENCIES",
    "PROBES",
    "RIVALS",
    "TARGETS",
    "Algorithm",
    "Inside",
    "Interchange",
    "Looked",
    "Looking",
    "Places",
    "Probe",
    "States",
    "Truths",
    "actions_with",
    "exact_posterior",
    "find_directions",
    "interchanged",
    "look",
    "look_inside",
    "probed",
    "scored",
    "states",
    "tables",
    "taken",
    "truths",
]
