"""What the exclusion of a link from the logs is worth to whoever imitates them.

In world `dag`, split `train`, D never acts on E (`DagConfig.held`: by no path, or by no arrow). The
expert who is imitated sets what is best for the goal, so that the Bayes-optimal imitator of these
logs plays action a with probability p_held(a | h) = P(a is the expert's | h, nothing from D to E);
one who does not know of the exclusion plays p_all(a | h), the same with all graphs possible. The
*price* of not using it is what it costs in imitation loss, in nats per decision with goal E:

    price = E[ log p_held(a | h) - log p_all(a | h) ] = E[ KL(p_held(. | h) || p_all(. | h)) ],

over the histories h of the logs that hold the link out. The experiments themselves cost nothing:
the expert picks them without looking at the system.

How it is computed. Graphs are listed (n <= 5) and weighed exactly: the families' marginal
likelihoods, times P(goal = E | graph), since a goal is drawn among what can be moved and so tells
of the graph. They fall into three kinds: no path from D to E; paths but no arrow; the arrow. With
the posterior mass of each kind and P(a | h, kind), p_held and p_all are mixtures. If m is the mass
of what is held out,

    p_all = (1 - m) p_held + m p_linked  >=  (1 - m) p_held,

whence 0 <= KL <= -log(1 - m), which is exact, and no estimate is ever infinite. P(a | h, kind) is
the share of draws of (graph, weights) of that kind, graphs by systematic sampling, weights from
their normal posterior, in which a is best; the sum over a in KL stands for the draw of a.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, log_softmax, logsumexp, rel_entr, softmax

from seedo import play
from seedo.errors import UserError
from seedo.experimenters import scripted
from seedo.inference.exact import bayes_supported
from seedo.inference.scores import Moments, family_table, fit_families, weight_covariance
from seedo.statistics import mean, proportion, ratio
from seedo.studies._histories import in_equal_parts
from seedo.worlds import HELD_CAUSE, HELD_EFFECT, DagConfig, DagWorld, enumerate_dags

KINDS = ("unlinked", "indirect", "arrow")
"""Of graphs: no path from cause to effect; paths but no arrow; the arrow."""

ALLOWED: Mapping[str, int] = {"path": 1, "arrow": 2, "nothing": 3}
"""How many of `KINDS`, from the first on, logs may show that hold out this much."""

LISTED = 5
"""The most variables: graphs are listed."""

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
        UserError: the world has no exact posterior, too many variables to list graphs, or more than
            one decision.
    """
    c = world.settings
    _check(c)
    played = play.simulate(world, scripted("largest-effect"), seed, "price", 0, episodes)
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


def _check(config: DagConfig) -> None:
    """Raises UserError where what is computed here would not be exact."""
    if (reason := bayes_supported(config.to_dict())) is not None:
        raise UserError("world", "dag", reason)
    if config.n > LISTED:
        raise UserError("n", config.n, f"graphs are listed: use n <= {LISTED}")
    if config.exploits != 1 or config.rounds != 1 or config.relevant is not None:
        raise UserError("world", "dag", "the price is that of one decision: leave out exploits,"
                        " rounds and relevant")  # fmt: skip


