"""How much of what a player achieves does it recite from names, and how much does it discover?

The causal-parrot question (Zečević et al. 2023, arXiv:2308.13067), asked of an experimenter: the
same systems are played under names that are true to them, names that say nothing and names that
say the opposite, with experiments and without any.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seedo.episodes import Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.language.scenes import NAME_KINDS, Conditions
from seedo.statistics import (
    Estimate,
    Power,
    cluster_means,
    differences,
    mean,
    missing,
    paired_difference,
    power,
    ratio,
)

_NEEDED = ("familiar", "nonsense")


class Arm(NamedTuple):
    """One condition of the design."""

    names: str  # a kind of `Conditions.names`
    experiments: int  # per episode


@dataclass(frozen=True)
class Recitation:
    """What names and experiments are worth to one player.

    Differences are of mean returns, in the world's unit, paired by episode; t intervals. 0 stands
    for no experiments, E for all of them.

    Attributes:
        player: its name.
        experiments: E.
        means: mean return in each arm.
        oracle, random: mean return of knowing the system, and of random play.
        recited: familiar - nonsense at 0: what names alone are worth.
        recited_contrary: contrary - nonsense at 0: what misleading names alone cost.
        discovered: nonsense at E - nonsense at 0: what experiments alone are worth.
        resistance: contrary - familiar at E: 0 for a player that believes its experiments, as far
            below as it believes names against them.
        share: (familiar at 0 - nonsense at 0) / (familiar at E - nonsense at 0), a ratio of means:
            the part of the return under familiar names, above what is had with neither names nor
            experiments, that needs no experiment. Percentile interval of a paired bootstrap over
            episodes.
        power: smallest difference between familiar and nonsense at 0 that could be found; None
            where no two episodes differ in that.
    """

    player: str
    experiments: int
    means: Mapping[Arm, Estimate]
    oracle: Estimate
    random: Estimate
    recited: Estimate
    recited_contrary: Estimate
    discovered: Estimate
    resistance: Estimate
    share: Estimate
    power: Power | None

    def to_json(self) -> dict[str, Any]:
        return {
            "player": self.player,
            "experiments": self.experiments,
            "means": [{**arm._asdict(), **e.to_json()} for arm, e in self.means.items()],
            **{name: getattr(self, name).to_json() for name in _FIGURES},
            "power": None if self.power is None else self.power.to_json(),
        }

    def rows(self) -> list[tuple[str, Estimate, str]]:
        """(what, estimate, meaning) of each line of a table."""
        arms = [
            (f"{arm.names} names, {arm.experiments} experiments", estimate, "mean return")
            for arm, estimate in self.means.items()
        ]
        return [*arms, *((name, getattr(self, name), says) for name, says in _FIGURES.items())]


_FIGURES = {
    "oracle": "mean return of knowing the system",
    "random": "mean return of random play",
    "recited": "what true names alone are worth (familiar - nonsense, no experiments)",
    "recited_contrary": "what false names alone cost (contrary - nonsense, no experiments)",
    "discovered": "what experiments alone are worth (nonsense names, with - without)",
    "resistance": "false against true names, with experiments; below 0: misled",
    "share": "part of the familiar return, above neither names nor experiments, that is recited",
}


def recitation(runs: Iterable[str | Path | Dataset]) -> Recitation:
    """Compare runs of one player under several kinds of names, with experiments and without.

    Args:
        runs: dataset folders as `seedo perform` writes for a text player. Needed are
            `familiar` and `nonsense` names, each with experiments and with none; `contrary` and
            others may be added. Folders of one arm that differ in their seed are taken together;
            an episode that was played several times in one arm is averaged first.

    Raises:
        UserError: an arm is missing, or the runs are not paired: another player, world, stream,
            prompt, system or set of episodes.
        DamagedShard: a folder cannot be read.
    """
    arms: dict[Arm, _Played] = {}
    first: tuple[str, str] | None = None
    reference: _Setting | None = None
    for run in runs:
        dataset = run if isinstance(run, Dataset) else Dataset(run)
        name, setting = str(dataset.path), _setting(dataset)
        if reference is None or first is None:
            reference, first = setting, (name, setting.player)
        for what, mine, theirs in zip(
            _Setting._fields[1:], setting[1:], reference[1:], strict=True
        ):
            if mine != theirs:
                remedy = f"not paired: {first[0]} has {theirs!r}"
                raise UserError(f"{name} {what}", mine, remedy)
        played = arms.setdefault(setting.arm, _Played())
        for shard in range(len(dataset.shards)):
            batch = dataset.read_shard(shard, without=EpisodeBatch.OPTIONAL)
            played.add(batch, f"{name}, shard {shard}")
    if reference is None:
        raise UserError("runs", None, "give the folders of at least four runs")
    _check_paired(arms)
    any_arm = next(iter(arms.values()))
    return recitation_of(
        reference.player,
        {arm: cluster_means(p.returns, p.clusters) for arm, p in arms.items()},
        oracle={cluster: system[0] for cluster, system in any_arm.systems.items()},
        random={cluster: system[1] for cluster, system in any_arm.systems.items()},
    )


def recitation_of(
    player: str,
    returns: Mapping[Arm, Mapping[Hashable, float]],
    oracle: Mapping[Hashable, float],
    random: Mapping[Hashable, float],
) -> Recitation:
    """The same from returns that come from anywhere.

    Args:
        player: its name.
        returns: return of each episode in each arm.
        oracle, random: return of each episode for who knows the system, and for random play.

    Raises:
        UserError: an arm is missing or the arms do not have the same episodes.
    """
    counts = sorted({arm.experiments for arm in returns} - {0})
    if len(counts) != 1:
        given = ", ".join(map(str, counts)) or "none"
        raise UserError("experiments", given, "give runs without and runs with one number of them")
    full = counts[0]
    for arm in (Arm(names, count) for names in _NEEDED for count in (0, full)):
        if arm not in returns:
            raise UserError("runs", None, f"one with names={arm.names}, "
                            f"experiments={arm.experiments} is missing")  # fmt: skip
    for values in returns.values():
        differences(values, oracle)  # refuses other episodes

    def between(first: Arm, second: Arm) -> Estimate:
        if first in returns and second in returns:
            return paired_difference(returns[first], returns[second])
        return missing(f"no run with names={first.names}, experiments={first.experiments}")

    nothing = returns[Arm("nonsense", 0)]
    recited = differences(returns[Arm("familiar", 0)], nothing)
    with_both = differences(returns[Arm("familiar", full)], nothing)
    order = sorted(returns, key=lambda arm: (NAME_KINDS.index(arm.names), arm.experiments))
    return Recitation(
        player=player,
        experiments=full,
        means={arm: mean(list(returns[arm].values())) for arm in order},
        oracle=mean(list(oracle.values())),
        random=mean(list(random.values())),
        recited=between(Arm("familiar", 0), Arm("nonsense", 0)),
        recited_contrary=between(Arm("contrary", 0), Arm("nonsense", 0)),
        discovered=between(Arm("nonsense", full), Arm("nonsense", 0)),
        resistance=between(Arm("contrary", full), Arm("familiar", full)),
        share=ratio(recited, with_both),
        power=power(len(recited), float(np.std(recited, ddof=1))) if np.ptp(recited) > 0 else None,
    )


# -- reading runs ---------------------------------------------------------------------------------


class _Setting(NamedTuple):
    """What a run was made with; all but the arm has to be the same everywhere."""

    arm: Arm
    player: str
    world: str
    config: dict[str, Any]
    stream: Any
    prompt: dict[str, Any]
    examples: Any


def _setting(dataset: Dataset) -> _Setting:
    name, job, origin = str(dataset.path), dataset.job, dataset.origin
    if not dataset.complete:
        raise UserError(name, f"{dataset.rows} episodes", "not finished: go on with --resume")
    told = job.get("conditions")
    if not isinstance(told, dict):
        raise UserError(name, None, "not a run of a text player: it does not say its conditions")
    prompt = Conditions.from_dict(told).to_dict()
    config = json.loads(origin.world_config)
    experiments = config.pop("experiments", None)
    if not isinstance(experiments, int):
        raise UserError(f"{name} world", origin.world, "only worlds with experiments: use dag")
    arm = Arm(prompt.pop("names"), experiments)
    shown = job.get("examples")
    # Runs of another seed are shown other examples, chosen in the same way.
    examples = {k: v for k, v in shown.items() if k != "seed"} if isinstance(shown, dict) else None
    return _Setting(
        arm, origin.experimenter, origin.world, config, job.get("stream"), prompt, examples
    )


@dataclass
class _Played:
    """What was played in one arm."""

    returns: list[float] = field(default_factory=list)
    clusters: list[tuple[int, int]] = field(default_factory=list)  # (seed, episode)
    systems: dict[tuple[int, int], tuple[float, float, int]] = field(default_factory=dict)

    def add(self, batch: EpisodeBatch, name: str) -> None:
        goals = batch.goal[:, -1]  # the last step is an exploit step
        for column in ("returns", "oracle_return", "random_return"):
            if np.isnan(getattr(batch, column)).any():
                raise UserError(f"{name}, column {column}", "NaN", "returns must be known")
        self.returns += batch.returns.tolist()
        own = [(batch.origin.seed, int(i)) for i in batch.episode_id]
        self.clusters += own
        columns = (batch.oracle_return.tolist(), batch.random_return.tolist(), goals.tolist())
        self.systems |= dict(zip(own, zip(*columns, strict=True), strict=True))


def _check_paired(arms: Mapping[Arm, _Played]) -> None:
    """Every arm has the same episodes of the same systems with the same goals."""
    (first, reference), *others = arms.items()
    for arm, played in others:
        where = f"names={arm.names}, experiments={arm.experiments}"
        if played.systems.keys() != reference.systems.keys():
            seed, episode = next(iter(played.systems.keys() ^ reference.systems.keys()))
            remedy = (
                f"not paired: seed {seed}, episode {episode} is not in both this and "
                f"names={first.names}, experiments={first.experiments}"
            )
            raise UserError(where, f"{len(played.systems)} episodes", remedy)
        for cluster, system in played.systems.items():
            # Compiled programs of different length round differently.
            if not np.allclose(system, reference.systems[cluster], rtol=1e-3, atol=1e-4):
                seed, episode = cluster
                remedy = f"not paired: seed {seed}, episode {episode} is another system"
                raise UserError(where, system, remedy)
