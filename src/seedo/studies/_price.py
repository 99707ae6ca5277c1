"""What the exclusion of a link from the logs is worth to whoever imitates them.

In world `dag`, split `train`, D never acts on E (`DagConfig.held`: by no path, or by no arrow). The
expert who is imitated sets what is best for the goal, so that the Bayes-optimal imitator of these
logs plays action a with probability p_held(a | h) = P(a is the expert's | h, nothing from D to E);
one who does not know of the exclusion plays p_all(a | h), the same with all graphs possible. The
*price* of not using it is what it costs in imitation loss, in nats per decision with goal E:

    price = E[ log p_held(a | h) - log p_all(a | h) ] = E[ KL(p_held(. | h) || p_all(. | h)) ],

over the histories h of the logs that hold the link out. The experiments themselves cost nothing:
the expert picks them without looking at the system.

How it is computed. Graphs fall into three kinds: no path from D to E; paths but no arrow; the
arrow (`_linked_graphs`: their masses given the history and that E is the goal). With the posterior
mass of each kind and P(a | h, kind), p_held and p_all are mixtures. If m is the mass of what is
held out,

    p_all = (1 - m) p_held + m p_linked  >=  (1 - m) p_held,

whence 0 <= KL <= -log(1 - m), and no estimate is ever infinite. P(a | h, kind) is the share of
draws of (graph, weights) of that kind, weights from their normal posterior, in which a is best; the
sum over a in KL stands for the draw of a.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, logsumexp, rel_entr, softmax

from seedo import play
from seedo.errors import UserError
from seedo.experimenters import scripted
from seedo.inference.exact import SubsetPosterior, bayes_posterior, bayes_supported
from seedo.inference.scores import Moments, family_table, weight_covariance
from seedo.statistics import mean, proportion, ratio
from seedo.studies._histories import in_equal_parts
from seedo.studies._linked_graphs import KINDS, SUMMED, draw_graphs
from seedo.worlds import HELD_CAUSE, HELD_EFFECT, DagConfig, DagWorld, stream_key

ALLOWED: Mapping[str, int] = {"path": 1, "arrow": 2}
"""How many of `KINDS`, from the first on, logs may show that hold out this much."""

RELUCTANCE = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Nats by which readers think less of graphs that the logs hold out; see `Imitators.plays`."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

_AT_ONCE = 64  # episodes in one compiled call

_Floats = NDArray[np.float64]


class Histories(NamedTuple):
    """Of B episodes, what was seen before the last decision, and what that could have earned.

    Attributes:
        gram, rows: `Moments` of the experiments, float64[B, n, n, n] and float64[B, n].
        worth: float64[B, A], exact expected goal value of every action; -inf of those refused.
        heuristic: int64[B], the action of the largest-effect reader.
        goal_share: of all episodes that were played, those with this goal.
    """

    gram: _Floats
    rows: _Floats
    worth: _Floats
    heuristic: NDArray[np.int64]
    goal_share: float


def histories(world: DagWorld, episodes: int, seed: int) -> Histories:
    """Histories with goal E among so many episodes of a world of one decision.

    Whoever is imitated explores as the largest-effect reader does here: at random, blind to the
    system.

    Raises:
        UserError: the world has no exact posterior, too many variables, or more than
            one decision.
    """
    c = world.settings
    _check(c)
    played = _played(world, episodes, seed)
    own = played.goal[:, -1] == HELD_EFFECT
    x, target = played.outcome[own, :-1].astype(np.float64), played.target[own, :-1]
    free = (target[..., None] != np.arange(c.n)).astype(np.float64)
    worth = np.asarray(played.task.expected, np.float64)[own][..., HELD_EFFECT]
    worth[:, HELD_EFFECT] = -np.inf
    index = np.abs(played.value[own, -1:] - np.asarray(c.do_values, np.float32)).argmin(1)
    return Histories(
        gram=np.einsum("btj,bti,btk->bjik", free, x, x),
        rows=free.sum(1),
        worth=worth.reshape(len(x), -1),
        heuristic=played.target[own, -1].astype(np.int64) * len(c.do_values) + index,
        goal_share=float(own.mean()),
    )


def _played(world: DagWorld, episodes: int, seed: int) -> Any:
    """The rollout that `play.simulate` gives. Worlds that differ in noise share the programs: it
    stands in the systems, whose draw does not depend on it."""
    base = DagWorld(replace(world.settings, noise_variance=1.0))
    player, key = scripted("largest-effect"), stream_key(seed, "price")

    def part(numbers: jax.Array) -> Any:
        setups = play.set_ups(base, key, numbers)
        system = setups.task.system
        scale = world.settings.noise_variance**0.5 * system.noise_scale
        task = setups.task._replace(system=system._replace(noise_scale=scale))
        return play.rollout_on(base, player, setups._replace(task=task))

    return play.in_parts(part, 0, episodes, world.at_once)


def _check(config: DagConfig) -> None:
    """Raises UserError where what is computed here would not be exact."""
    if (reason := bayes_supported(config.to_dict())) is not None:
        raise UserError("world", "dag", reason)
    if config.n > SUMMED:
        raise UserError("n", config.n, f"sums over subsets: use n <= {SUMMED}")
    if config.exploits != 1 or config.rounds != 1 or config.relevant is not None:
        raise UserError("world", "dag", "the price is that of one decision: leave out exploits,"
                        " rounds and relevant")  # fmt: skip


@dataclass(frozen=True)
class Imitators:
    """What Bayes-optimal imitators make of B histories, A actions (target * V + value index).

    Everything is there twice, from two halves of the draws.

    Attributes:
        log_mass: float64[2, B, 3], log of the posterior probability of each of `KINDS`, all of them
            allowed, up to a constant of the history; nats.
        shares: float64[2, B, 3, A], P(action is the expert's | history, kind).
    """

    log_mass: _Floats
    shares: _Floats

    def plays(self, held: str, reluctance: float = np.inf) -> _Floats:
        """float64[B, A], the distribution of actions of who imitates logs that hold this out.

        With a finite reluctance: of who has learnt only so much of the exclusion, and takes graphs
        with what is held out for exp(-reluctance) times as probable beforehand. At 0 it is `p_all`.
        """
        return _mixed(*self._whole(), ALLOWED[held], reluctance)

    def price(self, held: str, reluctance: float = 0.0) -> _Floats:
        """float64[B], nats; divergence of that reader from who knows of the exclusion."""
        return _divergence(*self._whole(), ALLOWED[held], reluctance)

    def bias(self, held: str, reluctance: float = 0.0) -> _Floats:
        """float64[B], about how much too high `price` is for the draws being finite.

        The error of a smooth function of means falls as one over the number of draws, so that
        halves are as far above the whole as the whole is above the truth.
        """
        halves = zip(self.log_mass, self.shares, strict=True)
        apart = [_divergence(*half, ALLOWED[held], reluctance) for half in halves]
        return np.mean(apart, axis=0) - self.price(held, reluctance)

    def bound(self, held: str) -> _Floats:
        """float64[B], nats; -log of the posterior probability of what is not held out, which the
        price never exceeds."""
        mass = self._whole()[0]
        bound: _Floats = logsumexp(mass, axis=1) - logsumexp(mass[:, : ALLOWED[held]], axis=1)
        return np.maximum(bound, 0.0)

    def _whole(self) -> tuple[_Floats, _Floats]:
        """Both halves as one."""
        some = np.isfinite(self.log_mass).any(0)
        half = softmax(np.where(some, self.log_mass, 0.0), axis=0)
        return logsumexp(self.log_mass, axis=0), (half[..., None] * self.shares).sum(0)


def _mixed(log_mass: _Floats, shares: _Floats, kinds: int, reluctance: float) -> _Floats:
    """float64[B, A], P(action is the expert's | history), kinds but the first ones made rarer."""
    rarer = np.where(np.arange(len(KINDS)) < kinds, 0.0, reluctance)
    mixed: _Floats = np.einsum("bk,bka->ba", softmax(log_mass - rarer, axis=1), shares)
    return mixed


def _divergence(log_mass: _Floats, shares: _Floats, kinds: int, reluctance: float) -> _Floats:
    known = _mixed(log_mass, shares, kinds, np.inf)
    divergence: _Floats = rel_entr(known, _mixed(log_mass, shares, kinds, reluctance)).sum(1)
    return np.maximum(divergence, 0.0)  # but for rounding it is


def imitators(
    gram: _Floats,
    rows: _Floats,
    config: DagConfig,
    draws: int,
    seed: int,
    link: tuple[int, int] = (HELD_CAUSE, HELD_EFFECT),
) -> Imitators:
    """Reads B histories for the goal `link[1]`.

    Args:
        gram, rows: their `Moments`, float64[B, n, n, n] and float64[B, n].
        config: of the world, whose held-out link and split do not matter.
        draws: of graph and weights, for each history and kind; an even number.
        seed: of the draws.
        link: cause and effect of what may be held out.
    """
    posterior = bayes_posterior(config.to_dict())
    parents = posterior.max_parents
    values = tuple(float(v) for v in config.do_values)

    def part(at: NDArray[np.int64]) -> tuple[_Floats, Any]:
        score, weight, root = _fitted(gram[at], rows[at], posterior)
        graphs = draw_graphs(np.asarray(score), parents, link, draws, seed, at)
        keys = jax.vmap(lambda i: jax.random.fold_in(jax.random.key(seed), i))(jnp.asarray(at))
        drawn = (weight, root, graphs.family, graphs.weight, keys)
        best = _best(drawn, parents, values, link[1])
        return np.moveaxis(graphs.log_mass, 0, 1), best

    # 64 bits: at a noise variance of 0.0001 scores are differences of tens of thousands of nats.
    with jax.enable_x64(True):
        log_mass, best = in_equal_parts(len(gram), min(_AT_ONCE, len(gram)), part)
    return Imitators(np.moveaxis(log_mass, 1, 0), np.moveaxis(best, 2, 0))


@partial(jax.jit, static_argnames="posterior")
def _fitted(gram: Any, rows: Any, posterior: SubsetPosterior) -> Any:
    """Score [B, n, F], posterior-mean weights [B, n, F, p] in the order of the families' parents,
    and a root of their covariance [B, n, F, p, p]."""
    table, variances = posterior.table, (posterior.noise_variance, posterior.weight_variance)
    real = table.parents < rows.shape[-1]
    at = np.where(real, table.parents, 0)

    def one(gram: jax.Array, rows: jax.Array) -> Any:
        families = posterior.families(Moments(gram, rows))
        weight = jnp.take_along_axis(families.weight, at, -1) * real
        spread = weight_covariance(Moments(gram, rows), table, *variances)
        spread = jnp.take_along_axis(spread, at[..., :, None], -2)
        spread = jnp.take_along_axis(spread, at[..., None, :], -1)
        both = real[..., :, None] & real[..., None, :]
        root = jnp.linalg.cholesky(jnp.where(both, spread, np.eye(at.shape[-1])))
        return families.score, weight, root * both

    return jax.vmap(one)(gram, rows)


@partial(jax.jit, static_argnames=("max_parents", "values", "goal"))
def _best(drawn: Any, max_parents: int, values: Any, goal: int) -> jax.Array:
    """float64[B, 3, 2, A]: shares of the even and of the odd draws in which an action is best.

    `drawn`: posterior-mean weights and roots as in `_fitted`, families [B, 3, S, n], what a draw
    counts [B, 3, S], keys [B].
    """
    n = drawn[0].shape[1]
    parents = family_table(n, max_parents).parents
    place = jnp.asarray(parents[..., None] == np.arange(n), jnp.float32)  # [n, F, p, n]
    child = np.arange(n)

    def one(episode: Any) -> jax.Array:
        weight, root, family, counts, key = episode
        weight, root = weight.astype(jnp.float32), root.astype(jnp.float32)
        z = jax.random.normal(key, (*family.shape, weight.shape[-1]), jnp.float32)
        own = weight[child, family] + (root[child, family] * z[..., None, :]).sum(-1)
        full = (own[..., None] * place[child, family]).sum(-2)  # [3, S, child, parent]
        unit = jnp.eye(n, dtype=jnp.float32)[goal]
        effect = jnp.broadcast_to(unit, family.shape)
        for _ in range(n - 1):
            effect = unit + (full * effect[..., None]).sum(-2)
        worth = effect[..., None] * jnp.asarray(values, jnp.float32)
        worth = worth.at[..., goal, :].set(-jnp.inf).reshape(*counts.shape, -1)
        best = worth == worth.max(-1, keepdims=True)  # equals: the expert picks at random
        best = best / best.sum(-1, keepdims=True) * counts[..., None]
        halves = best.reshape(len(best), -1, 2, best.shape[-1]).sum(1)
        return halves / jnp.maximum(halves.sum(-1, keepdims=True), 1e-300)  # 0 where nothing counts

    return jax.lax.map(one, drawn)


def priced(
    options: Mapping[str, Any],
    held: str,
    train: int = 14_000,
    unseen: int = 1024,
    draws: int = 1024,
    seed: int = 0,
) -> dict[str, Any]:
    """The price of one hold-out in a world `dag` of these options, and what follows from it.

    Players: `imitator`, the Bayes-optimal one of the logs that hold this out; `unaware`, who thinks
    all graphs possible; `largest-effect`. Both imitators play their most probable action.

    Args:
        options: of `worlds.make("dag", ...)`.
        held: what the logs hold out, of `seedo.worlds.dag.HELD`.
        train, unseen: episodes played of splits `train` (about one in six has goal E, the others
            do not count) and `heldout-link`.
        draws: see `imitators`.
        seed: of all that is drawn.

    Returns:
        JSON-able estimates. Of `train` (goal E): `price`, `bound` and `loss` (the imitator's own)
        in nats a decision; `bias`, what was taken off the price for the draws being finite; `left`,
        the price that is left to who is reluctant; `goal_share`, of decisions. Of `unseen` (split
        `heldout-link`): `evidence`, quantiles of `Imitators.bound`. Of both: `sets D`, the share in
        which a player sets D; `return`, as a share of the omniscient return, also `by reluctance`;
        `given up`, what unaware loses of it beside the imitator.
    """
    found: dict[str, Any] = {}
    for name, split, episodes in (
        ("train", "train", train),
        ("unseen", "heldout-link", unseen),
    ):
        world = DagWorld.make(None, split, held=held, **options)
        seen = histories(world, episodes, seed)
        read = imitators(seen.gram, seen.rows, world.settings, draws, seed)
        found[name] = _compared(seen, read, held, len(world.settings.do_values))
        if name == "train":
            found[name] |= {
                "price": mean(read.price(held) - read.bias(held)).to_json(),
                "bias": float(read.bias(held).mean()),
                "left": {f"{k:g}": mean(read.price(held, k) - read.bias(held, k)).to_json()
                         for k in RELUCTANCE},
                "bound": mean(read.bound(held)).to_json(),
                "loss": mean(entr(read.plays(held)).sum(1)).to_json(),
                "goal_share": seen.goal_share,
            }  # fmt: skip
        else:
            evidence = np.quantile(read.bound(held), QUANTILES)
            found[name]["evidence"] = dict(zip(map(str, QUANTILES), evidence.tolist(), strict=True))
    return found


def _compared(seen: Histories, read: Imitators, held: str, values: int) -> dict[str, Any]:
    """How often the players set D, and what they earn."""
    best = seen.worth.max(1)

    def earned(action: NDArray[np.int64]) -> _Floats:
        worth: _Floats = seen.worth[np.arange(len(action)), action]
        return worth

    by = {k: read.plays(held, k).argmax(1) for k in (*RELUCTANCE, np.inf)}
    players = {"imitator": by[np.inf], "unaware": by[0.0], "largest-effect": seen.heuristic}
    return {
        "sets D": {n: proportion(a // values == HELD_CAUSE).to_json() for n, a in players.items()},
        "return": {name: ratio(earned(a), best).to_json() for name, a in players.items()},
        "given up": ratio(earned(by[np.inf]) - earned(by[0.0]), best).to_json(),
        "by reluctance": {f"{k:g}": ratio(earned(by[k]), best).to_json() for k in RELUCTANCE},
    }
