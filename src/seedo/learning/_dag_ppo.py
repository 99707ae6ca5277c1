"""Proximal policy optimisation (Schulman et al., 2017) of an agent in world `dag`.

There is no value network. K players meet every task, with the same noise; they differ in their
draws alone, so the mean of the others is a baseline of each (leave-one-out: Kool et al., 2019;
Ahmadian et al., 2024). Where the exact expected return of every action is known, what the policy
expects of its own next choice takes the place of what that choice happened to be: the same
gradient in the mean, with less noise (Ciosek and Whiteson, 2018).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import groupby
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from numpy.typing import NDArray

from seedo.experimenters import Player
from seedo.learning._agent import Agent
from seedo.learning._inputs import Cue, Inputs, Row
from seedo.learning._networks import Network
from seedo.learning._objective import CACHED_FLOATS
from seedo.learning._rooms_ppo import adam
from seedo.play import Setup, noise_at, set_up, take_step
from seedo.worlds import EXPLOIT, EXPLORE, OBSERVE, Action, Spec, World

LOSSES = ("policy_loss", "entropy", "anchor", "clipped", "divergence")
PHASES_LEARNT = {"both": (EXPLORE, EXPLOIT), "explore": (EXPLORE,), "exploit": (EXPLOIT,)}


class Played(NamedTuple):
    """Finished episodes; every field has leading axes [tasks, players], or one of both in turn."""

    inputs: Inputs  # what a network reads of them
    action: Int[Array, " S"]  # index that was drawn: target * V + index of the value
    log_prob: Float[Array, " S"]  # of it, when it was drawn; 0 where nothing was decided
    worth: Float[Array, " S"]  # exact expected goal value of what was done; 0 but at exploit steps
    hoped: Float[Array, " S"]  # its mean over the policy's choices at that step
    oracle_return: Float[Array, ""]
    random_return: Float[Array, ""]


def play(
    world: World, agent: Agent, key: PRNGKeyArray, tasks: Int[Array, " Q"], players: int
) -> Played:
    """What K players of an agent, which draws its actions, do in Q tasks: [Q, K] episodes.

    A task's system and noise depend on the key and its number alone; noise belongs to a step, so
    players who do the same see the same. Steps of phase `observe` only observe.
    """

    def at_task(task: Array) -> Played:
        setup = set_up(world, jax.random.fold_in(key, task))
        keys = jax.random.split(setup.player_key, players)
        return jax.vmap(lambda own: _play_on(world, agent, setup, own))(keys)

    return jax.vmap(at_task)(tasks)


class Watching(Player, eqx.Module):
    """An agent who only observes, and remembers."""

    agent: Agent
    name: ClassVar[str] = "watching"

    def begin(self, spec: Spec, key: PRNGKeyArray, privileged: None) -> Any:
        return self.agent.begin(spec, key, None)

    def act(self, memory: Any, observation: Any, key: PRNGKeyArray) -> tuple[Action, Any]:
        idle = Action(jnp.asarray(-1), jnp.asarray(0.0))
        return idle, self.agent.remember(memory, observation)


def _play_on(world: Any, agent: Agent, setup: Setup, key: PRNGKeyArray) -> Played:
    spec, task = world.spec, setup.task
    values = jnp.asarray(spec.do_values)

    def step(now: Any, t: Any, decides: bool) -> tuple[Any, tuple[Any, ...]]:
        player = agent if decides else Watching(agent)
        act_key = jax.random.fold_in(key, t)
        done = take_step(world, player, task, now, act_key, noise_at(world, setup, t))
        index, log_prob, hoped = jnp.asarray(0), jnp.asarray(0.0), jnp.asarray(0.0)
        if decides:
            log_probs: Any = done.action.log_probs
            index = done.action.target * len(values)
            index = index + jnp.argmin(jnp.abs(values - done.action.value))
            log_prob = log_probs[index]
            worth = world.worths(task, jnp.asarray(t))
            exploiting = jnp.asarray(spec.phases)[t] == EXPLOIT
            worth = jnp.where(jnp.isfinite(worth) & exploiting, worth, 0.0)
            hoped = (jnp.exp(log_probs) * worth).sum()
        bare = done.action._replace(log_probs=None)  # they are large, and not needed again
        row = world.row(task, now[0], bare, done.reward, done.state)
        return (done.state, done.memory), (row, index, log_prob, hoped)

    now: Any = (world.reset(task, setup.noise_key), agent.begin(spec, key, None))
    # The first step is apart: nothing is known yet, so that one decision serves all episodes
    # (`vmap` sees to it), and so that the carry of the scans has settled types.
    now, first = step(now, 0, spec.phases[0] != OBSERVE)
    parts = [jax.tree.map(lambda a: a[None], first)]
    at = 1
    for observing, own in groupby(spec.phases[1:], lambda phase: phase == OBSERVE):
        count = len(list(own))
        run = functools.partial(step, decides=not observing)
        now, rest = jax.lax.scan(run, now, jnp.arange(at, at + count))
        parts.append(rest)
        at += count
    rows, index, log_prob, hoped = jax.tree.map(lambda *a: jnp.concatenate(a), *parts)
    told = world.rollout(task, rows)
    inputs = Inputs(
        jnp.asarray(spec.phases, jnp.int32), told.goal, told.target, told.value, told.outcome,
        told.relevant,
    )  # fmt: skip
    return Played(
        inputs, index, log_prob, rows.reward, hoped, told.oracle_return, told.random_return
    )


def returns(played: Played) -> NDArray[np.float64]:
    """float64[...]: mean over exploit steps of the exact expected goal value."""
    exploiting = np.asarray(played.inputs.phase) == EXPLOIT
    worth = np.asarray(played.worth, np.float64)
    return worth.sum(-1) / exploiting.sum(-1)


def advantages(played: Played, reward: str) -> NDArray[np.float64]:
    """float64[Q, K, S]: what each decision gained over what was to be expected without it.

    With `expected`, of an exploit decision the exact worth of the choice less the policy's own mean
    there, plus, as of any decision, what the policy hopes for at later exploit steps less the same
    of the task's other players. With `sampled`, the goal values that were seen from that step on,
    less the others'. Multiplied by the gradients of the log-probabilities, either estimates the
    gradient of the expected sum of rewards without bias: no baseline depends on the choice.

    Args:
        played: [Q, K] episodes of at least two players.
    """
    hoped, worth = (np.asarray(a, np.float64) for a in (played.hoped, played.worth))
    if reward == "expected":
        return worth - hoped + _against_others(_later(hoped))
    inputs = jax.tree.map(np.asarray, played.inputs)
    goal = np.maximum(inputs.goal, 0)[..., None]
    seen = np.take_along_axis(inputs.outcome, goal, -1)[..., 0].astype(np.float64)
    rewarded = (inputs.phase == EXPLOIT) & (inputs.target >= 0)
    gained = np.where(rewarded, seen, 0.0)
    return _against_others(gained + _later(gained))


def _later(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over the steps after each."""
    return x[..., ::-1].cumsum(-1)[..., ::-1] - x


