"""Learning from logs: networks, passive imitation, agents."""

from understudy.learning._agent import PRETRAINED, Agent, count_parameters, load_agent
from understudy.learning._imitation import Recipe, Report, learn
from understudy.learning._inputs import Cue, Decision, Inputs, Row, batch_inputs
from understudy.learning._networks import KINDS, WIDTHS, Architecture, architecture, build

__all__ = [
    "KINDS",
    "PRETRAINED",
    "WIDTHS",
    "Agent",
    "Architecture",
    "Cue",
    "Decision",
    "Inputs",
    "Recipe",
    "Report",
    "Row",
    "architecture",
    "batch_inputs",
    "build",
    "count_parameters",
    "learn",
    "load_agent",
]
