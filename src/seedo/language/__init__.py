"""Language: worlds in words, language models as experimenters, and models made of text alone."""

from seedo.language._blicket_scene import BlicketScene
from seedo.language._conditions import Conditions
from seedo.language._costs import Budget
from seedo.language._dag_scene import DagScene, name_variables
from seedo.language._environment import (
    ExperimentEnvironment,
    environment_factory,
    training_rows,
)
from seedo.language._on_stage import Performance, on_stage
from seedo.language._open import open_scene
from seedo.language._openenv import openenv_app
from seedo.language._record import read_conditions, record_speaker
from seedo.language._record_calls import Calls
from seedo.language._record_llm import LlmRun, record_llm
from seedo.language._rooms_scene import RoomsScene
from seedo.language._scene import Message, Scene, Tool
from seedo.language._speaker import Speaker, converse
from seedo.language.text import TextAgent, learn_by_reading, load_speaker, speaks

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
