"""What is in a dataset, at a glance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from seedo.episodes._batch import EXPLORE, PHASES, EpisodeBatch
from seedo.episodes._dataset import Dataset
from seedo.errors import DamagedShard

_MANY_VALUES = 16
_RETURNS = ("returns", "oracle_return", "random_return")


def summary(dataset: Dataset) -> dict[str, Any]:
    """A JSON-able description of a dataset; reads every shard once, one at a time.

    Keys: `path`, `rows` (listed in the manifest), `readable_rows` (in undamaged shards, on which
    all figures rest), `complete` (all there and undamaged), `shards`, `bytes`, `bytes_per_episode`,
    `world`, `world_config`, `split`, `experimenter`, `provenance` (watched, dagger, own; None if
    nobody said), `created`, `seeds`, `variables`, `types` and `levels` (empty: all are numbers),
    `n`, `steps`, `optional` (columns), `steps_by_phase` (mean number an episode), `several_at_once`
    (share of steps that set more than one variable), `do_values` (a histogram of what variables
    were set to: `value` or, beyond 16 different values, `from` and `to`, with `count`),
    `target_frequency` (for each phase the share of steps on each variable, "none" for
    observations), `distinct_targets` (mean number of variables tested in the explore phase of an
    episode), `relevant` (mean number of relevant variables), `returns`, `oracle_return`,
    `random_return` (means, None if unknown), `return_ratio` (mean return by mean oracle return),
    `cpu_types` (of the processors that wrote it; empty if nobody said), `damage` (one line a shard)
    and `links` (files that lie elsewhere, and where).
    """
    counts = _Counts(dataset.n)
    damage: list[str] = []
    for index in range(len(dataset.shards)):
        try:
            counts.add(dataset.read_shard(index))
        except DamagedShard as error:
            damage.append(str(error))
    size = int(dataset.shards.sizes.sum())
    origin = dataset.origin
    return {
        "path": str(dataset.path),
        "rows": dataset.rows,
        "readable_rows": counts.rows,
        "complete": dataset.complete and not damage,
        "shards": len(dataset.shards),
        "bytes": size,
        "bytes_per_episode": round(size / dataset.rows, 1),
        "world": origin.world,
        "world_config": origin.world_config,
        "split": origin.split,
        "experimenter": origin.experimenter,
        "provenance": dataset.job.get("provenance"),
        "created": origin.created,
        "seeds": sorted(counts.seeds),
        "variables": list(origin.variables),
        "types": list(origin.types or ()),
        "levels": [list(of_one or ()) for of_one in origin.levels or ()],
        "n": dataset.n,
        "steps": dataset.steps,
        "optional": list(dataset.optional),
        **counts.figures(origin.variables),
        "cpu_types": list(dataset.cpu_types),
        "damage": damage,
        "links": dataset.links,
    }


class _Counts:
    """Sums over shards from which all figures follow."""

    def __init__(self, n: int) -> None:
        self.rows = 0
        self.seeds: set[int] = set()
        self.steps_in = np.zeros(len(PHASES), np.int64)
        self.several = 0
        self.targets = np.zeros((len(PHASES), n + 1), np.int64)  # column 0: plain observation
        self.values: dict[float, int] = {}
        self.distinct = 0
        self.relevant = 0
        self.sums = dict.fromkeys(_RETURNS, 0.0)
        self.known = dict.fromkeys(_RETURNS, 0)
        self.paired = np.zeros(2)

    def add(self, batch: EpisodeBatch) -> None:
        self.rows += batch.rows
        self.seeds.add(batch.origin.seed)
        was_set = ~np.isnan(batch.setting)
        for phase in range(len(PHASES)):
            now = was_set[batch.phase == phase]
            self.steps_in[phase] += len(now)
            self.targets[phase] += [(~now.any(axis=1)).sum(), *now.sum(axis=0)]
        self.several += int((was_set.sum(axis=2) > 1).sum())
        values, times = np.unique(batch.setting[was_set], return_counts=True)
        for value, count in zip(values.tolist(), times.tolist(), strict=True):
            self.values[value] = self.values.get(value, 0) + count
        explored = was_set & (batch.phase == EXPLORE)[:, :, None]
        self.distinct += int(explored.any(axis=1).sum())
        self.relevant += int(batch.mask.sum())
        for name in _RETURNS:
            array = getattr(batch, name).astype(np.float64)
            self.sums[name] += float(np.nansum(array))
            self.known[name] += int((~np.isnan(array)).sum())
        both = ~np.isnan(batch.returns) & ~np.isnan(batch.oracle_return)
        self.paired += [
            batch.returns[both].sum(dtype=np.float64),
            batch.oracle_return[both].sum(dtype=np.float64),
        ]

    def figures(self, variables: tuple[str, ...]) -> dict[str, Any]:
        names = ("none", *variables)
        frequency = {}
        totals = self.steps_in.tolist()
        for phase, total, row in zip(PHASES, totals, self.targets.tolist(), strict=True):
            if total:
                shares = zip(names, row, strict=True)
                frequency[phase] = {name: count / total for name, count in shares if count}
        rows = max(1, self.rows)
        means = {
            name: self.sums[name] / self.known[name] if self.known[name] else None
            for name in _RETURNS
        }
        return {
            "steps_by_phase": {
                phase: count / rows for phase, count in zip(PHASES, totals, strict=True)
            },
            "several_at_once": self.several / max(1, sum(totals)),
            "do_values": _histogram(self.values),
            "target_frequency": frequency,
            "distinct_targets": self.distinct / rows,
            "relevant": self.relevant / rows,
            **means,
            "return_ratio": float(self.paired[0] / self.paired[1]) if self.paired[1] else None,
        }


def _histogram(values: dict[float, int]) -> list[dict[str, float]]:
    if len(values) <= _MANY_VALUES:
        return [{"value": value, "count": count} for value, count in sorted(values.items())]
    at = np.array(list(values))
    counts, edges = np.histogram(at, bins=10, weights=np.array(list(values.values())))
    return [
        {"from": float(low), "to": float(high), "count": math.floor(count + 0.5)}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
