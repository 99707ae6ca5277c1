"""Questions that compare effects: which cause matters most, and which setting is best.

Every effect is answered as if it had been asked for by itself, so that these answers take the same
ways (design, known graph, posterior over graphs), make the same checks and refuse the same things.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from seedo.errors import UserError
from seedo.inference.questions import _query as q
from seedo.inference.questions._answer import Answer, interval, number, refuse
from seedo.inference.questions._levels import named_column, shown
from seedo.tables import Table

EffectAnswer = Callable[[q.Effect], Answer]
"""What answers one effect."""
MeanAnswer = Callable[[q.Expectation], Answer]
"""What answers one mean under an intervention."""

LEVELS = 8
"""Most levels of a cause that are compared with each other."""
GRID = 9
"""Settings of a numeric cause that are tried, and those tried between the best's neighbours."""
COARSE = 5
"""Settings that are tried to see how far a cause moves the outcome."""
FINE = 5


@dataclass(frozen=True)
class _Sized:
    """One cause and the effect of moving it over what was seen; `why` there is none."""

    cause: str
    start: float = 0.0
    end: float = 0.0
    found: Answer | None = None
    why: str = ""

    @property
    def size(self) -> float:
        value = self.found.value if self.found is not None else None
        return abs(value) if value is not None else -1.0


def asked(effect: Callable[[Any], Answer], query: q.Query) -> tuple[Answer | None, str]:
    """The answer, or why there is none."""
    try:
        found = effect(query)
    except UserError as error:
        return None, error.remedy
    if found.refused:
        return None, found.refused
    if found.value is None or found.low is None or found.high is None:
        return None, found.answer
    return found, ""


def _values(table: Table, name: str) -> NDArray[np.float64]:
    column = table.values[:, table.index(name)]
    return column[np.isfinite(column)]


def _contrast(
    table: Table, cause: str, outcome: str, effect: EffectAnswer
) -> tuple[float, float] | str:
    """The two settings of a cause between which the outcome moves most, the lower first unless
    levels have no order: among those of `_coarse`, or among its levels; or why that is open."""
    values, column = _values(table, cause), named_column(cause, table.columns)
    settings = [float(x) for x in np.unique(values)]
    if len(settings) < 2:
        return "does not vary"
    if column is None:
        settings = _coarse(values, settings)
    elif len(settings) > LEVELS:
        return f"has {len(settings)} levels; ask about two of them"
    change = {settings[0]: 0.0}
    for setting in settings[1:]:
        found, why = asked(effect, q.Effect(cause, outcome, settings[0], setting))
        if found is None or found.value is None:
            return why
        change[setting] = found.value
    least, most = min(change, key=change.__getitem__), max(change, key=change.__getitem__)
    if least == most:
        return settings[0], settings[-1]
    ordered = column is None or column.type != "categorical"
    return (min(least, most), max(least, most)) if ordered else (least, most)


def _coarse(values: NDArray[np.float64], seen: list[float]) -> list[float]:
    """From the 5 to the 95 % point: what was seen where that is little, for what was set in all
    rows has no effect in between; else even steps."""
    low, high = (float(x) for x in np.quantile(values, [0.05, 0.95]))
    within = [x for x in seen if low <= x <= high]
    if len(within) < 2:
        return [seen[0], seen[-1]]
    return within if len(seen) < GRID else [float(x) for x in np.linspace(low, high, COARSE)]


def answer_ranking(query: q.Ranking, table: Table, effect: EffectAnswer) -> Answer:
    """The other variables by the size of their effects over what was seen."""
    ranked = []
    for cause in table.variables:
        if cause == query.outcome:
            continue
        ends = _contrast(table, cause, query.outcome, effect)
        if isinstance(ends, str):
            ranked.append(_Sized(cause, why=ends))
            continue
        found, why = asked(effect, q.Effect(cause, query.outcome, *ends))
        ranked.append(_Sized(cause, *ends, found, why))
    ranked.sort(key=lambda one: -one.size)
    rows = tuple(_row(one, table) for one in ranked)
    answered = [one for one in ranked if one.found is not None]
    if not answered:
        reasons = "; ".join(f"{one.cause}: {one.why}" for one in ranked[:3])
        return refuse(f"no effect on {query.outcome} can be told ({reasons})", table=rows)
    said = "; ".join(_in_words(one, table) for one in answered[:8])
    text = f"causes of {query.outcome}, by how much each changes it over what was seen: {said}"
    left = [one.cause for one in ranked if one.found is None]
    if left:
        text += f"; not answered: {', '.join(left[:8])}"
    assumes, rests_on, warnings = _together([one.found for one in answered])
    unsettled = _unsettled(answered)
    return Answer(
        "", None, text, table=rows, rests_on=rests_on,
        assumes=("one cause at a time is moved, between the two of its levels, or of its values "
                 "from the 5 to the 95 % point (five, where it has many), that differ most",
                 *assumes),
        warnings=(*((unsettled,) if unsettled else ()), *warnings),
    )  # fmt: skip