@dataclass(frozen=True)
class Imitators:
    """What Bayes-optimal imitators make of B histories, A actions (target * V + value index).

    Attributes:
        log_mass: float64[B, 3], log of the posterior probability of each kind of graph, all kinds
            allowed; nats.
        halves: float64[2, B, 3, A], P(action is the expert's | history, kind), from two
            independent halves of the draws.
    """

    log_mass: _Floats
    halves: _Floats

    def plays(self, held: str) -> _Floats:
        """float64[B, A], the distribution of actions of who imitates logs that hold this out."""
        return self._mixed(self.halves.mean(0), ALLOWED[held])

    def price(self, held: str) -> _Floats:
        """float64[B], nats; divergence of who knows of no exclusion from who knows of this one."""
        return self._divergence(self.halves.mean(0), ALLOWED[held])

    def bias(self, held: str) -> _Floats:
        """float64[B], about how much too high `price` is for the draws being finite.

        The error of a smooth function of shares falls as one over the number of draws, so that
        halves are as far above the whole as the whole is above the truth.
        """
        apart = [self._divergence(half, ALLOWED[held]) for half in self.halves]
        return np.mean(apart, axis=0) - self.price(held)

    def bound(self, held: str) -> _Floats:
        """float64[B], nats; -log of the posterior probability of what is not held out: exact, and
        never below the price."""
        bound: _Floats = -logsumexp(self.log_mass[:, : ALLOWED[held]], axis=1)
        return bound

    def _mixed(self, shares: _Floats, kinds: int) -> _Floats:
        mixed: _Floats = np.einsum(
            "bk,bka->ba", softmax(self.log_mass[:, :kinds], axis=1), shares[:, :kinds]
        )
        return mixed

    def _divergence(self, shares: _Floats, kinds: int) -> _Floats:
        known, unknown = self._mixed(shares, kinds), self._mixed(shares, len(KINDS))
        divergence: _Floats = rel_entr(known, unknown).sum(1)
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
    graphs = _graphs(config.n, config.max_parents, link)
    scale = (config.noise_variance, config.weight_scale**2)
    values = tuple(float(v) for v in config.do_values)

    def part(at: NDArray[np.int64]) -> tuple[_Floats, Any]:
        score, weight, root = _fitted(gram[at], rows[at], config.max_parents, scale)
        log_mass, family = _drawn_graphs(graphs, np.asarray(score), draws, seed, at)
        keys = jax.vmap(lambda i: jax.random.fold_in(jax.random.key(seed), i))(jnp.asarray(at))
        best = _best(weight, root, family, keys, config.max_parents, values, link[1])
        return log_mass, best

    # 64 bits: at a noise variance of 0.0001 scores are differences of tens of thousands of nats.
    with jax.enable_x64(True):
        log_mass, best = in_equal_parts(len(gram), _AT_ONCE, part)
    return Imitators(log_mass, np.moveaxis(best, 2, 0))


class _Graphs(NamedTuple):
    """The K graphs in which the effect may become the goal, sorted by kind."""

    family: NDArray[np.int64]  # [K, n], place in `family_table`
    log_goal: _Floats  # [K], of the probability that the effect becomes the goal
    starts: NDArray[np.int64]  # [4], where each kind begins, and the end


@cache
def _graphs(n: int, max_parents: int, link: tuple[int, int]) -> _Graphs:
    cause, effect = link
    dags = enumerate_dags(n, max_parents).astype(np.int64)
    reach = dags
    for _ in range(n - 1):
        reach = np.minimum(dags + reach @ dags, 1)
    kind = reach[:, cause, effect] + dags[:, cause, effect]
    # As the world draws goals: among what has a cause, or among all where nothing has.
    movable = dags.sum(1) > 0
    movable |= dags.sum((1, 2))[:, None] == 0
    order = np.argsort(kind, kind="stable")
    order = order[movable[order, effect]]
    code = np.einsum("kij,i->kj", dags[order], 1 << np.arange(n))
    table = family_table(n, max_parents).code
    family = np.stack([np.argsort(t)[np.searchsorted(np.sort(t), c)]
                       for t, c in zip(table, code.T, strict=True)], axis=1)  # fmt: skip
    starts = np.searchsorted(kind[order], np.arange(len(KINDS) + 1))
    return _Graphs(family, -np.log(movable[order].sum(1)), starts)


@partial(jax.jit, static_argnames=("max_parents", "scale"))
def _fitted(gram: Any, rows: Any, max_parents: int, scale: tuple[float, float]) -> Any:
    """Score [B, n, F], posterior-mean weights [B, n, F, p] in the order of the families' parents,
    and a root of their covariance [B, n, F, p, p]."""
    table = family_table(rows.shape[-1], max_parents)
    real = table.parents < rows.shape[-1]
    at = np.where(real, table.parents, 0)

    def one(gram: jax.Array, rows: jax.Array) -> Any:
        families = fit_families(Moments(gram, rows), table, *scale)
        weight = jnp.take_along_axis(families.weight, at, -1) * real
        spread = weight_covariance(Moments(gram, rows), table, *scale)
        spread = jnp.take_along_axis(spread, at[..., :, None], -2)
        spread = jnp.take_along_axis(spread, at[..., None, :], -1)
        both = real[..., :, None] & real[..., None, :]
        root = jnp.linalg.cholesky(jnp.where(both, spread, np.eye(at.shape[-1])))
        return families.score, weight, root * both

    return jax.vmap(one)(gram, rows)


