"""Learning from logs: networks, passive imitation, agents."""

from seedo.learning._agent import Agent, Provenance, Trained
from seedo.learning._batches import held_out, minibatches, stream, usable
from seedo.learning._components import principal
from seedo.learning._course import Course
from seedo.learning._dagger import Queries, learn_round, plan_queries
from seedo.learning._dagger_job import learn_by_dagger
from seedo.learning._find import find_agent, load_agent, open_network
from seedo.learning._folder import (
    PRETRAINED,
    Stored,
    agent_folder,
    count_parameters,
    read_agent,
    read_description,
    read_file,
    read_history,
)
from seedo.learning._imitation import cosine_rate, learn
from seedo.learning._inputs import (
    Cue,
    Decision,
    Edit,
    Inputs,
    Row,
    batch_inputs,
    rows_and_cues,
    unedited,
)
from seedo.learning._job import Method, Report, State, short, train
from seedo.learning._kinds import NETWORKS, NetworkKind
from seedo.learning._networks import KINDS, READS_RAW, WIDTHS, Architecture, architecture, build
from seedo.learning._reinforce import reinforce, way_of
from seedo.learning._rooms_agent import RoomsAgent
from seedo.learning._weights import read_arrays
from seedo.recipes import DaggerRecipe, FineTuning, Group, Recipe, ReinforcementRecipe, Training

__all__ = [
    "KINDS",
    "NETWORKS",
    "PRETRAINED",
    "READS_RAW",
    "WIDTHS",
    "Agent",
    "Architecture",
    "Course",
    "Cue",
    "DaggerRecipe",
    "Decision",
    "Edit",
    "FineTuning",
    "Group",
    "Inputs",
    "Method",
    "NetworkKind",
    "Provenance",
    "Queries",
    "Recipe",
    "ReinforcementRecipe",
    "Report",
    "RoomsAgent",
    "Row",
    "State",
    "Stored",
    "Trained",
    "Training",
    "agent_folder",
    "architecture",
    "batch_inputs",
    "build",
    "cosine_rate",
    "count_parameters",
    "find_agent",
    "held_out",
    "learn",
    "learn_by_dagger",
    "learn_round",
    "load_agent",
    "minibatches",
    "open_network",
    "plan_queries",
    "principal",
    "read_agent",
    "read_arrays",
    "read_description",
    "read_file",
    "read_history",
    "reinforce",
    "rows_and_cues",
    "short",
    "stream",
    "train",
    "unedited",
    "usable",
    "way_of",
]
