"""Return against cost: what every player gets, what it takes, and who is beaten at no more cost."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo import statistics
from seedo.episodes import EXPLORE, Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.evaluation._cost import Flops, Speed, flops_of, speed_of, this_machine
from seedo.evaluation._opened import readable
from seedo.evaluation._replay import world_of
from seedo.evaluation._review import Review
from seedo.evaluation._runs import Group, Run
from seedo.experimenters import (
    Experimenter,
    bayesian,
    changed,
    is_spoken,
    memoriser,
    parse_name,
    scripted,
)
from seedo.learning import KINDS, Agent, Architecture, Provenance, build
from seedo.statistics import Estimate
from seedo.worlds import World, kind_of

COSTS = {
    "experiments": "interventions while exploring, mean an episode",
    "flops": "floating-point operations of the player's program over one episode",
    "milliseconds": "time of the player's program for one episode by itself",
}
"""What a return may cost, and what that means."""

DEFINITIONS = {
    "experiments": "interventions in explore steps, mean an episode; observations do not count",
    "FLOPs": (
        "operations of the player's program for one episode (its start, and its decision at every "
        "step), counted by XLA's cost analysis of the compiled program on this machine: one for "
        "each element of an arithmetic, comparing or choosing instruction, two for each "
        "multiply-add of a matrix product; integers count, exp, log and tanh do not. Each step's "
        "phase is compiled in. XLA counts a loop's body once; loops of known length are counted "
        "as often as they run, but for the rounds within a random number. The world is not counted"
    ),
    "ms alone, ms in numbers": (
        "median wall-clock time of the same program on the log's histories, compiled before, one "
        "episode by itself and an episode's share of many at once"
    ),
    "Pareto set": (
        "yes: nobody gets as much for less, or more for as little, judged by means; open: somebody "
        "does, but the 95 % interval of the paired difference reaches 0; no: somebody gets more at "
        "no more cost, and the interval lies above 0"
    ),
}
"""What the words of a frontier mean."""

_MOST_PARAMETERS = 10**8
_PARETO, _OPEN, _BEATEN = "yes", "open", "no"


@dataclass(frozen=True)
class Point:
    """One run's return and costs.

    Attributes:
        path, agent: of the run.
        returns: mean return, in units of the goal, with its 95 % interval.
        return_ratio: share of the omniscient return.
        experiments: see `COSTS`.
        flops: see `COSTS`; None where the player cannot be rebuilt, and then `reason` says why.
        counted: where the operations are, and what could not be counted.
        speed: milliseconds; None as `flops`.
        pareto: for each cost, "yes", "open" or "no" (see `DEFINITIONS`), "" where it is unknown.
        beaten_by: for each cost with "no", who gets more at no more cost; the cheapest of those.
        reason: why costs are missing; "".
    """

    path: str
    agent: str
    returns: Estimate
    return_ratio: Estimate
    experiments: Estimate
    flops: float | None = None
    counted: Flops | None = None
    speed: Speed | None = None
    pareto: dict[str, str] = dataclasses.field(default_factory=dict)
    beaten_by: dict[str, str] = dataclasses.field(default_factory=dict)
    reason: str = ""

    def cost(self, name: str) -> float | None:
        """One of `COSTS`; None if unknown."""
        if name == "experiments":
            return self.experiments.value
        if name == "flops":
            return self.flops
        return None if self.speed is None else self.speed.single


@dataclass(frozen=True)
class FrontierGroup:
    """The runs of one world and split, whose returns can be held against each other."""

    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Frontier:
    """Return against cost for all runs of a review.

    Attributes:
        machine: what milliseconds were measured on.
    """

    groups: tuple[FrontierGroup, ...]
    machine: str

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Players whose thinking has no known cost, and why; each once."""
        return list(
            dict.fromkeys((p.agent, p.reason) for g in self.groups for p in g.points if p.reason)
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without NaN or infinity."""
        return {
            "machine": self.machine,
            "groups": [
                {"label": g.label, "points": [_point_json(p) for p in g.points]}
                for g in self.groups
            ],
            "definitions": DEFINITIONS,
        }


def _point_json(point: Point) -> dict[str, Any]:
    found = dataclasses.asdict(point)
    for name in ("returns", "return_ratio", "experiments"):
        found[name] = getattr(point, name).to_json()
    if point.counted is not None:
        found["counted"]["act"] = {str(k): v for k, v in point.counted.act.items()}
    return found


def frontier(review: Review, progress: Callable[[int, int], None] | None = None) -> Frontier:
    """What the players of a review get and what it costs them.

    Counting and measuring run the players themselves, some seconds each; everything else comes from
    the logs. `progress` is called with (runs done, runs in all).
    """
    done, total = 0, len(review.runs)
    groups = []
    known: dict[Any, tuple[Flops, Speed]] = {}
    for group in review.groups:
        measured = []
        for run in group.runs:
            if progress:
                progress(done, total)
            measured.append(_measured(run, known))
            done += 1
        groups.append(_compared(group, measured))
    if progress:
        progress(total, total)
    return Frontier(tuple(groups), this_machine())


class _Measured(NamedTuple):
    point: Point
    episode: NDArray[np.int64]  # [B, 2], seed and id
    returns: NDArray[np.float64]  # [B]


def _measured(run: Run, known: dict[Any, tuple[Flops, Speed]]) -> _Measured:
    dataset = Dataset(run.path)
    batch = readable(dataset, run.path, [])
    tried = ((batch.phase == EXPLORE) & ~np.isnan(batch.setting).all(axis=2)).sum(1)
    people = statistics.clusters_of(batch.participant)
    point = Point(
        path=run.path,
        agent=run.agent,
        returns=statistics.mean(batch.returns, people),
        return_ratio=run.metrics.return_ratio,
        experiments=statistics.mean(tried, people),
    )
    try:
        player, world = rebuilt(run, batch)
        spec = world.spec
        # Networks of one shape are one program.
        like = player.program
        key = (str(like), spec, batch.origin.world_config)
        if key not in known:
            known[key] = flops_of(player, spec), speed_of(player, spec, batch)
        counted, speed = known[key]
        total = counted.of(spec.phases)
        point = dataclasses.replace(point, flops=total, counted=counted, speed=speed)
    except UserError as error:
        reason = " ".join(str(error.remedy).split())
        point = dataclasses.replace(point, reason=reason)
    episode = np.stack([np.full(batch.rows, batch.origin.seed), batch.episode_id], axis=1)
    return _Measured(point, episode, np.asarray(batch.returns, np.float64))


_COUNTED = ("dag",)
"""Families of worlds whose players' operations are counted."""


def rebuilt(run: Run, batch: EpisodeBatch) -> tuple[Experimenter, World]:
    """The player of a run as a program, with its world.

    A network is built from its logged architecture, with weights of its own: what they are does not
    change what is computed.

    Raises:
        UserError: there is no such program here; `remedy` says why.
    """
    name = batch.origin.experimenter
    if batch.participant is not None:
        raise UserError("player", name, "people's thinking has no known cost")
    if is_spoken(name) or run.spoken is not None:
        raise UserError("player", name, "it speaks: its operations are the model's, not known here")
    where = batch.origin.world
    if kind_of(where).family not in _COUNTED:
        raise UserError("player", name, f"operations are counted in world dag, not {where}")
    world = world_of(batch)
    if batch.steps != world.spec.steps:
        raise UserError("player", name, "the log has other steps than its world")
    try:
        player = _by_name(name, run, world)
        player.check(world.spec)
    except UserError as error:
        raise UserError(
            "player", name, f"cannot be rebuilt: {' '.join(str(error).split())}"
        ) from error
    return player, world


def _by_name(name: str, run: Run, world: World) -> Any:
    if (player := changed(name, lambda inner: _by_name(inner, run, world))) is not None:
        return player
    record = run.job.get("agent_record")
    fields = record.get("architecture") if isinstance(record, dict) else None
    if isinstance(fields, dict):
        if fields.get("kind") not in KINDS:
            raise UserError("network", fields.get("kind"), f"not one of {', '.join(KINDS)}")
        architecture = Architecture.from_json(fields)
        shapes = jax.tree.leaves(eqx.filter_eval_shape(build, architecture, 0))
        size = sum(x.size for x in shapes if isinstance(x, jax.ShapeDtypeStruct))
        if size > _MOST_PARAMETERS:
            raise UserError("network", size, f"more than {_MOST_PARAMETERS:,} parameters")
        network = _no_plain_numbers(build(architecture, 0))
        return Agent(network, architecture, Provenance(name), run.mode != "sample")
    parsed = parse_name(name)
    if parsed.kind == "bayes":
        return bayesian(parsed.rest, world.config())
    if re.fullmatch(r"memoriser(@.*)?", name):
        # Which counts it looks up does not change the work.
        spec = world.spec
        return memoriser(np.zeros((spec.n, spec.n, len(spec.do_values)), np.int64))
    return scripted(name)


def _no_plain_numbers(network: Any) -> Any:
    """The network with weights that let XLA leave nothing out, as it does with zeros and ones."""
    rng = np.random.default_rng(0)
    return jax.tree.map(
        lambda x: jnp.asarray(rng.normal(size=x.shape), x.dtype) if eqx.is_inexact_array(x) else x,
        network,
    )


def _compared(group: Group, measured: Sequence[_Measured]) -> FrontierGroup:
    points = []
    for one in measured:
        standing = {name: _standing(one, measured, name) for name in COSTS}
        pareto = {name: status for name, (status, _) in standing.items()}
        beaten_by = {name: who for name, (_, who) in standing.items() if who}
        points.append(dataclasses.replace(one.point, pareto=pareto, beaten_by=beaten_by))
    return FrontierGroup(group.label, tuple(points))


def _standing(one: _Measured, others: Sequence[_Measured], name: str) -> tuple[str, str]:
    """Whether a run is in the Pareto set of a cost, and if not, who beats it beyond doubt."""
    own, gets = one.point.cost(name), one.point.returns.value
    if own is None or gets is None:
        return "", ""
    rivals = [
        (cost, other)
        for other in others
        if other is not one
        and (cost := other.point.cost(name)) is not None
        and other.point.returns.value is not None
        and cost <= own
        and other.point.returns.value >= gets
        and (cost < own or other.point.returns.value > gets)
    ]
    if not rivals:
        return _PARETO, ""
    for _, other in sorted(
        rivals, key=lambda rival: (rival[0], -(rival[1].point.returns.value or 0.0))
    ):
        if _gets_more(other, one):
            return _BEATEN, other.point.agent
    return _OPEN, ""


def _gets_more(a: _Measured, b: _Measured) -> bool:
    """Whether the interval of the difference in mean return lies above 0: paired over the episodes
    (systems and noise) that both met, else of two samples."""
    both, first, second = _common(a.episode, b.episode)
    if len(both) > 1:
        low = statistics.mean(a.returns[first] - b.returns[second]).low
        return low is not None and low > 0
    known = [x[np.isfinite(x)] for x in (a.returns, b.returns)]
    if min(len(x) for x in known) < 2:
        return False
    error = math.sqrt(sum(x.var(ddof=1) / len(x) for x in known))
    return bool(known[0].mean() - known[1].mean() > 1.96 * error)


def _common(
    a: NDArray[np.int64], b: NDArray[np.int64]
) -> tuple[list[tuple[int, ...]], NDArray[np.int64], NDArray[np.int64]]:
    """Episodes in both, each once, and their places in each."""
    places = {tuple(row): i for i, row in enumerate(a.tolist())}
    pairs = {tuple(row): j for j, row in enumerate(b.tolist()) if tuple(row) in places}
    both = list(pairs)
    first = np.array([places[row] for row in both], np.int64)
    return both, first, np.array([pairs[row] for row in both], np.int64)