def _row(one: _Sized, table: Table) -> dict[str, Any]:
    if one.found is None:
        return {"cause": one.cause, "effect": None, "why not": one.why}
    start, end = (shown(one.cause, v, table.columns) for v in _rounded(one, table))
    return {"cause": one.cause, "effect": one.found.value, "low": one.found.low,
            "high": one.found.high, "from": start, "to": end}  # fmt: skip


def _rounded(one: _Sized, table: Table) -> tuple[float, float]:
    if named_column(one.cause, table.columns) is not None:
        return one.start, one.end
    return float(number(one.start)), float(number(one.end))


def _in_words(one: _Sized, table: Table) -> str:
    assert one.found is not None
    value, low, high = one.found.value, one.found.low, one.found.high
    assert value is not None
    assert low is not None
    assert high is not None
    start, end = (shown(one.cause, v, table.columns) for v in _rounded(one, table))
    return f"{one.cause} {number(value)} {interval(low, high)} (from {start} to {end})"


def _unsettled(ranked: Sequence[_Sized]) -> str:
    """Which of the first two is larger, if their intervals do not say."""
    if len(ranked) < 2:
        return ""
    (a, b), sizes = ranked[:2], []
    for one in (a, b):
        assert one.found is not None
        low, high = one.found.low or 0.0, one.found.high or 0.0
        sizes.append((0.0 if low <= 0 <= high else min(abs(low), abs(high)),
                      max(abs(low), abs(high))))  # fmt: skip
    if sizes[0][0] > sizes[1][1]:
        return ""
    return f"the intervals of {a.cause} and {b.cause} leave open which of them matters more"


def _together(
    found: Sequence[Answer | None],
) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """What several answers take for granted, rest on and warn of, each once."""
    answers = [one for one in found if one is not None]
    assumes = dict.fromkeys(line for one in answers for line in one.assumes)
    warnings = dict.fromkeys(line for one in answers for line in one.warnings)
    rests = dict.fromkeys(one.rests_on for one in answers if one.rests_on)
    return tuple(assumes), "; ".join(rests), tuple(warnings)


def answer_best_setting(query: q.BestSetting, table: Table, effect: EffectAnswer) -> Answer:
    """The setting of one cause at which the outcome is expected to be highest, or lowest."""
    sign = 1.0 if query.direction == "raise" else -1.0
    settings = _settings(table, query.cause)
    if isinstance(settings, str):
        return refuse(f"{query.cause} {settings}")
    tried: dict[float, Answer] = {}

    def best_of(settings: list[float]) -> float | str:
        """The best of these, or why that is open; gains are counted from the first."""
        gains = {settings[0]: 0.0}
        for setting in settings[1:]:
            found: Answer | None = tried.get(setting)
            if found is None:
                question = q.Effect(query.cause, query.outcome, settings[0], setting)
                found, why = asked(effect, question)
                if found is None:
                    return why
                tried[setting] = found
            gains[setting] = sign * (found.value or 0.0)
        return max(gains, key=gains.__getitem__)

    best = best_of(settings)
    if isinstance(best, float) and len(settings) == GRID:
        settings = _finer(settings, best)
        best = best_of(settings)
    if isinstance(best, str):
        return refuse(best)
    against = {}
    for setting in settings:
        question = q.Effect(query.cause, query.outcome, setting, best)
        found, _ = asked(effect, question) if setting != best else (None, "")
        if found is not None:
            against[setting] = found
    return _best_in_words(query, table, best, against)


def answer_best_by_means(
    query: q.BestIntervention, table: Table, causes: Sequence[str], mean: MeanAnswer
) -> Answer | None:
    """The best of what one variable at a time can be set to, each as its mean is answered by
    itself: along curves, and by levels. None where no mean is answered.

    Args:
        causes: whose settings are tried.
        mean: what answers E[outcome | do(cause = value)].
    """
    sign = 1.0 if query.direction == "raise" else -1.0
    tried: list[tuple[q.Setting, Answer]] = []
    open_ = []
    for cause in causes:
        settings = _settings(table, cause)
        why = f"{cause} {settings}" if isinstance(settings, str) else ""
        for value in settings if isinstance(settings, list) else ():
            setting = q.Setting(cause, value)
            found, why = asked(mean, q.Expectation(query.outcome, do=(setting,)))
            if found is None:
                why = f"{cause} is left out: {why}"
                break
            tried.append((setting, found))
        if why:
            open_.append(why)
    if not tried:
        return None
    best, found = max(tried, key=lambda one: sign * (one[1].value or 0.0))
    alike, value, low, high = _picked(found, [one for _, one in tried], sign)
    if named_column(query.outcome, table.columns) is not None:  # a share
        low, high = max(low, 0.0), min(high, 1.0)
    text = (
        f"do({best.text(table.columns)}): {query.outcome} is then {number(value)} "
        f"{interval(low, high)} on average; levels, and values between the 5 and 95 % points of "
        "what was seen, are considered, one variable at a time"
    )
    assumes = found.assumes
    if alike > 1:
        assumes = (*assumes, f"the interval allows for its having been picked among {alike} that "
                   "are not told apart")  # fmt: skip
    return Answer("", None, text, value, low, high, assumes=assumes,
                  rests_on=found.rests_on, warnings=(*found.warnings, *open_))  # fmt: skip


