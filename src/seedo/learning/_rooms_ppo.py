"""Proximal policy optimisation (Schulman et al., 2017) of an agent with a memory in the rooms.

Many rooms are played at once, one episode after another in each; every `unroll` steps the agent
learns from what it has just done. Saying why is an auxiliary loss beside the policy's and the
value's, on the same state (Lampinen et al., 2022).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.learning._rooms_eye import glimpse_of
from seedo.learning._rooms_lesson import say, told_words
from seedo.learning._rooms_network import Verdict
from seedo.learning._rooms_objective import word_loss
from seedo.worlds.rooms import NOTHING, RoomsWorld, Symbolic, shuffled

ADAM_EPSILON = 1e-5
LARGEST_GRADIENT = 0.5
LOSSES = ("policy_loss", "value_loss", "explanation_loss", "entropy", "clipped", "divergence")


class Settings(NamedTuple):
    """Numbers of the algorithm; see `ReinforcementRecipe`."""

    unroll: int
    epochs: int
    minibatches: int
    discount: float
    trace: float
    clip: float
    entropy_weight: float
    value_weight: float
    explanations: str
    explanation_weight: float

    @property
    def listens(self) -> bool:
        """Whether the network hears what is said."""
        return self.explanations == "input"

    @property
    def names(self) -> bool:
        """Whether it learns to say something."""
        return self.explanations not in ("none", "input") and self.explanation_weight > 0


class Visit(NamedTuple):
    """An episode that is being played."""

    task: Any
    state: Any
    memory: Any
    episode: Int[Array, ""]  # how many came before it in this room
    gained: Float[Array, ""]  # reward so far


class Chapter(NamedTuple):
    """T steps of play in one room."""

    shown: Any  # Symbolic [T, ...], or with an eye a pair of it and Glimpse
    said: Int[Array, "T L"]  # before the action
    action: Int[Array, " T"]
    log_prob: Float[Array, " T"]
    free: Bool[Array, " T"]  # something could be done
    value: Float[Array, " T"]
    reward: Float[Array, " T"]
    over: Bool[Array, " T"]  # the action ended the episode
    gained: Float[Array, " T"]  # the episode's reward where it is over, else 0
    won: Bool[Array, " T"]  # the action was rewarded in the episode's last trial


class Practice(NamedTuple):
    """What one room's chapter teaches."""

    memory: Any  # before the first step
    shown: Any
    said: Int[Array, "T L"]
    action: Int[Array, " T"]
    log_prob: Float[Array, " T"]
    free: Bool[Array, " T"]
    over: Bool[Array, " T"]
    advantage: Float[Array, " T"]
    returns: Float[Array, " T"]


def begin(world: RoomsWorld, network: Any, key: PRNGKeyArray, rooms: int) -> Visit:
    """The first episode in each room (leading axis `rooms`), for the key that rounds are given."""
    episode_key, _ = jax.random.split(key)
    first = jnp.zeros((), jnp.int32)
    return jax.vmap(lambda room: _enter(world, network, episode_key, room, first))(
        jnp.arange(rooms)
    )


def _enter(
    world: RoomsWorld, network: Any, key: PRNGKeyArray, room: Array, episode: Array
) -> Visit:
    task = world.sample(_own(key, room, episode))
    return Visit(task, world.reset(task), network.start(), episode, jnp.zeros(()))


def _own(key: PRNGKeyArray, room: Array, episode: Array) -> PRNGKeyArray:
    return jax.random.fold_in(jax.random.fold_in(key, room), episode)


def show(world: RoomsWorld, network: Any, visit: Visit) -> Any:
    """What the network is shown: Symbolic, or with an eye a pair of it and Glimpse."""
    seen = world.symbolic(visit.task, visit.state)
    if network.eye is None:
        return seen
    return seen, glimpse_of(world.sights(visit.task, visit.state), visit.state.agent)


