"""From raw data to variables and back; what networks represent: probes, interchange."""

from seedo.abstraction._abstract import STEPS, UPDATES, Abstraction, Knob, abstract, abstract_table
from seedo.abstraction._algorithms import ALGORITHMS, CAUSAL, FREQUENCIES, RIVALS, tables, taken
from seedo.abstraction._alignment import Subspaces, find_subspaces
from seedo.abstraction._commuting import Commuting
from seedo.abstraction._decoder import Decoder, decoder
from seedo.abstraction._imagined import Imagined, Shot, imagine
from seedo.abstraction._inside import FEWEST, Inside, Looking, Probe, look, look_inside
from seedo.abstraction._interchange import Algorithm, Interchange, interchanged
from seedo.abstraction._kept import learnt_from, read_abstraction
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
    "Decoder",
    "Imagined",
    "Inside",
    "Interchange",
    "Knob",
    "Looked",
    "Looking",
    "Places",
    "Probe",
    "Ready",
    "Shot",
    "Shown",
    "States",
    "Subspaces",
    "Truths",
    "abstract",
    "abstract_table",
    "actions_with",
    "decoder",
    "exact_posterior",
    "find_subspaces",
    "imagine",
    "interchanged",
    "learnt_from",
    "look",
    "look_inside",
    "probed",
    "read_abstraction",
    "ready",
    "scored",
    "shown_in",
    "states",
    "tables",
    "taken",
    "truths",
    "world_of",
]
