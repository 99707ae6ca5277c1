"""DAgger (Ross, Gordon & Bagnell, 2011), what can be said of it without playing: its settings, whom
it asks where, and how a round is learnt from. The rounds are in `learning.learn_by_dagger`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.learning._agent import Agent
from seedo.learning._batches import minibatches
from seedo.learning._course import Course
from seedo.learning._dag_imitation import DAG_RECIPE
from seedo.learning._imitation import complete_recipe, learn
from seedo.learning._job import Report, settings_of
from seedo.learning._kinds import NETWORKS, NetworkKind
from seedo.recipes import DaggerRecipe, Recipe, Training
from seedo.storage import AnyPlace
from seedo.worlds import EXPLOIT, OBSERVE

WARM_UP = 10
"""Optimiser steps over which the learning rate of a round rises: its weights are no longer random,
and rounds are short."""

HELDOUT = 256
"""Held-out episodes of a dataset that the loss is found on, some of them twice if it has fewer."""


def described(recipe: DaggerRecipe) -> dict[str, Any]:
    """What is kept of a recipe, in the layout of earlier versions."""
    own = {f.name: getattr(recipe, f.name) for f in fields(recipe)}
    asking = {k: v for k, v in own.items() if k not in Training.__dataclass_fields__}
    rate = recipe.learning_rate or DAG_RECIPE["learning_rate"]
    imitation = replace(recipe.imitation, learning_rate=rate)
    return asking | {"imitation": settings_of(imitation)}


class Queries(NamedTuple):
    """Where the expert is asked in the episodes of a round."""

    acts: NDArray[np.bool_]  # [B, S]: the expert's action is carried out
    asked: NDArray[np.bool_]  # [B, S]: its action is learnt; everywhere where it acts, and more


def plan_queries(recipe: DaggerRecipe, number: int, phases: Sequence[int]) -> Queries:
    """Who acts at which step of a round, and where the expert is asked besides.

    Fixed before anything is played, so that it cannot depend on what is seen and the queries can be
    counted: `asked` has exactly `queries_of(number)` steps, or all there are. As many episodes are
    played as the queries pay for; what is then left is asked at steps drawn from all that are open.
    If they do not pay for one, the expert acts less often than `beta_of` says.
    """
    rng = np.random.default_rng([recipe.seed, number, recipe.expert_queries])
    budget, codes = recipe.queries_of(number), np.asarray(phases)
    open_ = codes != OBSERVE
    exploits = int((codes == EXPLOIT).sum())
    # An episode takes `exploits` queries or more, if it has that many steps: these suffice.
    most = max(1, budget // max(1, exploits))
    acts = (rng.random((most, len(codes))) < recipe.beta_of(number)) & open_
    asked = acts.copy()
    if recipe.ask != "uniform":
        asked |= codes == EXPLOIT
    if recipe.ask != "exploit":
        order = np.where(open_ & ~asked, rng.random(acts.shape), np.inf)
        asked |= (order.argsort(1).argsort(1) < exploits) & np.isfinite(order)
    paid = int((asked.sum(1).cumsum() <= budget).sum())
    if not paid:
        asked[0] &= asked[0].cumsum() <= budget
        acts[0] &= asked[0]
        paid = 1
    acts, asked = acts[:paid], asked[:paid]
    free = np.flatnonzero(open_ & ~asked)
    left = min(budget - int(asked.sum()), len(free))
    asked.reshape(-1)[rng.permutation(free)[:left]] = True
    if paid == 1:  # one shard is held out, so there must be another
        nobody = np.zeros_like(asked)
        acts, asked = np.concatenate([acts, nobody]), np.concatenate([asked, nobody])
    return Queries(acts, asked)


def learn_round(
    agent: Agent,
    logs: Sequence[AnyPlace],
    labelled: Sequence[str | Path],
    out: str | Path,
    recipe: DaggerRecipe,
    progress: Callable[[Report], None] | None = None,
    checkpoint_seconds: float = 20.0,
) -> Agent:
    """Go on training an agent on the logs and on labelled episodes, as one round does.

    Without labelled episodes: as many steps on the logs alone.
    """
    kind: NetworkKind = NETWORKS.find(agent.architecture.kind)
    imitation = complete_recipe(
        replace(
            recipe.imitation,
            network=agent.architecture.kind,
            widths=tuple(sorted(agent.architecture.widths.items())),
            start=None,
        ),
        kind,
    )
    assert imitation.batch_size is not None
    assert imitation.epochs is not None
    sizes = minibatches([Dataset(path) for path in (*logs, *labelled)], imitation.batch_size)
    old, new = sum(sizes[: len(logs)]), sum(sizes[len(logs) :])
    visits = [1] * len(logs)
    if labelled:
        # Both numbers are whole, so that the share is met as nearly as either pass allows.
        often = recipe.share / (1 - recipe.share) * old / new
        visits = [max(1, round(1 / often))] * len(logs)
        visits += [max(1, round(often))] * len(labelled)
    steps = max(1, round(imitation.epochs * old / recipe.rounds))
    epochs = steps / float(np.dot(sizes, visits))

    def course(datasets: list[Dataset], own: Recipe) -> Course:
        found = kind.course(datasets, own)
        if found.architecture.to_json() != agent.architecture.to_json():
            raise UserError("from", agent.name, "its network is too small for these logs")

        def heldout(index: int, batch: EpisodeBatch) -> Any:
            # Of one size, whatever the round: compiled once.
            return found.heldout(index, batch.take(np.arange(HELDOUT) % batch.rows))

        # A copy: training gives its arrays away, and the agent goes on being one.
        network = jax.tree.map(
            lambda x: jnp.array(x, copy=True) if eqx.is_array(x) else x, agent.network
        )
        return found._replace(network=network, heldout=heldout)

    return learn(
        [*logs, *labelled], out, replace(imitation, epochs=epochs), True, progress,
        checkpoint_seconds, course, visits=visits, warm_up=WARM_UP,
    )  # fmt: skip