def play(
    world: RoomsWorld,
    network: Any,
    visits: Visit,
    settings: Settings,
    episode_key: PRNGKeyArray,
    action_key: PRNGKeyArray,
) -> tuple[Visit, Chapter, Float[Array, " R"]]:
    """Play on in R rooms: the visits after, a chapter of each, the value of what is to follow.

    Args:
        episode_key: fixes the episodes of all rooms, at all times. action_key: fixes the draws of
            this call's actions.
    """
    rooms = jnp.arange(len(visits.episode))
    last_trial = world.settings.trials - 1
    if network.eye is not None:
        network = eqx.tree_at(lambda n: n.eye, network, network.eye.knowing())

    def think(visit: Visit, room: Array) -> tuple[Any, Array, Any, Verdict]:
        shown = show(world, network, visit)
        other = jax.random.fold_in(_own(episode_key, room, visit.episode), 1)
        said = say(world, settings.explanations, visit.task, visit.state, other)
        memory, verdict = network.step(visit.memory, shown, said if settings.listens else None)
        return shown, said, memory, verdict

    def act(visit: Visit, room: Array, draw: PRNGKeyArray) -> tuple[Visit, Chapter]:
        shown, said, memory, verdict = think(visit, room)
        seen: Symbolic = shown if network.eye is None else shown[0]
        log_probs = jax.nn.log_softmax(verdict.logits)
        action = jax.random.categorical(draw, log_probs).astype(jnp.int32)
        free = seen.chosen < 0  # a verdict is only dwelt on: agents do nothing then
        log_prob = jnp.where(free, log_probs[action], 0.0)
        action = jnp.where(free, action, NOTHING)
        state, reward = world.advance(visit.task, visit.state, action)
        over = state.finished
        gained = visit.gained + reward
        same = Visit(visit.task, state, memory, visit.episode, gained)
        fresh = _enter(world, network, episode_key, room, visit.episode + 1)
        chapter = Chapter(
            shown=shown,
            said=said,
            action=action,
            log_prob=log_prob,
            free=free,
            value=verdict.value,
            reward=reward,
            over=over,
            gained=jnp.where(over, gained, 0.0),
            won=(reward > 0) & (seen.trial == last_trial),
        )
        return jax.tree.map(lambda a, b: jnp.where(over, a, b), fresh, same), chapter

    def step(visits: Visit, t: Array) -> tuple[Visit, Chapter]:
        draws = jax.random.split(jax.random.fold_in(action_key, t), len(rooms))
        return jax.vmap(act)(visits, rooms, draws)

    after, chapters = jax.lax.scan(step, visits, jnp.arange(settings.unroll))
    chapters = jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), chapters)
    return after, chapters, jax.vmap(think)(after, rooms)[3].value


def advantages(
    reward: Float[Array, " T"],
    value: Float[Array, " T"],
    over: Bool[Array, " T"],
    later: Float[Array, ""],
    discount: float,
    trace: float,
) -> Float[Array, " T"]:
    """Generalised advantage estimates (Schulman et al., 2016, eq. 16).

    Args:
        value: before each step. over: the step ended its episode, so that nothing after it counts.
        later: value after the last step.
    """
    goes_on = 1.0 - over.astype(reward.dtype)
    surprise = reward + discount * goes_on * jnp.append(value[1:], later) - value

    def back(total: Array, x: tuple[Array, Array]) -> tuple[Array, Array]:
        total = x[0] + discount * trace * x[1] * total
        return total, total

    return jax.lax.scan(back, jnp.zeros_like(later), (surprise, goes_on), reverse=True)[1]


def objective(
    network: Any, batch: Practice, settings: Settings, told_key: PRNGKeyArray
) -> tuple[Array, Float[Array, " 6"]]:
    """What a minibatch (leading axis: rooms) minimises, and its parts in the order of LOSSES."""
    told, words, naming = told_words(batch.said, told_key)

    def read(one: Practice, told: Array) -> Verdict:
        heard = one.said if settings.listens else None
        return network.read(one.shown, heard, told, one.memory, one.over)

    verdict = jax.vmap(read)(batch, told)
    log_probs = jax.nn.log_softmax(verdict.logits)
    share = batch.free / jnp.maximum(batch.free.sum(), 1)  # weighs the steps that were decisions
    taken = jnp.maximum(batch.action, 0)[..., None]
    change = jnp.take_along_axis(log_probs, taken, -1)[..., 0] - batch.log_prob
    change = jnp.where(batch.free, change, 0.0)
    ratio = jnp.exp(change)
    bounded = jnp.clip(ratio, 1 - settings.clip, 1 + settings.clip)
    mean = (share * batch.advantage).sum()
    spread = jnp.sqrt((share * jnp.square(batch.advantage - mean)).sum())
    advantage = (batch.advantage - mean) / (spread + 1e-8)
    policy = -(share * jnp.minimum(ratio * advantage, bounded * advantage)).sum()
    value = 0.5 * jnp.square(verdict.value - batch.returns).mean()
    entropy = -(share * (jnp.exp(log_probs) * log_probs).sum(-1)).sum()
    total = policy + settings.value_weight * value - settings.entropy_weight * entropy
    word = jnp.zeros(())
    if settings.names:
        word = word_loss(verdict.words, words, naming)
        total = total + settings.explanation_weight * word
    clipped = (share * (jnp.abs(ratio - 1) > settings.clip)).sum()
    divergence = (
        share * (ratio - 1 - change)
    ).sum()  # estimates KL(before | now), and is never negative
    return total, jnp.stack([policy, value, word, entropy, clipped, divergence])


