"""From an episode log to rows about one system, with what its world makes known."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np

from seedo.episodes import Dataset, EpisodeBatch, as_table, pools_episodes
from seedo.errors import UserError
from seedo.inference.exact._reader import bayes_supported
from seedo.inference.graphs._prior import GraphPrior
from seedo.inference.scores._scores import KnownNoise, NoiseModel
from seedo.storage import AnyPlace
from seedo.tables import Table
from seedo.worlds import DagConfig, kind_of


class LogRows(NamedTuple):
    """Rows about one system; `model` and `prior` are None where the world does not say."""

    table: Table
    model: NoiseModel | None
    prior: GraphPrior | None


def log_rows(path: AnyPlace, episode: int | None = None) -> LogRows:
    """All rows of a log about one system, or of one episode.

    In a simulated world every episode has a system of its own. If that world is linear with normal
    weights and noise, its noise, weights and in-degree limit are taken as known.

    Raises:
        UserError: not a log, no such episode, or none is named where each has its own system.
    """
    dataset = Dataset(path)
    _check_world(dataset.origin.world, str(path))
    if episode is not None:
        batch = _episode(dataset, episode)
    else:
        batch = dataset.read(without=tuple(n for n in dataset.optional if n != "system"))
        if not pools_episodes(batch):
            raise UserError(
                "episode", None,
                f"each of the {batch.rows:,} episodes in {path} has a system of its own: name one "
                "with --episode, or in the question",
            )  # fmt: skip
    return batch_rows(batch, str(path))


def batch_rows(batch: EpisodeBatch, title: str = "") -> LogRows:
    """The same for episodes in memory, all about one system; see `pools_episodes`.

    Raises:
        UserError: episodes of a world whose steps are no measurements.
    """
    _check_world(batch.origin.world, title)
    return _known(batch, as_table(batch, title=title))


def _check_world(world: str, title: str) -> None:
    kind = kind_of(world)
    if not kind.measures_variables:
        why = kind.no_strategies or "its moves are no measurements"
        raise UserError(title, None, f"a log of {world}: {why}: ask about dag")


def _episode(dataset: Dataset, episode: int) -> EpisodeBatch:
    for shard in range(len(dataset.shards)):
        batch = dataset.read_shard(shard, without=dataset.optional)
        found = np.flatnonzero(batch.episode_id == episode)
        if len(found):
            return batch.take(found)
    raise UserError(
        "episode", episode, f"not among the {dataset.rows:,} episodes of {dataset.path}"
    )


def _known(batch: EpisodeBatch, table: Table) -> LogRows:
    if (prior_of := _PRIORS.get(kind_of(batch.origin.world).family)) is None:
        return LogRows(table, None, None)
    return prior_of(batch, table)


def _graphs_known(batch: EpisodeBatch, table: Table) -> LogRows:
    """What the settings of world `dag` say of the system."""
    config = DagConfig.from_dict(json.loads(batch.origin.world_config))
    if config.drift:
        remedy = "its systems change from round to round: use a log of constant ones"
        raise UserError("drift", config.drift, remedy)
    relevant = np.flatnonzero(batch.mask[0])
    if batch.rows == 1 and len(relevant) < table.n:
        table = table.only(relevant.tolist())
    prior = GraphPrior(table.n, min(config.max_parents, table.n - 1))
    settings = config.to_dict() | {"n": table.n, "relevant": None}
    if bayes_supported(settings) is not None:
        return LogRows(table, None, prior)
    return LogRows(table, _noise_of(config), prior)


def _noise_of(config: DagConfig) -> KnownNoise:
    """What world `dag` says of noise and weights."""
    return KnownNoise(
        config.noise_variance, config.weight_scale**2, root_variance=config.root_variance
    )


_PRIORS = {"dag": _graphs_known}
"""What is known beforehand of the systems of each family of worlds that says it."""
