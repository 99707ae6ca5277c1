"""A campaign as players see it: a world whose runs somebody else makes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError, in_one_line
from seedo.experimenters import Proposer, find_player
from seedo.experimenters.proposers import against, filling, heeded
from seedo.play.campaign._graph_lines import graph_lines
from seedo.play.campaign._plan import Plan
from seedo.spaces import Runs
from seedo.worlds import EXPLOIT, EXPLORE, Spec, World

Array = NDArray[np.float64]


class CampaignWorld(World):
    """What a player is told of a campaign; nothing can be played in it."""

    name = "campaign"
    host = True

    def __init__(self, plan: Plan) -> None:
        variables = (*plan.space.names, *plan.names)
        phases = (*(EXPLORE,) * plan.budget, EXPLOIT)
        self.spec = Spec(
            variables, (), phases, space=plan.space, goals=plan.goals, graph=plan.graph
        )
        self._config = plan.to_json()

    def config(self) -> dict[str, Any]:
        return self._config


class Chooser:
    """Who chooses in a campaign: a pure function of the runs so far.

    Raises:
        UserError: there is no such player, or it proposes no settings.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.world = plan, CampaignWorld(plan)
        self.player = find_player(plan.player, self.world, greedy=True, seed=plan.seed)
        if not hasattr(self.player, "propose"):
            remedy = "it proposes no settings: use random, sobol, grid, one-factor or bo:lognei"
            raise UserError("player", plan.player, remedy)
        self.heeds = isinstance(self.player, Proposer) and self.player.heeds_graph

    def propose(self, runs: Runs, pending: Array, left: int, number: int) -> Array:
        """The setting of a run, float64[K].

        Args:
            runs: all that are known, earlier rows first.
            pending: float64[P, K], settings of runs that wait for their result.
            left: runs of the budget, this one among them.
            number: of the run, from 0.

        Raises:
            UserError: the player fails, or proposes what cannot be set.
        """
        rng = np.random.default_rng([self.plan.seed, number])
        owner = f"player {self.plan.player}, run {number}"
        if self.plan.first is not None and number < self.plan.first:
            return self._filling(runs, pending, rng)
        try:
            proposed = self.player.propose(self.world.spec, runs, pending, left, rng)
            setting = np.array(proposed, np.float64)
        except UserError:
            raise
        except Exception as error:  # whatever a player of others' does
            remedy = f"{in_one_line(error)}; nothing is lost: --player takes another"
            raise UserError(owner, None, remedy) from error
        if setting.shape != (self.plan.space.size,):
            remedy = f"give {self.plan.space.size} numbers, one a knob"
            raise UserError(owner, list(setting.shape), remedy)
        try:
            self.plan.space.check(setting)
        except UserError as error:
            raise UserError(owner, None, f"it proposes what cannot be set: {error}") from error
        return setting

    def _filling(self, runs: Runs, pending: Array, rng: np.random.Generator) -> Array:
        if self.plan.graph is None or not self.heeds:
            return filling(self.plan.space, runs.made, pending, self.plan.seed, rng)
        view = heeded(self.world.spec, runs, pending)
        assert view.spec.space is not None
        return view.whole(
            filling(view.spec.space, view.runs.made, view.pending, self.plan.seed, rng)
        )

    def denied(self, runs: Runs) -> tuple[str, ...]:
        """Why the player sets the plan's graph aside, one line each; () where it does not."""
        return against(self.world.spec, runs) if self.heeds else ()

    def told(self, runs: Runs) -> tuple[str, ...]:
        """What becomes of the plan's graph, one line each; () where there is none."""
        return graph_lines(self.plan, self.world.spec, runs, self.heeds)

    def recommend(self, runs: Runs, number: int) -> Array | None:
        """The setting, float64[K], that the player would keep; None: it has seen no result.

        Raises:
            UserError: the player fails, or would keep what cannot be set.
        """
        rng = np.random.default_rng([self.plan.seed, number])
        now = runs.made
        inside = self.plan.space.allows(now.settings)
        known = Runs(now.settings[inside], now.readings[inside], now.names)
        if not np.isfinite(known.values(self.plan.goals)).any():
            return None
        owner = f"player {self.plan.player}"
        try:
            kept: Array = np.array(self.player.recommend(self.world.spec, known, rng), np.float64)
        except Exception as error:  # whatever a player of others' does
            said = f"it recommends nothing: {in_one_line(error)}"
            raise UserError(owner, None, said) from error
        if kept.shape != (self.plan.space.size,) or not self.plan.space.allows(kept[None])[0]:
            raise UserError(owner, kept.tolist(), "it recommends what cannot be set")
        return kept