def adam() -> optax.GradientTransformation:
    """Adam with clipped gradients; the learning rate is applied outside."""
    return optax.chain(
        optax.clip_by_global_norm(LARGEST_GRADIENT), optax.scale_by_adam(eps=ADAM_EPSILON)
    )


class Progress(NamedTuple):
    """All that one round hands to the next."""

    network: Any
    optimiser: Any
    visits: Visit


class Round(NamedTuple):
    """Figures of one round."""

    episodes: Int[Array, ""]  # that ended
    gained: Float[Array, ""]  # by them
    won: Int[Array, ""]  # last trials
    losses: Float[Array, " 6"]  # means over its minibatches


@functools.lru_cache(maxsize=4)
def make_round(
    world: RoomsWorld, settings: Settings
) -> Callable[[PRNGKeyArray, Progress, Array, Array], tuple[Progress, Round]]:
    """One compiled round: play `unroll` steps in every room, then learn from them.

    The same arguments give the same program, compiled once.

    Returns:
        (key, progress, number of the round, learning rate) -> (progress, figures). The progress
        handed in is used up; a round draws from the key and its number alone.
    """
    optimiser = adam()

    @eqx.filter_jit(donate="all-except-first")
    def round_(
        key: PRNGKeyArray, progress: Progress, number: Array, rate: Array
    ) -> tuple[Progress, Round]:
        episode_key, own_key = jax.random.split(key)
        action_key, order_key, told_key = jax.random.split(jax.random.fold_in(own_key, number), 3)
        visits, chapters, later = play(
            world, progress.network, progress.visits, settings, episode_key, action_key
        )
        advantage = jax.vmap(advantages, (0, 0, 0, 0, None, None))(
            chapters.reward, chapters.value, chapters.over, later, settings.discount, settings.trace
        )
        said = chapters.said
        if settings.explanations == "shuffled":
            flat = said.reshape(-1, said.shape[-1])
            said = shuffled(flat, (flat > 0).any(-1), told_key).reshape(said.shape)
        practice = Practice(
            memory=progress.visits.memory,
            shown=chapters.shown,
            said=said,
            action=chapters.action,
            log_prob=chapters.log_prob,
            free=chapters.free,
            over=chapters.over,
            advantage=advantage,
            returns=advantage + chapters.value,
        )
        parameters, rest = eqx.partition(progress.network, eqx.is_array)

        def improve(carry: tuple[Any, Any], x: tuple[Array, Array]) -> tuple[Any, Array]:
            (parameters, state), (chosen, i) = carry, x
            batch = jax.tree.map(lambda a: a[chosen], practice)
            (_, parts), gradient = jax.value_and_grad(
                lambda p: objective(
                    eqx.combine(p, rest), batch, settings, jax.random.fold_in(told_key, i)
                ),
                has_aux=True,
            )(parameters)
            updates, state = optimiser.update(gradient, state, parameters)
            parameters = eqx.apply_updates(parameters, jax.tree.map(lambda u: -rate * u, updates))
            return (parameters, state), parts

        order = jax.vmap(lambda k: jax.random.permutation(k, len(visits.episode)))(
            jax.random.split(order_key, settings.epochs)
        ).reshape(settings.epochs * settings.minibatches, -1)
        (parameters, state), parts = jax.lax.scan(
            improve, (parameters, progress.optimiser), (order, jnp.arange(len(order)))
        )
        figures = Round(
            chapters.over.sum(), chapters.gained.sum(), chapters.won.sum(), parts.mean(0)
        )
        return Progress(eqx.combine(parameters, rest), state, visits), figures

    return round_
