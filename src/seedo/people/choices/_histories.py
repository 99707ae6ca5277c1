"""Histories of people on systems of which the same is known, ready to be weighed exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.inference.binary import (
    FREE,
    MOST_NODES,
    ON,
    every_dag,
    every_machine,
    every_outcome,
    every_setting,
    machine_likelihood,
    noisy_or,
    reachable,
    update,
)
from seedo.people.files import GRAPH, MACHINE

KINDS = ("simple", "controlled", "observation", "dominated", "other")
"""Of interventions: one node on and the others free; one on, others off, some free; nothing held;
nothing free, so that nothing can be learnt; whatever else."""
_SURE = 1e-12  # of a hypothesis that an outcome speaks against, in a machine that never fails


@dataclass(frozen=True, eq=False)
class Histories:
    """B episodes of S steps on systems with one table of likelihoods.

    Attributes:
        settings: int8[I, n], the interventions that could be chosen.
        likelihood: float64[I, H, O].
        lit: float64[I, H], share of a hypothesis's links that an intervention would light if all
            links worked (for a machine: 1 if it would go).
        effect: float64[I, H], how many free nodes it is expected to change, against leaving all
            free (for a machine: whether it goes).
        chosen, seen: int64[B, S], rows of settings, and outcomes by number.
        person: text[B].
        names: of the n nodes; of objects for machines.
        graphs: bool[H, n, n]; None for machines.
        truth: int64[B], which hypothesis is true; -1 where unknown.
        said: for each episode one a step, as in `people.files.Trial`.
        background, strength: how often a node comes on by itself, and how often a link works.
    """

    settings: NDArray[np.int8]
    likelihood: NDArray[np.float64]
    lit: NDArray[np.float64]
    effect: NDArray[np.float64]
    chosen: NDArray[np.int64]
    seen: NDArray[np.int64]
    person: NDArray[np.str_]
    names: tuple[str, ...]
    graphs: NDArray[np.bool_] | None
    truth: NDArray[np.int64]
    said: list[list[dict[str, Any]]]
    background: float = 0.0
    strength: float = 1.0

    @cached_property
    def beliefs(self) -> NDArray[np.float64]:
        """float64[B, S + 1, H]: exact beliefs before each step and after the last, from equal
        ones before the first."""
        return self.beliefs_of(None)

    def beliefs_of(self, memory: int | None) -> NDArray[np.float64]:
        """The same of who remembers only so many last steps; None: all."""
        episodes, steps = self.chosen.shape
        count = self.likelihood.shape[1]
        start = np.full((episodes, count), 1 / count)
        said = [self.likelihood[self.chosen[:, s], :, self.seen[:, s]] for s in range(steps)]
        found = [start]
        for step in range(1, steps + 1):
            if memory is None:
                found.append(update(found[-1], said[step - 1]))
                continue
            belief = start
            for earlier in said[max(0, step - memory) : step]:
                belief = update(belief, earlier)
            found.append(belief)
        return np.stack(found, axis=1)


def histories(batch: EpisodeBatch, people: set[str] | None = None) -> Iterator[Histories]:
    """The episodes of a log that `seedo import --format` wrote, those that share a table together.

    Args:
        people: only theirs; None: everybody's.

    Raises:
        UserError: the log does not say what its systems are, who played, or what could be done.
    """
    if batch.system is None or batch.participant is None:
        raise UserError("log", batch.origin.world, "no log of seedo import --format: import it")
    groups: dict[str, list[int]] = {}
    for row, (text, person) in enumerate(zip(batch.system, batch.participant, strict=True)):
        if people is None or person in people:
            told = {key: value for key, value in json.loads(text).items() if key != "links"}
            told |= {"hypotheses": sorted(told["hypotheses"])} if "hypotheses" in told else {}
            groups.setdefault(json.dumps(told, sort_keys=True), []).append(row)
    for text, rows in groups.items():
        told = json.loads(text)
        make = {GRAPH: _graphs, MACHINE: _machines}.get(told.get("kind"))
        if make is None:
            raise UserError("system", told.get("kind"), f"use {GRAPH} or {MACHINE}")
        yield make(batch, np.array(rows), told)


def _graphs(batch: EpisodeBatch, rows: NDArray[np.int64], told: dict[str, Any]) -> Histories:
    n, names = batch.n, batch.origin.variables
    if n > MOST_NODES:
        raise UserError("nodes", n, f"every graph is weighed: use up to {MOST_NODES}")
    given = told.get("hypotheses")
    graphs = every_dag(n) if given is None else _matrices(given, names)
    settings = every_setting(n)
    if told.get("may_hold") == "one on":
        one = ((settings != FREE).sum(axis=1) == 1) & (settings == ON).any(axis=1)
        settings = settings[one]
    held = np.nan_to_num(batch.setting[rows], nan=FREE).astype(np.int8)
    outcome = batch.outcome[rows]
    if not np.isfinite(outcome).all():
        raise UserError("outcome", None, "not seen in some step: every outcome is needed")
    systems = [json.loads((batch.system or [])[row]) for row in rows]
    truth = np.full(len(rows), -1)
    for place, system in enumerate(systems):
        if "links" in system:
            match = (graphs == _matrices([system["links"]], names)).all(axis=(1, 2))
            truth[place] = int(np.argmax(match)) if match.any() else -1
    rates = told["background"], told["strength"]
    return replace(
        from_graphs(graphs, settings, *rates, _people(batch, rows), truth, names),
        chosen=_places(held, settings), said=_said(batch, rows),
        seen=outcome.astype(np.int64) @ (1 << np.arange(n)[::-1]),
    )  # fmt: skip


def from_graphs(
    graphs: NDArray[np.bool_],
    settings: NDArray[np.int8],
    background: float,
    strength: float,
    person: NDArray[np.str_],
    truth: NDArray[np.int64],
    names: tuple[str, ...] = (),
) -> Histories:
    """Histories that are still to be made: no step yet.

    Args:
        graphs, settings, background, strength: as for `inference.binary.noisy_or`.
        person: text[B], whose each episode is.
        truth: int64[B], which of the graphs is true; -1 where unknown.
        names: of nodes.
    """
    n = graphs.shape[-1]
    likelihood = noisy_or(graphs, settings, background, strength)
    alone = noisy_or(graphs, np.full((1, n), FREE), background, strength)
    on = every_outcome(n).astype(np.float64)
    free = (settings == FREE)[:, None]
    effect = (np.abs(likelihood @ on - alone @ on) * free).sum(axis=-1)
    nothing = np.zeros((len(person), 0), np.int64)
    return Histories(
        settings, likelihood, _lit(graphs, settings), effect, nothing, nothing, person,
        names, graphs, truth, [[] for _ in person], background, strength,
    )  # fmt: skip


def _machines(batch: EpisodeBatch, rows: NDArray[np.int64], told: dict[str, Any]) -> Histories:
    objects = batch.n - 1
    settings = every_outcome(objects).astype(np.int8)
    machines = every_machine(objects)
    likelihood = machine_likelihood(machines, settings)
    goes = likelihood[:, :, 1].copy()
    # A history that no rule explains is then improbable, no error.
    likelihood = np.clip(likelihood, _SURE, 1 - _SURE)
    chosen = _places(batch.setting[rows, :, :-1].astype(np.int8), settings)
    seen = batch.outcome[rows, :, -1].astype(np.int64)
    return Histories(
        settings, likelihood, goes, goes, chosen, seen, _people(batch, rows),
        batch.origin.variables[:-1], None, np.full(len(rows), -1), _said(batch, rows),
    )  # fmt: skip


def _people(batch: EpisodeBatch, rows: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.array(batch.participant, np.str_)[rows]


def _said(batch: EpisodeBatch, rows: NDArray[np.int64]) -> list[list[dict[str, Any]]]:
    if batch.explanation is None:
        return [[{}] * batch.steps for _ in rows]
    return [[json.loads(text or "{}") for text in batch.explanation[row]] for row in rows]


def _matrices(graphs: list[list[list[str]]], names: tuple[str, ...]) -> NDArray[np.bool_]:
    found = np.zeros((len(graphs), len(names), len(names)), np.bool_)
    for matrix, links in zip(found, graphs, strict=True):
        for cause, effect in links:
            matrix[names.index(cause), names.index(effect)] = True
    return found


def _places(held: NDArray[np.int8], settings: NDArray[np.int8]) -> NDArray[np.int64]:
    """Which of the settings each is."""
    match = (held[..., None, :] == settings).all(axis=-1)
    if not match.any(axis=-1).all():
        raise UserError("setting", None, "one could not be chosen in this task: import it again")
    found: NDArray[np.int64] = match.argmax(axis=-1)
    return found


def _lit(graphs: NDArray[np.bool_], settings: NDArray[np.int8]) -> NDArray[np.float64]:
    """Links into free nodes, from nodes that would be on if every link worked and nothing came on
    by itself."""
    free = settings == FREE
    found = np.zeros((len(settings), len(graphs)))
    for i in range(len(settings)):
        cut = graphs & free[i]  # links into held nodes do nothing
        on = (settings[i] == ON) | (reachable(cut) & (settings[i] == ON)[:, None]).any(axis=1)
        found[i] = (cut & on[:, :, None]).sum(axis=(1, 2))
    return found / np.maximum(graphs.sum(axis=(1, 2)), 1)


def kinds_of(settings: NDArray[np.int8]) -> NDArray[np.int64]:
    """int64[I]: which of `KINDS` each intervention on a graph is."""
    on, free = (settings == ON).sum(axis=1), (settings == FREE).sum(axis=1)
    n = settings.shape[1]
    one = on == 1
    return np.select(
        [free == 0, free == n, one & (free == n - 1), one], [3, 2, 0, 1], default=4
    ).astype(np.int64)


def links_right(part: Histories) -> NDArray[np.float64]:
    """float64[B, S]: share of pairs of nodes that were drawn after each step as they are (linked
    one way, the other, or not); NaN where nothing was drawn or the truth is unknown."""
    found = np.full(part.chosen.shape, np.nan)
    if part.graphs is None:
        return found
    n = part.graphs.shape[-1]
    first, second = np.triu_indices(n, 1)
    for b, true in enumerate(part.truth):
        for s, said in enumerate(part.said[b]):
            if true >= 0 and "links" in said:
                same = _matrices([said["links"]], part.names)[0] == part.graphs[true]
                found[b, s] = (same[first, second] & same[second, first]).mean()
    return found
