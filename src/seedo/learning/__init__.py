"""Learning from logs: networks, passive imitation, agents."""

from seedo.learning._agent import (
    PRETRAINED,
    Agent,
    Provenance,
    Trained,
    agent_folder,
    count_parameters,
    load_agent,
    read_description,
    read_file,
    read_history,
)
from seedo.learning._course import Course
from seedo.learning._dag_reinforcement import FineTuning, fine_tune
from seedo.learning._dagger import DaggerRecipe, Queries, learn_round, plan_queries
from seedo.learning._dagger_job import learn_by_dagger
from seedo.learning._find import find_agent
from seedo.learning._imitation import learn
from seedo.learning._inputs import Cue, Decision, Inputs, Row, batch_inputs
from seedo.learning._job import Report
from seedo.learning._networks import KINDS, WIDTHS, Architecture, architecture, build
from seedo.learning._recipe import Recipe, Training
from seedo.learning._rooms_agent import ROOMS_KINDS, RoomsAgent, load_rooms_agent
from seedo.learning._rooms_reinforcement import (
    ReinforcementRecipe,
    learn_by_reinforcement,
)
from seedo.learning._weights import read_arrays

__all__ = [
    "KINDS",
    "PRETRAINED",
    "ROOMS_KINDS",
    "WIDTHS",
    "Agent",
    "Architecture",
    "Course",
    "Cue",
    "DaggerRecipe",
    "Decision",
    "FineTuning",
    "Inputs",
    "Provenance",
    "Queries",
    "Recipe",
    "ReinforcementRecipe",
    "Report",
    "RoomsAgent",
    "Row",
    "Trained",
    "Training",
    "agent_folder",
    "architecture",
    "batch_inputs",
    "build",
    "count_parameters",
    "find_agent",
    "fine_tune",
    "learn",
    "learn_by_dagger",
    "learn_by_reinforcement",
    "learn_round",
    "load_agent",
    "load_rooms_agent",
    "plan_queries",
    "read_arrays",
    "read_description",
    "read_file",
    "read_history",
]
