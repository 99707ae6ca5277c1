"""World `dag` in the lab: graphs of causes and effects, which people can play too."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.lab._belief import no_belief
from seedo.lab._cast import CAUSES
from seedo.lab._frames import dag_frames, dag_setting, tell_episode
from seedo.lab._glance import Sight
from seedo.lab._on_graph import OnGraph
from seedo.lab._scenario import MOST_VARIABLES, STREAM, Drawn, Scenario, redrawn
from seedo.lab._shown import Progress, Sweep, Truth
from seedo.language import Conditions, DagScene
from seedo.play import Live
from seedo.worlds import DagConfig

_TIE = 1e-3
_TELLING = 73
"""The system that Watch opens with: one on which those whom it opens with come out apart, in the
order they have on average; found by `benchmarks/lab_first.py`."""


class Causes(OnGraph):
    """World `dag`."""

    title = "causes and effects"
    pooled = False
    shape = "causes"
    players = CAUSES
    spoken = ("pretrained:dag-text",)
    usual = ("scripted:largest-effect", "bayes:eig", "pretrained:dag", "scripted:expert")
    why_first = (
        "Shown first because these four come out apart on it, in the order they have on average: "
        "see Compare."
    )
    sweeps = {  # noqa: RUF012
        "noise_variance": Sweep("Noise variance", False, 1e-4, 100.0, (0.1, 0.3, 1, 3)),
        "experiments": Sweep("Experiments (budget)", True, 0, 50, (1, 2, 3, 5, 8), True),
        "n": Sweep("Variables (n)", True, 2, MOST_VARIABLES, (3, 4, 5, 6)),
        "confounders": Sweep("Hidden confounders", True, 0, 3, (0, 1, 2)),
        "observations": Sweep("Observations first", True, 0, 50, (0, 5, 20), True),
        "weight_scale": Sweep("Size of effects (weight scale)", False, 0.01, 10.0, (0.5, 1, 2)),
        "exploits": Sweep("Exploit actions", True, 1, 10, (1, 2, 4), True),
    }

    def first(self) -> Scenario:
        return replace(super().first(), index=_TELLING)

    def about(self, scenario: Scenario) -> str:
        c: Any = scenario.config
        drawn = "drawn by hand" if scenario.drawn else f"preset {c.preset}"
        parts = [f"{c.n} variables"]
        parts += [f"{c.confounders} hidden"] if c.confounders else []
        parts += [f"{c.observations} observations"] if c.observations else []
        parts += [f"{c.experiments} experiments", f"{c.exploits} action" + "s" * (c.exploits > 1)]
        parts += [f"{c.rounds} rounds of both"] if c.rounds > 1 else []
        return f"Causes and effects, {drawn}: {', '.join(parts)}"

    def setting(self, scenario: Scenario) -> dict[str, Any]:
        return dag_setting(scenario)

    def frames(self, scenario: Scenario, name: str, progress: Progress) -> dict[str, Any]:
        return dag_frames(scenario, name, progress)

    def not_for_people(self, scenario: Scenario) -> str:
        return ""

    def scene(self, scenario: Scenario, names: str) -> Any:
        where = (scenario.stage(), scenario.seed, STREAM, scenario.index, Conditions(names=names))
        return DagScene(*where, task=scenario.task())

    def tell(self, scenario: Scenario, scene: Any) -> dict[str, Any]:
        shown = tell_episode(scenario, scene.episode)
        if scenario.called is not None or scene.conditions.names != scenario.names:
            shown["called"] = list(scene.names.words)
        return shown

    def sight(self, scenario: Scenario) -> dict[str, Any]:
        return Sight.of(scenario).to_json(scenario.config)

    def compared(self, scenario: Scenario) -> str:
        c: Any = scenario.config
        system = (
            "a drawn system, the same in every episode" if scenario.drawn else "a new system each"
        )
        said = [
            f"{c.n} variables",
            f"{c.experiments} experiments",
            f"noise variance {c.noise_variance:g}",
        ]
        said += [f"{c.observations} observations first"] if c.observations else []
        said += [f"{c.confounders} hidden confounders"] if c.confounders else []
        said += [f"{c.exploits} exploit actions"] if c.exploits > 1 else []
        return f"World dag, {system}: {', '.join(said)}"

    def no_belief(self, batch: EpisodeBatch) -> str:
        try:
            config = DagConfig.from_dict(json.loads(batch.origin.world_config))
            Scenario(config)  # no larger than what the lab shows
        except (UserError, TypeError, ValueError, OverflowError) as error:
            return str(error)[:300]
        if reason := no_belief(config):
            return reason
        if (config.n, config.steps) != (batch.n, batch.steps):
            return "the log has other variables or steps than its world"
        if not np.isfinite(batch.outcome[0]).all():
            return "some outcomes were not seen"
        return ""

    def drawn_again(self, batch: EpisodeBatch, stream: str | None) -> Truth | None:
        if stream is None:
            return None
        try:
            scenario = Scenario.of_log(batch)
            live = Live(scenario.stage(), scenario.seed, stream, scenario.index)
        except UserError:
            return None
        if live.world.spec.n != batch.n or live.world.spec.steps != batch.steps:
            return None
        ours = np.array([live.oracle_return, live.random_return])
        logged = np.array([batch.oracle_return[0], batch.random_return[0]])
        if not np.allclose(ours, logged, rtol=_TIE, atol=_TIE):
            return None
        system = live.task.system
        weights, noise = (np.asarray(x, np.float64) for x in (system.weights, system.noise_scale))
        return Truth(weights, noise, "drawn again")

    def _with_other_noise(
        self, scenario: Scenario, batch: EpisodeBatch, truth: Truth | None
    ) -> Scenario:
        linear = scenario.config.mechanism == "linear"
        if truth is None or truth.noise is None or not linear:
            remedy = "the log was drawn to learn from, and its systems are not in it"
            raise UserError("log", None, remedy)
        weights = tuple(tuple(row) for row in truth.weights.tolist())
        drawn = Drawn(weights, tuple(truth.noise.tolist()), max(int(batch.goal[0].max()), 0))
        return redrawn(scenario, drawn)
