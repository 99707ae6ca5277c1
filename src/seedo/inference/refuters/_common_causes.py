"""A common cause more: one drawn at random changes nothing; how strong must a hidden one be?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seedo.inference.effects import Benchmark, strongest, tipping_point
from seedo.inference.questions import number
from seedo.inference.refuters._refutation import Refutation
from seedo.inference.refuters._subject import Subject

_UNSTEADY = 3.5
"""Root mean square of an estimate's changes, in those that chance explains, that is spoken of."""
_MOST = 100.0


def random_cause(
    subject: Subject, times: int, rng: np.random.Generator, step: Callable[[], None]
) -> Refutation:
    """With a column of random numbers held as a common cause.

    In a regression of R rows it moves the estimate by about its standard error over the root of R:
    the product of two correlations with noise.

    Args:
        subject: what is refuted.
        times: how many columns, one at a time.
        rng: of the columns.
        step: called after each.
    """
    name = "random common cause"
    if subject.widened is None:
        line = "the answer holds no variable, and a further one cannot be held"
        return Refutation(name, "does not apply", f"{name}: {line}")
    moves: dict[str, list[float]] = {one.name: [] for one in subject.figures}
    for _ in range(times):
        found = subject.matched(subject.widened(_noise(subject, rng)))
        for one in subject.figures:
            if one.name in found and one.error > 0:
                moves[one.name].append((found[one.name].value - one.value) / one.error)
        step()
    counted = {key: np.array(own) for key, own in moves.items() if len(own) >= times / 2}
    if not counted:
        return Refutation(name, "no power", f"{name}: with it held there was no answer",
                          {"times": times})  # fmt: skip
    size = {key: float(np.sqrt(np.mean(own**2))) for key, own in counted.items()}
    worst = max(size, key=lambda key: size[key])
    figure = next(one for one in subject.figures if one.name == worst)
    most = float(np.abs(counted[worst]).max()) * figure.error
    by_chance = 1 / np.sqrt(max(subject.units - 2, 1))
    numbers = {"times": len(counted[worst]), "most": most, "change_in_errors": size[worst],
               "by_chance": float(by_chance), "of": worst}  # fmt: skip
    half = (figure.high - figure.low) / 2
    line = (
        f"a random column held as a common cause of both, {len(counted[worst])} times, moves the "
        f"effect by {number(most)} at most ({most / half:.1%} of half its interval)"
    )
    if size[worst] > _UNSTEADY * by_chance:
        line += f": {size[worst] / by_chance:.1f} times what chance explains, the estimate is shaky"
        return Refutation(name, "noticed", f"{name}: {line}", numbers)
    if subject.too_few:
        line += f"; {subject.too_few}"
        return Refutation(name, "no power", f"{name}: {line}", numbers)
    line += ", as chance explains (it finds estimates that are shaky, not hidden causes)"
    return Refutation(name, "held", f"{name}: {line}", numbers)


def _noise(subject: Subject, rng: np.random.Generator) -> NDArray[np.float64]:
    """float64[R], one value a unit."""
    if subject.table.unit is None:
        return rng.normal(size=subject.table.rows)
    unit = np.unique(subject.table.unit, return_inverse=True)[1].reshape(-1)
    found: NDArray[np.float64] = rng.normal(size=int(unit.max()) + 1)[unit]
    return found


def hidden_cause(subject: Subject) -> Refutation:
    """How strong a hidden common cause would have to be, beside the strongest one that is held."""
    name = "hidden common cause"
    if subject.way in ("set", "mixture"):
        line = f"{subject.table.variables[subject.cause]} was set: nothing else moves it"
        return Refutation(name, "does not apply", f"{name}: {line}")
    figure = min(subject.figures, key=lambda one: one.strength)
    which = f" ({figure.name})" if figure.name else ""
    if figure.strength <= 1:
        line = f"the interval{which} includes no effect without one"
        return Refutation(name, "stated", f"{name}: {line}", {"times_as_strong": 0.0})
    if not subject.held:
        line = (
            "nothing that is held measures how strong causes of both are here; what it would have "
            "to explain stands among the assumptions"
        )
        return Refutation(name, "does not apply", f"{name}: {line}")
    used = subject.strata >= 0
    measured = strongest(subject.table, used, subject.cause, subject.outcome, subject.held)
    if measured is None:
        line = "rows are too few to measure how strong the variables held are"
        return Refutation(name, "no power", f"{name}: {line}")
    times = tipping_point(figure.value, figure.error, float(subject.units - 2), measured, _MOST)
    return _tipping(subject, name + which, times, measured)


def _tipping(subject: Subject, name: str, times: float, measured: Benchmark) -> Refutation:
    cause, outcome = (subject.table.variables[j] for j in (subject.cause, subject.outcome))
    numbers = {"times_as_strong": times, "as": measured.name,
               "explains_of_cause": measured.of_cause,
               "explains_of_outcome": measured.of_outcome}  # fmt: skip
    size = (
        f"{measured.name}, the strongest that is held, explains {measured.of_cause:.1%} of what is "
        f"left of the variance of {cause}, and {measured.of_outcome:.1%} of that of {outcome}"
    )
    how = f"more than {_MOST:g} times" if times >= _MOST else f"{times:.2g} times"
    line = (
        f"one {how} as strong as {measured.name} would make the interval reach no effect ({size})"
    )
    return Refutation("hidden common cause", "stated", f"{name}: {line}", numbers)
