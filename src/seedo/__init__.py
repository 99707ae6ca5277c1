"""Agents that learn to experiment by watching.

Each subpackage loads when it is first used, so that ``import seedo`` stays quick and does not
start JAX: ``from seedo import worlds, experimenters`` or ``seedo.worlds``.
"""

from __future__ import annotations

import builtins
import re
from importlib import import_module
from types import ModuleType
from typing import Any

from gymnasium.envs.registration import register

from seedo.plugins import WORLDS

__version__ = "0.1.0"

_SUBPACKAGES = (
    "recipes",
    "statistics",
    "tables",
    "episodes",
    "worlds",
    "inference",
    "experimenters",
    "play",
    "learning",
    "evaluation",
    "reports",
    "language",
    "studies",
    "lab",
)


def _register_environments() -> None:
    """Every world as `seedo/WORLD-v0`, those of plug-ins too; none is imported."""
    for name in WORLDS.names():
        if not re.fullmatch(r"[\w.-]+", name):  # what Gymnasium would not take, from a plug-in
            continue
        register(
            id=f"seedo/{name}-v0",
            entry_point="seedo.play.gym:environment",
            vector_entry_point="seedo.play.gym:environments",
            kwargs={"world": name},
        )


_register_environments()

_SHOWN = (
    "episodes._dataset.Dataset",
    "evaluation._review.Review",
    "evaluation._advice.Advice",
    "inference.questions._answer.Answer",
    "inference.exact._causal_posterior.CausalPosterior",
    "inference.graphs._known_graph.KnownGraph",
    "statistics._comparisons.MixedEffects",
    "statistics._intervals.Estimate",
    "tables._table.Table",
)
"""Types that notebooks show as `reports.notebook_html` has them; none is imported before."""


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext seedo`: show results as tables and pictures.

    Not needed where seedo is imported in a notebook: it is done then.
    """

    def html(shown: Any) -> str:
        made: str = import_module("seedo.reports").notebook_html(shown)
        return made

    formatter = shell.display_formatter.formatters["text/html"]
    for place in _SHOWN:
        module, _, name = place.rpartition(".")
        formatter.for_type_by_name(f"{__name__}.{module}", name, html)


if hasattr(builtins, "get_ipython"):
    load_ipython_extension(builtins.get_ipython())


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBPACKAGES})
