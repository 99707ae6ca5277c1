"""What becomes of a campaign's graph, in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seedo.experimenters.proposers import against, heeded
from seedo.play.campaign._plan import Plan
from seedo.spaces import Runs
from seedo.worlds import Spec


def graph_lines(plan: Plan, spec: Spec, runs: Runs, heeds: bool) -> tuple[str, ...]:
    """One line for everything that is worth knowing of it; () where there is no graph.

    Args:
        spec: what the player is told.
        runs: all that are known, earlier rows first.
        heeds: whether the player makes use of it.
    """
    if plan.graph is None:
        return ()
    denied = against(spec, runs)
    lines = [*plan.graph.notes, *_of_watching(plan, runs)]
    aside = ", which is set aside" if heeds else ""
    lines += [f"the rows speak against the graph{aside}: {line}" for line in denied]
    if not heeds:
        remedy = "bayes:mechanisms and response-surface do"
        lines.append(f"player {plan.player} does not use the graph: {remedy}")
    elif not denied:
        lines += _idle(plan, spec, runs)
    return tuple(lines)


def _of_watching(plan: Plan, runs: Runs) -> Iterator[str]:
    """What moves knobs, which only rows in which nobody set them show."""
    assert plan.graph is not None
    rows = int(runs.seen.sum())
    there = f"{rows:,} of them are given" if rows else "none of them is given"
    for a, b in plan.graph.into(plan.space.names):
        arrow = "->" if (a, b) in plan.graph.arrows else "<->"
        yield f"{a} {arrow} {b} concerns only rows in which nobody set the knobs: {there}"


def _idle(plan: Plan, spec: Spec, runs: Runs) -> Iterator[str]:
    """Knobs that move no goal, and what becomes of them."""
    assert plan.graph is not None
    acting = plan.graph.acting(plan.space.names, plan.goals.readings)
    held = heeded(spec, runs, np.empty((0, plan.space.size))).held
    why = "a constraint is on it"
    if plan.space.listed is not None:
        why = "only recorded settings can be run"
    for knob, value in zip(plan.space.knobs, held, strict=True):
        if np.isfinite(value):
            unit = f" {knob.unit}" if knob.unit else ""
            words = f"{knob.write(float(value))}{unit}"
            yield f"by the graph {knob.name} moves no goal: it stays at {words}"
        elif knob.name not in acting:
            yield f"by the graph {knob.name} moves no goal, but it is varied: {why}"