def _picked(found: Answer, tried: Sequence[Answer], sign: float) -> tuple[int, float, float, float]:
    """How many means reach the best one's interval, it itself among them, and that mean with an
    interval that holds for all of these at once (Bonferroni): whatever is picked as the best looks
    better than it is."""
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    value, low, high = found.value, found.low, found.high
    reach = low if sign > 0 else -high
    ends = [one.high if sign > 0 else -(one.low or 0.0) for one in tried]
    alike = max(1, sum((end or 0.0) >= reach for end in ends))
    wider = float(special.ndtri(1 - 0.025 / alike) / special.ndtri(0.975))
    return alike, value, value - wider * (value - low), value + wider * (high - value)


def _settings(table: Table, cause: str) -> list[float] | str:
    """What is tried, ascending: all values if they are few; or why nothing can be."""
    values = _values(table, cause)
    seen = [float(x) for x in np.unique(values)]
    if len(seen) < 2:
        return "does not vary in these rows"
    if named_column(cause, table.columns) is not None:
        return seen if len(seen) <= LEVELS else f"has {len(seen)} levels: ask about two of them"
    if len(seen) < GRID:
        return seen
    low, high = np.quantile(values, [0.05, 0.95])
    even = sorted({float(number(float(x))) for x in np.linspace(low, high, GRID)})
    return even if len(even) > 1 else [seen[0], seen[-1]]


def _finer(settings: list[float], best: float) -> list[float]:
    """With more settings between the neighbours of the best."""
    at = settings.index(best)
    low, high = settings[max(at - 1, 0)], settings[min(at + 1, len(settings) - 1)]
    more = {float(number(float(x))) for x in np.linspace(low, high, FINE + 2)[1:-1]}
    return sorted({*settings, *more})


def _best_in_words(
    query: q.BestSetting, table: Table, best: float, against: dict[float, Answer]
) -> Answer:
    """What is best, what cannot be told apart from it, and what it gains over the rest."""
    columns = table.columns
    named = named_column(query.cause, columns) is not None
    rows, alike = [], [best]
    for setting, found in against.items():
        low, high = found.low or 0.0, found.high or 0.0
        if low <= 0 <= high:
            alike.append(setting)
        rows.append({"instead of": shown(query.cause, setting, columns), "gain": found.value,
                     "low": low, "high": high})  # fmt: skip
    word = "highest" if query.direction == "raise" else "lowest"
    text = (f"{query.outcome} is expected to be {word} at {query.cause} = "
            f"{shown(query.cause, best, columns)}")  # fmt: skip
    if len(alike) > 1 and named:
        others = [shown(query.cause, setting, columns) for setting in alike[1:]]
        text += f"; not told apart from {', '.join(others)}"
    span = None if named else _bracket(alike, [best, *against])
    if span:
        text += f"; the best lies between {number(span[0])} and {number(span[1])}"
    if against:
        worst, most = max(against.items(), key=lambda one: abs(one[1].value or 0.0))
        text += (
            f"; instead of {shown(query.cause, worst, columns)} it changes {query.outcome} by "
            f"{number(most.value or 0.0)} {interval(most.low or 0.0, most.high or 0.0)}"
        )
    assumes, rests_on, warnings = _together([*against.values()])
    ends = min([best, *against]), max([best, *against])
    if not named and best in ends:
        warnings = (f"the best lies at the end of what was seen ({number(ends[0])} to "
                    f"{number(ends[1])}): further on may be better", *warnings)  # fmt: skip
    low, high = span or (None, None)  # type: ignore[assignment]
    return Answer("", None, text, best, low, high, table=tuple(rows),
                  assumes=(f"{query.cause} alone is set", *assumes), rests_on=rests_on,
                  warnings=warnings)  # fmt: skip


def _bracket(alike: Sequence[float], tried: Sequence[float]) -> tuple[float, float]:
    """The neighbours, among all that was tried, of what cannot be told apart from the best: in
    between, nothing was tried, and the best may lie there."""
    below = [setting for setting in tried if setting < min(alike)]
    above = [setting for setting in tried if setting > max(alike)]
    return max(below, default=min(alike)), min(above, default=max(alike))