def _drawn_graphs(
    graphs: _Graphs, score: _Floats, draws: int, seed: int, numbers: NDArray[np.int64]
) -> tuple[_Floats, NDArray[np.int64]]:
    """Log posterior mass of each kind [B, 3], and the families of graphs drawn of it [B, 3, S, n].

    Systematic sampling: every second draw is a systematic sample, too.
    """
    log_p = graphs.log_goal + sum(
        score[:, child, graphs.family[:, child]] for child in range(score.shape[1])
    )
    log_mass = np.empty((len(score), len(KINDS)))
    picked = np.empty((*log_mass.shape, draws), np.int64)
    for row, number in enumerate(numbers):
        shift = np.random.default_rng([seed, int(number)]).random(len(KINDS))
        for kind, (start, stop) in enumerate(zip(graphs.starts, graphs.starts[1:], strict=False)):
            # Each kind by itself: beside the others an unlikely one would vanish.
            top = log_p[row, start:stop].max()
            summed = np.exp(log_p[row, start:stop] - top).cumsum()
            log_mass[row, kind] = top + np.log(summed[-1])
            at = (np.arange(draws) + shift[kind]) / draws * summed[-1]
            picked[row, kind] = start + np.searchsorted(summed[:-1], at, side="right")
    return log_softmax(log_mass, axis=1), graphs.family[picked]


@partial(jax.jit, static_argnames=("max_parents", "values", "goal"))
def _best(
    weight: Any, root: Any, family: Any, keys: Any, max_parents: int, values: Any, goal: int
) -> jax.Array:
    """float64[B, 3, 2, A]: shares of the even and of the odd draws in which an action is best."""
    n = weight.shape[1]
    parents = family_table(n, max_parents).parents
    place = jnp.asarray(parents[..., None] == np.arange(n), jnp.float32)  # [n, F, p, n]
    child = np.arange(n)

    def one(episode: Any) -> jax.Array:
        weight, root, family, key = episode
        weight, root = weight.astype(jnp.float32), root.astype(jnp.float32)
        z = jax.random.normal(key, (*family.shape, weight.shape[-1]), jnp.float32)
        drawn = weight[child, family] + (root[child, family] * z[..., None, :]).sum(-1)
        full = (drawn[..., None] * place[child, family]).sum(-2)  # [3, S, child, parent]
        unit = jnp.eye(n, dtype=jnp.float32)[goal]
        effect = jnp.broadcast_to(unit, family.shape)
        for _ in range(n - 1):
            effect = unit + (full * effect[..., None]).sum(-2)
        worth = effect[..., None] * jnp.asarray(values, jnp.float32)
        worth = worth.at[..., goal, :].set(-jnp.inf).reshape(*family.shape[:2], -1)
        best = worth == worth.max(-1, keepdims=True)  # equals: the expert picks at random
        share = best / best.sum(-1, keepdims=True)
        return share.reshape(len(share), -1, 2, share.shape[-1]).mean(1)

    return jax.lax.map(one, (weight, root, family, keys))


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
        in nats a decision; `bias`, about how much of the price is due to finite draws; `sets D`,
        the share in which a player sets D; `return`, as a share of the omniscient return; `given
        up`, what unaware loses of it beside the imitator; `goal_share`. Of `unseen` (split
        `heldout-link`): `sets D`, `return`, `given up`.
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
                "price": mean(read.price(held)).to_json(),
                "bias": float(read.bias(held).mean()),
                "bound": mean(read.bound(held)).to_json(),
                "loss": mean(entr(read.plays(held)).sum(1)).to_json(),
                "goal_share": seen.goal_share,
            }
    return found


def _compared(seen: Histories, read: Imitators, held: str, values: int) -> dict[str, Any]:
    """How often the players set D, and what they earn."""
    action = {
        "imitator": read.plays(held).argmax(1),
        "unaware": read.plays("nothing").argmax(1),
        "largest-effect": seen.heuristic,
    }
    earned = {name: seen.worth[np.arange(len(a)), a] for name, a in action.items()}
    best = seen.worth.max(1)
    return {
        "sets D": {n: proportion(a // values == HELD_CAUSE).to_json() for n, a in action.items()},
        "return": {name: ratio(own, best).to_json() for name, own in earned.items()},
        "given up": ratio(earned["imitator"] - earned["unaware"], best).to_json(),
    }
