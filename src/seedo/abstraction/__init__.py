"""From raw data to variables and back; what networks represent: probes, interchange."""

from seedo.abstraction._abstract import STEPS, UPDATES, Abstraction, Knob, abstract, abstract_table
from seedo.abstraction._algorithms import ALGORITHMS, CAUSAL, FREQUENCIES, RIVALS, tables, taken
from seedo.abstraction._commuting import Commuting
from seedo.abstraction._decoder import Decoder, decoder
from seedo.abstraction._imagined import Imagined, Shot, imagine
from seedo.abstraction._inside import FEWEST, Inside, Looking, Probe, look, look_inside
from seedo.abstraction._interchange import Algorithm, Interchange, find_directions, interchanged
from seedo.abstraction._kept import learnt_from, read_abstraction
from seedo.abstraction._probes import PROBES, TARGETS, Places, probed, scored
from seedo.abstraction._shown import Shown, shown_in, world_of
from seedo.abstraction._states import Looked, States, actions_with, states
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
    "Shot",
    "Shown",
    "States",
    "Truths",
    "abstract",
    "abstract_table",
    "actions_with",
    "decoder",
    "exact_posterior",
    "find_directions",
    "imagine",
    "interchanged",
    "learnt_from",
    "look",
    "look_inside",
    "probed",
    "read_abstraction",
    "scored",
    "shown_in",
    "states",
    "tables",
    "taken",
    "truths",
    "world_of",
]
