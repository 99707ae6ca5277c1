"""Scripted experimenters: a chooser for exploring and a reader for exploiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.experimenters._choosers import Chooser, any_of
from seedo.experimenters._protocol import Player
from seedo.experimenters._readers import History, Reader
from seedo.worlds import EXPLOIT, OBSERVE, Action, Observation, Spec, legal_returns


class _State(NamedTuple):
    history: History | None  # None where no reader asks for it
    tried: Int[Array, " n"]
    step: Int[Array, ""]
    values: Float[Array, " V"]
    expected: Float[Array, "n V n"] | Float[Array, "R n V n"] | None
    rounds: Int[Array, " S"] | None  # of a system that drifts and is known
    costs: Float[Array, " n"] | None  # of setting each variable, where it costs anything


@dataclass(frozen=True)
class Scripted(Player):
    """Explores with `chooser`, exploits with `reader`.

    `reader` scores actions from the history; None exploits at random, and `knows_system` replaces
    it with the true expected returns. Where setting a variable costs something, that is taken off
    the score, in whatever unit it is. Equal scores are broken at random.
    """

    name: str
    chooser: Chooser
    reader: Reader | None
    knows_system: bool = False

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: Array | None) -> _State:
        steps, n = spec.steps, spec.n
        history = None
        if self.reader is not None:
            history = History(
                outcome=jnp.full((steps, n), jnp.nan),
                target=jnp.full(steps, -1),
                value=jnp.zeros(steps),
                seen=jnp.zeros(steps, bool),
            )
        known = privileged if self.knows_system else None
        rounds = None if known is None or known.ndim == 3 else jnp.asarray(spec.rounds)
        tried, values = jnp.zeros(n, jnp.int32), jnp.asarray(spec.do_values)
        costs = jnp.asarray(spec.costs) if spec.costs and (history or self.knows_system) else None
        return _State(history, tried, jnp.asarray(0), values, known, rounds, costs)

    def remember(self, state: _State, observation: Observation) -> _State:
        """The state once the latest step has been taken in, of which a decision is made."""
        n = observation.relevant.shape[0]
        # What was done counts, which need not be what this player would have done.
        state = state._replace(tried=state.tried + (jnp.arange(n) == observation.target))
        return _remember(state, observation)

    def act(
        self, state: _State, observation: Observation, key: PRNGKeyArray
    ) -> tuple[Action, _State]:
        state = self.remember(state, observation)
        key_explore, key_exploit = jax.random.split(key)
        explore = self.chooser(state.tried, observation.relevant, state.values, key_explore)
        exploit = self._exploit(state, observation, key_exploit)
        exploiting = observation.phase == EXPLOIT
        watching = observation.phase == OBSERVE
        target = jnp.where(watching, -1, jnp.where(exploiting, exploit[0], explore[0]))
        value = jnp.where(exploiting, exploit[1], explore[1])
        value = jnp.where(target < 0, 0.0, value)
        return Action(target.astype(jnp.int32), value), state

    def _exploit(self, state: _State, observation: Observation, key: PRNGKeyArray):
        goal = jnp.maximum(observation.goal, 0)
        n = observation.relevant.shape[0]
        if state.expected is not None:
            known = state.expected
            if state.rounds is not None:
                known = known[state.rounds[len(state.rounds) - observation.steps_left]]
            if state.costs is not None:
                known = known - state.costs[:, None, None]
            scores = legal_returns(known, goal, observation.relevant)
        else:
            scores = jnp.zeros((n, len(state.values)))
            if self.reader is not None and state.history is not None:
                scores = self.reader(state.history, goal, state.values)
            if state.costs is not None:
                scores = scores - state.costs[:, None]
            legal = legal_actions(observation.relevant, goal)
            scores = jnp.where(legal[:, None], scores, -jnp.inf).reshape(-1)
        best = any_of(scores >= scores.max(), key)
        return best // len(state.values), state.values[best % len(state.values)]


def legal_actions(relevant: Bool[Array, " n"], goal: Int[Array, ""]) -> Bool[Array, " n"]:
    """Variables that an exploit step may set: relevant, and not the goal itself."""
    return relevant & (jnp.arange(relevant.shape[0]) != goal)


def _remember(state: _State, observation: Observation) -> _State:
    """Add the outcome of the previous step to the history."""
    h = state.history
    if h is None:
        return state
    row = jnp.maximum(state.step - 1, 0)
    new = state.step > 0

    def put(column, entry):
        return column.at[row].set(jnp.where(new, entry, column[row]))

    history = History(
        outcome=put(h.outcome, observation.outcome),
        target=put(h.target, observation.target),
        value=put(h.value, observation.value),
        seen=h.seen.at[row].set(new),
    )
    return state._replace(history=history, step=state.step + 1)
