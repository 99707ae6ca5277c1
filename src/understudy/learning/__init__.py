"""Learning from logs: networks, passive imitation, agents."""

from understudy.learning._agent import (
    PRETRAINED,
    Agent,
    Trained,
    agent_folder,
    count_parameters,
    load_agent,
    read_description,
    read_file,
    read_history,
)
from understudy.learning._course import Course
from understudy.learning._dag_reinforcement import FineTuning, FineTuningReport, fine_tune
from understudy.learning._dagger import DaggerRecipe, Queries, learn_round, plan_queries
from understudy.learning._imitation import Recipe, Report, learn
from understudy.learning._inputs import Cue, Decision, Inputs, Row, batch_inputs
from understudy.learning._networks import KINDS, WIDTHS, Architecture, architecture, build
from understudy.learning._rooms_agent import ROOMS_KINDS, RoomsAgent, load_rooms_agent
from understudy.learning._rooms_choices import Choices, exploit_correct, last_choices
from understudy.learning._rooms_reinforcement import (
    ReinforcementRecipe,
    ReinforcementReport,
    learn_by_reinforcement,
)
from understudy.learning._weights import read_arrays

__all__ = [
    "KINDS",
    "PRETRAINED",
    "ROOMS_KINDS",
    "WIDTHS",
    "Agent",
    "Architecture",
    "Choices",
    "Course",
    "Cue",
    "DaggerRecipe",
    "Decision",
    "FineTuning",
    "FineTuningReport",
    "Inputs",
    "Queries",
    "Recipe",
    "ReinforcementRecipe",
    "ReinforcementReport",
    "Report",
    "RoomsAgent",
    "Row",
    "Trained",
    "agent_folder",
    "architecture",
    "batch_inputs",
    "build",
    "count_parameters",
    "exploit_correct",
    "fine_tune",
    "last_choices",
    "learn",
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
