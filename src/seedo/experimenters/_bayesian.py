"""Bayesian experimenters: they know the world's prior, and choose and read by the exact posterior.

Exploiting is Bayes-optimal: the action with the highest expected goal value given all rows seen.
Exploring is greedy in the graph's expected information gain (`eig`), in the expected rise of what
exploiting will return (`goal`), or left to a scripted chooser. `sampled-K` explores in random order
and thinks of K graphs only when it exploits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.errors import UserError
from seedo.experimenters._choosers import CHOOSERS, any_of
from seedo.experimenters._protocol import Player
from seedo.experimenters._sampled import SampledGraphs, samples_of
from seedo.experimenters._scripted import legal_actions
from seedo.inference.design import (
    INFORMATION_DRAWS,
    VALUE_DRAWS,
    expected_information_gain,
    goal_probabilities,
    value_of_information,
)
from seedo.inference.exact import SubsetPosterior, bayes_posterior, bayes_supported
from seedo.inference.scores import Moments, add_row, no_rows
from seedo.worlds import Action, Observation, Spec

BAYESIAN = ("eig", "goal", *CHOOSERS)
"""Names for `bayes:NAME`, beside `sampled-K` for any number K of graphs."""

_MOST_FOR_GOAL = 7  # relevant variables; the value of information takes minutes an episode beyond
_NEAR = 0.01  # of the best: choices this close differ by less than the draws can tell
_TIE = 1e-5  # relative: rounding in expected effects


class _State(NamedTuple):
    moments: Moments
    tried: Int[Array, " n"]


@dataclass(frozen=True)
class Bayesian(Player):
    """Explores by `chooser`, one of `BAYESIAN`; exploits by the exact posterior.

    Attributes:
        chooser: how to explore.
        posterior: the model, over the variables that are relevant.
        do_values: what interventions may set.
        draws: outcomes drawn for every experiment considered.
        sampled: what it exploits by instead, if it thinks of a few graphs only.
        costs: what setting each variable costs at an exploit step; () nothing.
    """

    chooser: str
    posterior: SubsetPosterior
    do_values: tuple[float, ...]
    draws: int
    sampled: SampledGraphs | None = None
    costs: tuple[float, ...] = ()

    @property
    def episodes_at_once(self) -> int:
        """Few: decisions are worked out one episode at a time, and small parts keep every core
        busy."""
        return 128

    @property
    def name(self) -> str:
        if self.sampled is not None:
            return f"bayes:sampled-{self.sampled.samples}"
        return f"bayes:{self.chooser}"

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Array | None) -> _State:
        return _State(no_rows(spec.n), jnp.zeros(spec.n, jnp.int32))

    def remember(self, state: _State, observation: Observation) -> _State:
        """The state once the latest step has been taken in, of which a decision is made."""
        # Irrelevant variables tell nothing about the others, so they may as well be unobserved.
        outcome = jnp.where(observation.relevant, observation.outcome, 0.0)
        # What was done counts, which need not be what this player would have done.
        return _State(
            add_row(state.moments, outcome, observation.target),
            state.tried + (jnp.arange(len(state.tried)) == observation.target),
        )

    def act(
        self, state: _State, observation: Observation, key: PRNGKeyArray
    ) -> tuple[Action, _State]:
        state = self.remember(state, observation)
        # A switch, because most steps may be observations, which should cost nothing.
        target, value = jax.lax.switch(
            observation.phase, (_watch, self._explore, self._exploit), state, observation, key
        )
        return Action(target, value), state

    def _explore(self, state: _State, observation: Observation, key: PRNGKeyArray):
        values = jnp.asarray(self.do_values)
        if self.chooser in CHOOSERS:
            choose = CHOOSERS[self.chooser]
            target, value = choose(state.tried, observation.relevant, values, key)
            return target.astype(jnp.int32), value.astype(jnp.float32)
        key_draws, key_tie = jax.random.split(key)
        chosen, moments = self._relevant(state, observation.relevant)
        if self.chooser == "eig":
            worth = expected_information_gain(
                self.posterior, moments, self.do_values, key_draws, self.draws
            )
        else:
            goal = self._goal(moments, chosen, observation.goal)
            worth = value_of_information(
                self.posterior, moments, self.do_values, key_draws, goal, self.draws
            )
        near = worth >= worth.max() * (1 - _NEAR)
        return self._action(chosen, near, key_tie)

    def _exploit(self, state: _State, observation: Observation, key: PRNGKeyArray):
        chosen, moments = self._relevant(state, observation.relevant)
        goal = jnp.argmax(chosen == observation.goal)
        if self.sampled is None:
            effects = self.posterior.effects(moments, goal)
        else:
            key_graphs, key = jax.random.split(key)
            effects = self.sampled.effects(moments, goal, key_graphs)
        worth = effects[:, None] * jnp.asarray(self.do_values)
        if self.costs:
            worth = worth - jnp.asarray(self.costs)[chosen][:, None]
        legal = legal_actions(jnp.ones(len(chosen), bool), goal)
        worth = jnp.where(legal[:, None], worth, -jnp.inf)
        top = worth.max()
        near = worth >= top - _TIE * jnp.maximum(jnp.abs(top), 1e-2)
        return self._action(chosen, near, key)

    def _relevant(
        self, state: _State, relevant: Bool[Array, " n"]
    ) -> tuple[Int[Array, " k"], Moments]:
        """Indices of the relevant variables, and moments of these alone."""
        chosen = jnp.argsort(~relevant, stable=True)[: self.posterior.n]
        gram, rows = state.moments
        gram = gram[chosen[:, None, None], chosen[:, None], chosen]
        return chosen, Moments(gram, rows[chosen])

    def _goal(
        self, moments: Moments, chosen: Int[Array, " k"], goal: Int[Array, ""]
    ) -> Float[Array, " k"]:
        """Probability of every relevant variable to be the goal."""
        return jnp.where(goal < 0, goal_probabilities(self.posterior, moments), chosen == goal)

    def _action(self, chosen: Int[Array, " k"], best: Bool[Array, "k V"], key: PRNGKeyArray):
        action = any_of(best.reshape(-1), key)
        target, value = jnp.divmod(action, len(self.do_values))
        return chosen[target].astype(jnp.int32), jnp.asarray(self.do_values, jnp.float32)[value]


def _watch(state: _State, observation: Observation, key: PRNGKeyArray):
    return jnp.asarray(-1, jnp.int32), jnp.asarray(0.0, jnp.float32)


def bayesian(name: str, config: Mapping[str, Any], draws: int | None = None) -> Bayesian:
    """A Bayesian experimenter for a world `dag` of this configuration.

    Args:
        name: one of `BAYESIAN`, or `sampled-K`.
        config: fields of `seedo.worlds.DagConfig`.
        draws: outcomes drawn for every experiment considered, a power of two from 8 on.

    Raises:
        UserError: an unknown name, a world whose posterior is not exact, or more relevant variables
            than `goal` can handle.
    """
    samples = samples_of(name)
    if samples is None and name not in BAYESIAN:
        remedy = f"use one of {', '.join(BAYESIAN)}, or sampled-K with a whole number K"
        raise UserError("bayes", name, remedy)
    if (reason := bayes_supported(config)) is not None:
        raise UserError("bayes", name, reason)
    size = config.get("relevant") or config["n"]
    if name == "goal" and size > _MOST_FOR_GOAL:
        raise UserError("bayes", name, f"{size} variables; at most {_MOST_FOR_GOAL}: use eig")
    costs = tuple(float(cost) for cost in config.get("costs", ()))
    if name == "goal" and costs:
        raise UserError("bayes", name, "it values experiments as if exploiting were free: use eig")
    posterior = bayes_posterior(config)
    default = VALUE_DRAWS if name == "goal" else INFORMATION_DRAWS
    values = tuple(float(v) for v in config["do_values"])
    draws = default if draws is None else draws
    if samples is None:
        return Bayesian(name, posterior, values, draws, costs=costs)
    sampled = SampledGraphs(
        posterior.n,
        posterior.max_parents,
        posterior.noise_variance,
        posterior.weight_variance,
        samples,
        posterior.root_variance,
    )
    return Bayesian("shuffled", posterior, values, draws, sampled, costs)
