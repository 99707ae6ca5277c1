"""Language: worlds in words, language models as experimenters, and models made of text alone."""

from seedo.language._speakers import load_speaker, speaks, taught_conditions
from seedo.language.hub import tune
from seedo.language.runs import (
    Budget,
    Calls,
    LlmRun,
    Performance,
    Speaker,
    converse,
    is_small,
    on_stage,
    read_conditions,
    record_llm,
    record_speaker,
)
from seedo.language.scenes import (
    BlicketScene,
    Conditions,
    DagScene,
    Message,
    RoomsScene,
    Scene,
    Tool,
    name_variables,
    open_scene,
)
from seedo.language.serving import (
    ExperimentEnvironment,
    environment_factory,
    openenv_app,
    training_rows,
)
from seedo.language.text import TextAgent, learn_by_reading
from seedo.language.transcripts import export

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
    "export",
    "is_small",
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
    "taught_conditions",
    "training_rows",
    "tune",
]
