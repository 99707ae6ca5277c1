"""What can be set, to what, and what for: knobs, constraints, goals. NumPy only.

A setting is float64[K], one number for each knob of a `Space`: its value, or, where values have
names, the position of the name. Players choose settings, worlds and campaigns carry them out.
"""

from seedo.spaces._constraints import Forbidden, Linear, read_constraint, read_linear
from seedo.spaces._goals import AIMS, Goal, Goals
from seedo.spaces._graph import CausalGraph
from seedo.spaces._knob import KNOB_TYPES, Knob
from seedo.spaces._runs import Runs, among, distinct, fresh, same_setting
from seedo.spaces._search import climbed
from seedo.spaces._space import Space

__all__ = [
    "AIMS",
    "KNOB_TYPES",
    "CausalGraph",
    "Forbidden",
    "Goal",
    "Goals",
    "Knob",
    "Linear",
    "Runs",
    "Space",
    "among",
    "climbed",
    "distinct",
    "fresh",
    "read_constraint",
    "read_linear",
    "same_setting",
]