def _against_others(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """[Q, K, S] less the mean of the other players of each task."""
    players = x.shape[1]
    return (x - x.mean(1, keepdims=True)) * (players / (players - 1))


class Practice(NamedTuple):
    """M decisions to learn from; every field has a leading axis M."""

    inputs: Inputs  # the episode of each
    step: Any  # int32[M]
    action: Any  # int32[M]
    log_prob: Any  # f32[M], when it was taken
    advantage: Any  # f32[M]
    weight: Any  # f32[M]

    def take(self, rows: Any) -> Practice:
        return jax.tree.map(lambda a: a[rows], self)


def practice(
    played: Played, reward: str, learnt: str, share: float, rng: np.random.Generator
) -> Practice:
    """Decisions drawn without replacement, the same share of each phase (at least one decision).

    Weights sum to 1 and make up for the draw, so that weighted sums estimate, without bias, means
    over all decisions of the phases learnt. Advantages are in units of their standard deviation
    over all these decisions.
    """
    gained = advantages(played, reward)
    episodes, steps = gained.shape[0] * gained.shape[1], gained.shape[2]
    flat: Any = jax.tree.map(lambda a: np.asarray(a).reshape(episodes, *np.shape(a)[2:]), played)
    gained = gained.reshape(episodes, steps)
    phases = flat.inputs.phase[0]
    counts = {code: int((phases == code).sum()) * episodes for code in PHASES_LEARNT[learnt]}
    total = max(sum(counts.values()), 1)
    rows, weights = [], []
    for code, count in counts.items():
        drawn = min(count, max(1, round(share * count)))
        if not drawn:
            continue
        own = np.sort(rng.choice(count, drawn, replace=False))
        episode, place = np.divmod(own, count // episodes)
        rows.append(np.stack([episode, np.flatnonzero(phases == code)[place]]))
        weights.append(np.full(drawn, count / total / drawn))
    episode, step = np.concatenate(rows, axis=1)
    trained = np.isin(phases, list(counts))
    spread = max(float(gained[:, trained].std()), 1e-8)
    return Practice(
        inputs=jax.tree.map(lambda a: a[episode], flat.inputs),
        step=step.astype(np.int32),
        action=flat.action[episode, step].astype(np.int32),
        log_prob=flat.log_prob[episode, step],
        advantage=(gained[episode, step] / spread).astype(np.float32),
        weight=np.concatenate(weights).astype(np.float32),
    )


class Weights(NamedTuple):
    """Clip of the ratio; weights of the entropy and of staying near the anchor."""

    clip: Any
    entropy: Any
    anchor: Any


def log_probs_at(network: Any, inputs: Inputs, step: Int[Array, ""]) -> Float[Array, " A"]:
    """Log-probabilities at one step of an episode, which need not be the same in a batch.

    Nothing is read by index: the gradient of that is a scatter, several times slower than all the
    rest on a CPU.
    """
    steps = jnp.arange(len(inputs.target))
    if network.decisions_are_free:
        every = network.read(inputs, steps).log_probs
        allowed = jnp.isfinite(every)
        here = (steps == step)[:, None]
        chosen = jnp.where(here & allowed, every, 0.0).sum(0)
        return jnp.where((here & allowed).any(0), chosen, -jnp.inf)
    # Memories of such networks are sums over rows, from zero.
    blank = network.start(len(inputs.relevant), len(steps))
    before = Row(inputs.target, inputs.value, inputs.outcome, steps < step)
    memory = jax.tree.map(
        lambda a: a.sum(0), jax.vmap(lambda row: network.remember(blank, row))(before)
    )
    phase, goal = ((steps == step) @ column for column in (inputs.phase, inputs.goal))
    return network.decide(memory, Cue(phase, goal, inputs.relevant))[0].log_probs


def objective(
    network: Network, anchor: Network | None, batch: Practice, weights: Weights
) -> tuple[Array, Float[Array, " 5"]]:
    """Clipped surrogate (Schulman et al., 2017, eq. 7) of some decisions, less their entropy, plus
    KL(network | anchor), exact over actions; and the parts in the order of LOSSES.

    All are sums weighted by the batch, so that it may be cut into parts and the results added.
    """

    def decide(network: Network) -> Float[Array, "M A"]:
        return jax.vmap(lambda inputs, step: log_probs_at(network, inputs, step))(
            batch.inputs, batch.step
        )

    log_probs = decide(network)
    allowed = jnp.isfinite(log_probs)
    safe = jnp.where(allowed, log_probs, 0.0)  # -inf * 0 would be NaN, in gradients too
    probs = jnp.where(allowed, jnp.exp(safe), 0.0)
    taken = jax.nn.one_hot(batch.action, safe.shape[-1])
    change = (taken * safe).sum(-1) - batch.log_prob
    ratio = jnp.exp(change)
    bounded = jnp.clip(ratio, 1 - weights.clip, 1 + weights.clip)
    w = batch.weight
    policy = -(w * jnp.minimum(ratio * batch.advantage, bounded * batch.advantage)).sum()
    entropy = -(w * (probs * safe).sum(-1)).sum()
    total = policy - weights.entropy * entropy
    away = jnp.zeros(())
    if anchor is not None:
        before = jax.lax.stop_gradient(decide(anchor))
        before = jnp.where(allowed, before, 0.0)
        away = (w * (probs * (safe - before)).sum(-1)).sum()
        total = total + weights.anchor * away
    clipped = (w * (jnp.abs(ratio - 1) > weights.clip)).sum()
    divergence = (w * (ratio - 1 - change)).sum()  # estimates KL(before | now)
    return total, jnp.stack([policy, entropy, away, clipped, divergence])


def part_size(rows: int, floats: int) -> int:
    """Episodes, or decisions, worked on at once: about as many as a core's cache holds."""
    if jax.default_backend() != "cpu":
        return rows
    return min(rows, max(8, CACHED_FLOATS // floats))


def floats(network: Network, world: World) -> int:
    """Size of one activation for one decision."""
    n, steps = world.spec.n, world.spec.steps
    column: Any = np.zeros((1, steps))
    row: Any = np.zeros((1, steps, n))
    like = Inputs(column, column, column, column, row, row[0])
    return network.floats(like, 1)


@functools.lru_cache(maxsize=8)
def make_play(
    world: World, players: int, part: int
) -> Callable[[Agent, PRNGKeyArray, Int[Array, " Q"]], Played]:
    """A compiled `play` that works on `part` tasks at a time; Q is a multiple of `part`.

    The same arguments give the same program, compiled once; so for `make_gradient`.
    """

    @eqx.filter_jit
    def run(agent: Agent, key: PRNGKeyArray, tasks: Int[Array, " Q"]) -> Played:
        if len(tasks) == part:
            return play(world, agent, key, tasks, players)
        found = jax.lax.map(
            lambda own: play(world, agent, key, own, players), tasks.reshape(-1, part)
        )
        return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), found)

    return run


@functools.lru_cache(maxsize=8)
def make_gradient(
    part: int,
) -> Callable[[Network, Network | None, Practice, Weights], tuple[Any, Float[Array, " 5"]]]:
    """Compiled gradient of `objective`, `part` decisions at a time; their number is a multiple."""

    @eqx.filter_jit
    def differentiate(
        network: Network, anchor: Network | None, batch: Practice, weights: Weights
    ) -> tuple[Any, Array]:
        parameters, rest = eqx.partition(network, eqx.is_array)

        def add(total: Any, own: Practice) -> tuple[Any, Array]:
            gradient, parts = jax.grad(
                lambda p: objective(eqx.combine(p, rest), anchor, own, weights), has_aux=True
            )(parameters)
            return jax.tree.map(jnp.add, total, gradient), parts

        nothing = jax.tree.map(jnp.zeros_like, parameters)
        cut = jax.tree.map(lambda a: a.reshape(-1, part, *a.shape[1:]), batch)
        total, parts = jax.lax.scan(add, nothing, cut)
        return total, parts.sum(0)

    return differentiate


@eqx.filter_jit
def improve(
    found: list[Any], network: Network, state: Any, rate: Array
) -> tuple[Network, Any, Float[Array, " 5"]]:
    """Network and optimiser state after one step on the sum of some gradients, and the losses."""
    gradient, parts = jax.tree.map(lambda *share: sum(share), *found)
    parameters, rest = eqx.partition(network, eqx.is_array)
    updates, state = adam().update(gradient, state, parameters)
    parameters = eqx.apply_updates(parameters, jax.tree.map(lambda u: -rate * u, updates))
    return eqx.combine(parameters, rest), state, parts
