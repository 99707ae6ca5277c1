"""Scenes for others' training loops: environments with tools, an OpenEnv server."""

from seedo.language.serving._environment import (
    ExperimentEnvironment,
    environment_factory,
    training_rows,
)
from seedo.language.serving._openenv import OVER, openenv_app

__all__ = [
    "OVER",
    "ExperimentEnvironment",
    "environment_factory",
    "openenv_app",
    "training_rows",
]
