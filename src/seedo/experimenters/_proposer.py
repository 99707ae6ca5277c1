"""Players of worlds with a space: each setting is proposed from the runs so far, and from nothing
else, so that a campaign can go on where it was killed."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.experimenters._protocol import Player
from seedo.spaces import Goals, Runs, Space, distinct
from seedo.worlds import EXPLOIT, OBSERVE, Action, Observation, Spec, set_to

Array = NDArray[np.float64]


class Proposer(Player):
    """The base of such players: a subclass says `name` and `propose`, and `heeds_graph` where it
    makes use of what the spec's graph says."""

    name: str
    heeds_graph: ClassVar[bool] = False

    @property
    def host(self) -> bool:
        return True

    def check(self, spec: Spec) -> None:
        if spec.space is None or spec.goals is None:
            raise UserError(
                "player", self.name, "it sets many knobs at once: use a world with a space, such "
                "as recorded:TABLE",
            )  # fmt: skip
        if spec.graph is not None:
            spec.graph.check(spec.space.names, spec.readings, spec.goals.readings)

    def propose(
        self, spec: Spec, runs: Runs, pending: Array, left: int, rng: np.random.Generator
    ) -> Array:
        """A setting to run next, float64[K].

        Args:
            spec: with `space` and `goals`, and a `graph` where one is known.
            runs: all that were made, failed ones with NaN, and rows that were only observed.
            pending: float64[P, K], settings that others are running now.
            left: runs of the budget, this one among them.
            rng: of this proposal alone.
        """
        raise NotImplementedError

    def recommend(self, spec: Spec, runs: Runs, rng: np.random.Generator) -> Array:
        """The setting to keep, float64[K]: of the best mean among those that were run."""
        space, goals = wanted(spec)
        best = best_tried(runs, goals)
        return space.sample(1, rng)[0] if best is None else best

    def begin(self, spec: Spec, key: Any, privileged: Any) -> tuple[Spec, Runs]:
        assert spec.space is not None
        return spec, Runs.none(spec.space.size, spec.readings)

    def act(
        self, memory: tuple[Spec, Runs], observation: Observation, key: Any
    ) -> tuple[Action, tuple[Spec, Runs]]:
        spec, runs = memory
        space: Space | None = spec.space
        assert space is not None
        assert observation.setting is not None
        outcome = np.asarray(observation.outcome, np.float64)
        if np.isfinite(outcome[: space.size]).all():
            watched = not np.isfinite(observation.setting).any()
            runs = runs.plus(outcome[: space.size], outcome[space.size :], watched)
        if int(observation.phase) == OBSERVE:
            return set_to(np.full(space.size, np.nan), spec.n), (spec, runs)
        if int(observation.phase) == EXPLOIT:
            chosen = self.recommend(spec, runs, key)
        else:
            left = spec.phases[len(spec.phases) - int(observation.steps_left) :]
            pending = np.empty((0, space.size))
            chosen = self.propose(spec, runs, pending, len(left) - left.count(EXPLOIT), key)
        return set_to(chosen, spec.n), (spec, runs)


def wanted(spec: Spec) -> tuple[Space, Goals]:
    """Space and goals of a world that `Proposer.check` has let pass."""
    assert spec.space is not None
    assert spec.goals is not None
    return spec.space, spec.goals


def best_tried(runs: Runs, goals: Goals) -> Array | None:
    """The setting, float64[K], of the best mean value among those that were run; None if no run
    gave one."""
    runs = runs.made
    values = runs.values(goals)
    known = np.isfinite(values) & np.isfinite(runs.settings).all(axis=1)
    if not known.any():
        return None
    different, which = distinct(runs.settings[known])
    means = np.bincount(which, values[known]) / np.bincount(which)
    best: Array = different[int(np.argmax(means))]
    return best
