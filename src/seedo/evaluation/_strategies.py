"""What each strategy would do at an agent's exploit steps, given the agent's own history."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EpisodeBatch
from seedo.errors import UserError, is_number
from seedo.evaluation._replay import reread, world_of
from seedo.experimenters import READERS, Experimenter, History
from seedo.inference.exact import bayes_expected, bayes_posterior, bayes_supported
from seedo.inference.scores import Rows
from seedo.worlds import DagConfig, Spec, kind_of, names

ORACLE = "causal-optimal"
"""Name of the reader that knows the system."""
BAYES = "bayes"
"""Name of the exact Bayesian reader."""
HEURISTICS = tuple(READERS)
"""Readers that need no model of the system, by name."""
_READ_AT_ONCE, _READ_FEW = 2048, 256  # two shapes, hence two compilations at most
_MANY_VALUES = 32
_TIE = 1e-5  # relative: the log's system has six significant digits


@dataclass(frozen=True, eq=False)
class Readings:
    """Strategies at D exploit steps, with A actions (index = target * V + value index).

    Attributes:
        do_values: the V values an intervention may set.
        episode: int[D], row of the batch; several exploit steps of one episode are several rows.
        step: int[D].
        legal: bool[D, A], relevant variables other than the goal.
        action: int[D], what the agent did; -1 if it did nothing legal.
        worth: float[D, A], exact expected goal value of every action, less what it costs; None if
            unknown.
        posterior: float[D, A], the same given the history alone; None if unknown.
        best: for each strategy bool[D, A], the action it takes. Equal scores are broken at random
            by every player, so all of them are marked.
        missing: for each strategy that could not be had, why.
        players: strategies that are what a player of its own would do, see `also_read_by`.
    """

    do_values: tuple[float, ...]
    episode: NDArray[np.int64]
    step: NDArray[np.int64]
    legal: NDArray[np.bool_]
    action: NDArray[np.int64]
    worth: NDArray[np.float64] | None
    posterior: NDArray[np.float64] | None
    best: dict[str, NDArray[np.bool_]]
    missing: dict[str, str] = field(default_factory=dict)
    players: tuple[str, ...] = ()

    @property
    def first(self) -> NDArray[np.bool_]:
        """bool[D]: the first usable exploit step of its episode."""
        return np.r_[True, self.episode[1:] != self.episode[:-1]][: len(self.episode)]

    def agrees(self, strategy: str) -> NDArray[np.bool_]:
        """bool[D]: the agent did what the strategy does."""
        rows = np.arange(len(self.action))
        chosen: NDArray[np.bool_] = self.best[strategy][rows, np.maximum(self.action, 0)]
        return chosen & (self.action >= 0)

    def value_of(self, strategy: str) -> NDArray[np.float64] | None:
        """float[D]: exact expected goal value of what the strategy does; None if unknown."""
        if self.worth is None or strategy not in self.best:
            return None
        mark = self.best[strategy]
        total: NDArray[np.float64] = np.where(mark, self.worth, 0.0).sum(1)
        return total / mark.sum(1)


def read(batch: EpisodeBatch, only: Collection[str] | None = None) -> Readings | str:
    """All strategies at all exploit steps of a batch, or why there are none.

    With `only`, no others than these: the exact reader takes most of the time.
    """
    if reason := kind_of(batch.origin.world, batch.origin.world_config).no_strategies:
        return reason
    values = _do_values(batch)
    if isinstance(values, str):
        return values
    episode, step = np.nonzero((batch.phase == EXPLOIT) & (batch.goal >= 0))
    goal = batch.goal[episode, step].astype(np.int64)
    allowed = batch.mask[episode] & (np.arange(batch.n) != goal[:, None])
    usable = allowed.any(1)
    if not usable.any():
        return "no exploit step with a goal and something to set"
    episode, step, goal, allowed = episode[usable], step[usable], goal[usable], allowed[usable]
    legal = np.repeat(allowed, len(values), axis=1)

    costs = _costs(batch)
    if isinstance(costs, str):
        return costs
    price = np.repeat(costs, len(values))

    missing: dict[str, str] = {}
    best: dict[str, NDArray[np.bool_]] = {}
    known: dict[str, NDArray[np.float64]] = {}
    for name, score in ((ORACLE, _worth), (BAYES, _posterior)):
        if only is not None and name not in only:
            continue
        scores = score(batch, values, episode, step, goal)
        if isinstance(scores, str):
            missing[name] = scores
        else:
            known[name] = scores - price
            best[name] = _best(known[name], legal)
    for name in HEURISTICS if only is None else (n for n in HEURISTICS if n in only):
        best[name] = _best(_scores(name, batch, values, episode, step, goal) - price, legal)
    action = _actions(batch, values, episode, step, legal)
    return Readings(
        values, episode, step, legal, action, known.get(ORACLE), known.get(BAYES), best, missing
    )


def also_read_by(
    readings: Readings, batch: EpisodeBatch, name: str, reader: Experimenter, spec: Spec
) -> Readings:
    """The same readings and what `reader` makes of these histories, as strategy `name`.

    An exploit action that is not legal counts as a random legal one.
    """
    target, value = reread(batch, reader, spec)
    at = (readings.episode, readings.step)
    action = _index(target[at], value[at], readings.do_values, readings.legal)
    chosen = np.zeros_like(readings.legal)
    chosen[np.arange(len(action)), np.maximum(action, 0)] = True
    mark = np.where((action >= 0)[:, None], chosen, readings.legal)
    return replace(readings, best={**readings.best, name: mark}, players=(*readings.players, name))


def _best(scores: NDArray[Any], legal: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool[D, A]: the legal actions with the highest score, rounding aside."""
    masked = np.where(legal, np.nan_to_num(scores.astype(np.float64), nan=-np.inf), -np.inf)
    top = masked.max(1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    best: NDArray[np.bool_] = legal & (masked >= top - _TIE * np.maximum(np.abs(top), 1e-2))
    return np.where(best.any(1, keepdims=True), best, legal)


def _do_values(batch: EpisodeBatch) -> tuple[float, ...] | str:
    """The configured do-values, else those in the log."""
    given = json.loads(batch.origin.world_config).get("do_values")
    if given is None and batch.origin.world in names():
        given = list(kind_of(batch.origin.world).make(None, "train").spec.do_values)
    if given is not None:
        numbers = isinstance(given, list) and all(map(is_number, given))
        return tuple(float(v) for v in given) if numbers and given else "unusable do_values"
    seen = np.unique(batch.value[np.isfinite(batch.value)])
    if not 0 < len(seen) <= _MANY_VALUES:
        return f"interventions set {len(seen)} different values; strategies need 1 to 32"
    return tuple(float(v) for v in seen)


def _costs(batch: EpisodeBatch) -> NDArray[np.float64] | str:
    """What setting each variable costs, float64[n], as configured; or why that cannot be told."""
    if kind_of(batch.origin.world).family != "dag":
        return np.zeros(batch.n)
    given = json.loads(batch.origin.world_config).get("costs", [])
    usable = isinstance(given, list) and len(given) in (0, batch.n) and all(map(is_number, given))
    if not usable:
        return "unusable costs"
    return np.asarray(given, np.float64) if given else np.zeros(batch.n)


def _actions(
    batch: EpisodeBatch,
    values: tuple[float, ...],
    episode: NDArray[np.int64],
    step: NDArray[np.int64],
    legal: NDArray[np.bool_],
) -> NDArray[np.int64]:
    target = batch.target[episode, step].astype(np.int64)
    value = np.nan_to_num(batch.value[episode, step].astype(np.float64))
    return _index(target, value, values, legal)


def _index(
    target: NDArray[np.int64],
    value: NDArray[np.float64],
    values: tuple[float, ...],
    legal: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Action indices int64[D]; -1 where nothing legal was done."""
    distance = np.abs(value[:, None] - np.asarray(values))
    index = np.maximum(target, 0) * len(values) + distance.argmin(1)
    good = (target >= 0) & (distance.min(1) < 1e-5 * (1 + np.abs(value)))
    good &= legal[np.arange(len(index)), index]
    return np.where(good, index, -1)


def _worth(
    batch: EpisodeBatch,
    values: tuple[float, ...],
    episode: NDArray[np.int64],
    step: NDArray[np.int64],
    goal: NDArray[np.int64],
) -> NDArray[np.float64] | str:
    """float[D, A] from the systems in the log, or why they do not tell."""
    if batch.system is None:
        return "the log has no systems"
    shape: tuple[int, ...] = (batch.n, len(values), batch.n)
    rounds = _rounds(batch)
    if isinstance(rounds, str):
        return rounds
    if rounds is not None:
        shape = (int(rounds[-1]) + 1, *shape)
    expected = np.empty((batch.rows, *shape))
    for row in np.unique(episode):
        try:
            given = np.asarray(json.loads(batch.system[row])["expected"], np.float64)
        except (ValueError, TypeError, KeyError, RecursionError):
            return f"row {row}, column system: no usable 'expected'"
        if given.shape != shape or not np.isfinite(given).all():
            return f"row {row}, column system: 'expected' is not {shape} finite numbers"
        expected[row] = given
    if rounds is None:
        own = expected[episode, :, :, goal]
    else:
        own = expected[episode, rounds[step], :, :, goal]
    worth: NDArray[np.float64] = own.reshape(len(episode), -1)
    return worth


def _rounds(batch: EpisodeBatch) -> NDArray[np.int64] | str | None:
    """int64[S], the round of every step where systems drift; None where they do not; or why the
    log does not tell."""
    if batch.origin.world not in names():
        return None
    try:
        rounds = world_of(batch).spec.rounds
    except UserError as error:
        return f"unusable world_config ({error})"
    if not rounds:
        return None
    if len(rounds) != batch.steps:
        return "the systems drift, and the log has other steps than its world"
    return np.asarray(rounds)


def _posterior(
    batch: EpisodeBatch,
    values: tuple[float, ...],
    episode: NDArray[np.int64],
    step: NDArray[np.int64],
    goal: NDArray[np.int64],
) -> NDArray[np.float64] | str:
    """float[D, A], expected goal values under the exact posterior, or why there are none."""
    reader = _EXACT.get(kind_of(batch.origin.world).family)
    if reader is None:
        return f"world {batch.origin.world} has no exact reader; {', '.join(_EXACT)} has one"
    return reader(batch, values, episode, step, goal)


def _graph_posterior(
    batch: EpisodeBatch,
    values: tuple[float, ...],
    episode: NDArray[np.int64],
    step: NDArray[np.int64],
    goal: NDArray[np.int64],
) -> NDArray[np.float64] | str:
    """The same in world dag."""
    try:
        config = DagConfig.from_dict(json.loads(batch.origin.world_config))
    except UserError as error:
        return f"unusable world_config ({error})"
    if (reason := bayes_supported(config.to_dict())) is not None:
        return reason
    relevant = batch.mask[episode] | (np.arange(batch.n) == goal[:, None])
    sizes = relevant.sum(1)
    if (reason := bayes_supported({"n": int(sizes.max())})) is not None:
        return reason
    found = np.zeros((len(episode), batch.n, len(values)))
    for size in np.unique(sizes).tolist():
        posterior = bayes_posterior(config.to_dict(), size)
        # Work and memory grow as 3^n: a chunk of 16 episodes at n = 10 takes about 0.3 GB.
        chunk = 256 if size <= 6 else 64 if size <= 8 else 16
        group = np.flatnonzero(sizes == size)
        for start in range(0, len(group), _READ_AT_ONCE):
            at = group[start : start + _READ_AT_ONCE]
            seen = np.arange(batch.steps) < step[at][:, None]
            outcome = np.where(seen[:, :, None], batch.outcome[episode[at]], np.nan)
            rows = Rows(outcome.astype(np.float32), batch.target[episode[at]].astype(np.int32))
            found[at] = bayes_expected(posterior, rows, goal[at], values, relevant[at], chunk)
    return found.reshape(len(episode), -1)


_EXACT = {"dag": _graph_posterior}
"""The exact reader of each family of worlds that has one."""


@functools.partial(jax.jit, static_argnames="name")
def _read_chunk(name: str, history: History, goal: jax.Array, values: jax.Array) -> jax.Array:
    return jax.vmap(READERS[name], in_axes=(0, 0, None))(history, goal, values)


def _scores(
    name: str,
    batch: EpisodeBatch,
    values: tuple[float, ...],
    episode: NDArray[np.int64],
    step: NDArray[np.int64],
    goal: NDArray[np.int64],
) -> NDArray[np.float32]:
    """float[D, A]: a heuristic's scores."""
    size = len(episode)
    found = np.empty((size, batch.n * len(values)), np.float32)
    chunk = _READ_AT_ONCE if size > _READ_FEW else _READ_FEW
    for start in range(0, size, chunk):
        # The last chunk repeats its last row, so that all have one shape, hence one compilation.
        at = np.minimum(np.arange(start, start + chunk), size - 1)
        rows = episode[at]
        history = History(
            outcome=jnp.asarray(batch.outcome[rows]),
            target=jnp.asarray(batch.target[rows], jnp.int32),
            value=jnp.asarray(np.nan_to_num(batch.value[rows])),
            seen=jnp.asarray(np.arange(batch.steps) < step[at][:, None]),
        )
        scores = _read_chunk(name, history, jnp.asarray(goal[at]), jnp.asarray(values))
        stop = min(start + chunk, size)
        found[start:stop] = np.asarray(scores).reshape(chunk, -1)[: stop - start]
    return found
