"""Language: worlds in words, language models as experimenters, and models made of text alone."""

from understudy.language._blicket_scene import BlicketScene
from understudy.language._conditions import Conditions
from understudy.language._costs import Budget
from understudy.language._dag_scene import DagScene, name_variables
from understudy.language._environment import (
    ExperimentEnvironment,
    environment_factory,
    training_rows,
)
from understudy.language._on_stage import Performance, on_stage
from understudy.language._open import open_scene
from understudy.language._openenv import openenv_app
from understudy.language._record import read_conditions, record_speaker
from understudy.language._record_calls import Calls
from understudy.language._record_llm import LlmRun, record_llm
from understudy.language._rooms_scene import RoomsScene
from understudy.language._scene import Message, Scene, Tool
from understudy.language._speaker import Speaker, converse
from understudy.language.text import TextAgent, learn_by_reading, load_speaker, speaks

__all__ = [
    "BlicketScene",
    "Budget",
    "Calls",
    "Conditions",
    "DagScene",
    "ExperimentEnvironment",
    "LlmRun",
    "Message",
    "Performance",
    "RoomsScene",
    "Scene",
    "Speaker",
    "TextAgent",
    "Tool",
    "converse",
    "environment_factory",
    "learn_by_reading",
    "load_speaker",
    "name_variables",
    "on_stage",
    "open_scene",
    "openenv_app",
    "read_conditions",
    "record_llm",
    "record_speaker",
    "speaks",
    "training_rows",
]
