"""What one sees of a system at a glance: its graph, the best that can be done, and whether
correlation alone would find it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from seedo.lab._naming import Naming
from seedo.lab._scenario import Scenario
from seedo.worlds import DagConfig, DagWorld, System, variable_names

_DRAWS = 4096
_MISLEADS = 0.9  # correlation misleads where its choice is worth less than this share of the best


@dataclass(frozen=True)
class Sight:
    """A system of world `dag` laid open; n visible of N variables, the hidden ones last.

    Attributes:
        weights: float64[N, N], cause before effect.
        noise: float64[N], standard deviations.
        goals: of the exploit steps, in order, each named once.
        relevant: bool[n].
        expected: float64[n, V, n], `[i, v, j]` = E[x_j | do(x_i = do_values[v])].
        correlation: float64[n, n], Pearson's, of what is seen when nobody intervenes.
        naming: what the visible variables are called on stage.
    """

    weights: NDArray[np.float64]
    noise: NDArray[np.float64]
    goals: tuple[int, ...]
    relevant: NDArray[np.bool_]
    expected: NDArray[np.float64]
    correlation: NDArray[np.float64]
    naming: Naming

    @staticmethod
    def of(scenario: Scenario) -> Sight:
        """Look at the system of a scenario of world `dag`.

        Exact for linear mechanisms. Otherwise `expected` is the world's own estimate (see
        `worlds.DagWorld.expected`) and `correlation` that of 4,096 draws.

        Raises:
            UserError: names of this kind do not fit this world.
        """
        config = scenario.config
        assert isinstance(config, DagConfig)
        if scenario.drawn is not None and (
            scenario.names == "letters" or scenario.called
        ):  # nothing to compile
            naming = Naming.own(scenario.called) if scenario.called else _letters(config.n)
            weights = np.asarray(scenario.drawn.weights, np.float64)
            noise = np.asarray(scenario.drawn.noise, np.float64)
            known = weights, noise, (scenario.drawn.goal,), np.ones(config.n, bool)
            return Sight(*known, *_exactly(config, weights, noise), naming)
        # System, goals and names do not depend on how many steps come before the exploits.
        still = replace(scenario, config=_without_experiments(config))
        episode = still.begin()
        stage = episode.task
        weights = np.asarray(stage.system.weights, np.float64)
        noise = np.asarray(stage.system.noise_scale, np.float64)
        goals = tuple(dict.fromkeys(int(g) for g in np.asarray(stage.goal) if g >= 0))
        if config.mechanism == "linear":
            numbers = _exactly(config, weights, noise)
        else:
            numbers = np.asarray(stage.expected, np.float64), _sampled(still.stage(), stage.system)
        naming = Naming.of(still, episode)
        return Sight(weights, noise, goals, np.asarray(stage.relevant), *numbers, naming)

    def to_json(self, config: DagConfig) -> dict[str, Any]:
        """What the page shows; numbers are finite or None."""
        n, goal = len(self.relevant), self.goals[0]
        values = config.do_values
        legal = [i for i in range(n) if self.relevant[i] and i != goal]
        worth = self.expected[:, :, goal]
        options = [(i, v) for i in legal for v in range(len(values))]
        best = max(options, key=lambda option: worth[option], default=None)
        pushed = self.correlation[:, goal][:, None] * np.asarray(values)
        guess = max(options, key=lambda option: pushed[option], default=None)
        if guess is not None and not pushed[guess] > 1e-6:
            guess = None  # nothing correlates with the goal
        return {
            "variables": [*variable_names(n), *(f"H{i + 1}" for i in range(len(self.noise) - n))],
            "hidden": len(self.noise) - n,
            "weights": [[_plain(w) for w in row] for row in self.weights],
            "noise": [_plain(s) for s in self.noise],
            "goals": list(self.goals),
            "relevant": [bool(r) for r in self.relevant],
            "words": list(self.naming.words),
            "signs": list(self.naming.signs),
            "exact": config.mechanism == "linear",
            "best": self._action(best, values),
            "guess": self._action(guess, values),
            "random": _plain(np.mean([worth[o] for o in options])) if options else None,
            "misleads": best is not None
            and bool(worth[best] > 1e-6)
            and (guess is None or bool(worth[guess] < _MISLEADS * worth[best])),
            "rows": [self._row(i, values) for i in legal],
        }

    def _action(self, option: tuple[int, int] | None, values: tuple[float, ...]) -> Any:
        if option is None:
            return None
        i, v = option
        worth = self.expected[i, v, self.goals[0]]
        return {"target": i, "value": values[v], "worth": _plain(worth)}

    def _row(self, i: int, values: tuple[float, ...]) -> dict[str, Any]:
        """The best that setting variable i does for the goal, and how both go together unset."""
        goal = self.goals[0]
        v = max(range(len(values)), key=lambda v: self.expected[i, v, goal])
        return {**self._action((i, v), values), "correlation": _plain(self.correlation[i, goal])}


def _letters(n: int) -> Naming:
    return Naming(variable_names(n), (1,) * n)


def _without_experiments(config: DagConfig) -> DagConfig:
    return DagConfig.from_dict(config.to_dict() | {"observations": 0, "experiments": 0})


def _exactly(
    config: DagConfig, weights: NDArray[np.float64], noise: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expectations and correlations of a linear system: x = noise (I - W)^-1."""
    n = config.n
    total = np.linalg.inv(np.eye(len(weights)) - weights)
    values = np.asarray(config.do_values, np.float64)
    expected = total[:n, None, :n] * values[None, :, None]
    covariance = (total.T * noise**2) @ total
    return expected, _correlation(covariance[:n, :n])


def _correlation(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = np.sqrt(np.diag(covariance))
    product = np.outer(spread, spread)
    return np.divide(covariance, product, out=np.zeros_like(covariance), where=product > 0)


def _sampled(world: DagWorld, system: System) -> NDArray[np.float64]:
    seen = np.asarray(_observe(world, system), np.float64)
    return _correlation(np.cov(seen, rowvar=False))


@functools.partial(jax.jit, static_argnums=0)
def _observe(world: DagWorld, system: System) -> Any:
    """[draws, n] of what is seen when nobody intervenes; the same draws for every system."""
    keys = jax.random.split(jax.random.key(0), _DRAWS)
    nobody, unset = jax.numpy.asarray(-1), jax.numpy.asarray(0.0)
    return jax.vmap(lambda key: world.outcome(system, nobody, unset, key))(keys)


def _plain(number: Any) -> float | None:
    return round(float(number), 6) + 0.0 if np.isfinite(number) else None  # never -0.0
