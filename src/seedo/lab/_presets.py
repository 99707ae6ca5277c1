"""Systems to start from, each with what to notice in it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from seedo.lab._scenario import Drawn, Scenario, redrawn
from seedo.worlds import configure

Arrows = dict[tuple[str, str], float]
Places = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Preset:
    """A scenario of the gallery.

    Attributes:
        name: as in `presets`.
        label: for people.
        notice: one line on what to notice.
        scenario: to start from.
    """

    name: str
    label: str
    notice: str
    scenario: Scenario


@functools.cache
def presets() -> tuple[Preset, ...]:
    """The gallery, in order."""
    return (*_drawn_by_hand(), *_drawn_by_lot())


def _drawn_by_hand() -> tuple[Preset, ...]:
    return (
        Preset(
            "chain",
            "Chain",
            "A acts on C only through B. B goes along with C more closely, yet setting A moves C "
            "further.",
            _draw(
                {("A", "B"): 1.5, ("B", "C"): 1.2},
                {"A": (0.15, 0.5), "B": (0.5, 0.5), "C": (0.85, 0.5)},
                goal="C",
            ),
        ),
        Preset(
            "fork",
            "Fork",
            "B and C rise and fall together because A drives both; setting B does nothing to C.",
            _draw(
                {("A", "B"): 2.0, ("A", "C"): 1.2},
                {"A": (0.5, 0.2), "B": (0.2, 0.75), "C": (0.8, 0.75)},
                goal="C",
            ),
        ),
        Preset(
            "collider",
            "Collider",
            "A and B are unrelated, yet both move C: nothing is learnt about one from the other.",
            _draw(
                {("A", "C"): 1.0, ("B", "C"): -1.4},
                {"A": (0.2, 0.25), "B": (0.8, 0.25), "C": (0.5, 0.78)},
                goal="C",
            ),
        ),
        Preset(
            "confounded",
            "Correlation misleads",
            "A hidden cause lifts A and C together, so C seems to follow A; in truth A lowers C. "
            "Whoever sets A sees it; whoever only looks does not.",
            _draw(
                {("A", "C"): -0.5, ("B", "C"): 0.7, ("H1", "A"): 2.0, ("H1", "C"): 3.0},
                {"A": (0.15, 0.7), "B": (0.5, 0.9), "C": (0.85, 0.7), "H1": (0.5, 0.15)},
                goal="C",
            ),
        ),
        Preset(
            "mediator",
            "Direct against indirect",
            "A lowers C directly but raises it more through B: with B held fixed A looks harmful, "
            "yet to set A is best.",
            _draw(
                {("A", "B"): 2.0, ("B", "C"): 1.0, ("A", "C"): -0.7},
                {"A": (0.15, 0.7), "B": (0.5, 0.2), "C": (0.85, 0.7)},
                goal="C",
            ),
        ),
        Preset(
            "instrument",
            "Instrument",
            "A hidden cause makes B look harmful to C, though B raises it; A, which that cause "
            "does not touch, gives it away: A lifts B, and C with it.",
            _draw(
                {("A", "B"): 0.7, ("B", "C"): 0.8, ("H1", "B"): 1.5, ("H1", "C"): -3.0},
                {"A": (0.12, 0.7), "B": (0.48, 0.7), "C": (0.86, 0.7), "H1": (0.67, 0.2)},
                goal="C",
            ),
        ),
    )


@functools.cache
def misleading() -> Scenario:
    """A hidden cause lifts A and C, and A lowers C: as the example of the gallery, with so little
    noise that six experiments show it."""
    arrows = {("A", "C"): -0.8, ("B", "C"): 0.6, ("H1", "A"): 2.0, ("H1", "C"): 2.5}
    places = {"A": (0.15, 0.7), "B": (0.5, 0.9), "C": (0.85, 0.7), "H1": (0.5, 0.15)}
    scenario = _draw(arrows, places, goal="C")
    assert scenario.drawn is not None
    return redrawn(replace(scenario, seed=8), replace(scenario.drawn, noise=(0.3, 0.5, 0.3, 0.5)))


def _drawn_by_lot() -> tuple[Preset, ...]:
    return (
        Preset(
            "heldout-link",
            "Held-out link D → E",
            "Nobody was trained where D causes E, and here D is the best lever for E: "
            "who reads the data finds it.",
            Scenario(configure("linear", "heldout-link")),
        ),
        Preset(
            "ten",
            "Ten variables",
            "Ten variables, ten experiments: too many to try each twice, "
            "so what to try first matters.",
            Scenario(configure(n=10)),
        ),
        Preset(
            "linear",
            "World: linear",
            "The usual world: five variables, linear effects, as much noise as signal.",
            Scenario(configure()),
        ),
        Preset(
            "lampinen",
            "World: lampinen",
            "As in Lampinen et al. (2023), as far as is public: negative sums are squashed, "
            "so down is not the mirror of up.",
            Scenario(configure("lampinen")),
        ),
    )


def _draw(arrows: Arrows, places: Places, goal: str) -> Scenario:
    """A drawn system; hidden variables are called H1, H2, ... and come last in `places`."""
    names = list(places)
    size = len(names)
    n = sum(not name.startswith("H") for name in names)
    weights = [[arrows.get((cause, effect), 0.0) for effect in names] for cause in names]
    drawn = Drawn(
        weights=tuple(map(tuple, weights)),
        noise=(1.0,) * size,
        goal=names.index(goal),
        places=tuple(places.values()),
    )
    plain = configure(n=n, observations=2, experiments=4)
    return redrawn(Scenario(plain), drawn)
