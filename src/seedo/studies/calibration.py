"""Study `calibration`: do 95 % intervals hold in 95 % of tables, and are faulty tables noticed?"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import reports
from seedo.errors import UserError
from seedo.inference import Answer, Beliefs, Form, ask, parse
from seedo.reports import BLUE, GREEN, GREY, INK, ORANGE, PINK, RED
from seedo.statistics import ratios, share
from seedo.studies._calibration_faults import CLEAN, FAULTS
from seedo.studies._calibration_samples import FAMILIES, STRENGTHS, Family, Sample
from seedo.studies._rivals import NOTHING, RIVALS, installed
from seedo.studies._study import Study, Work
from seedo.studies._textbook import Interval, textbook
from seedo.studies._words import told

COVERED = (0.94, 0.97)
"""Share of 95 % intervals that should hold the truth."""
COVERED_WORST = 0.92
"""The least over strengths of confounding."""
LONGEST = 1.05
"""Length of intervals over that of the textbook's."""
FUSED_LENGTH = 0.9
"""The same over that of experiments alone, where observations are not confounded."""
NOTICED, ALARMED = 0.9, 0.05
"""Shares of faulty tables that should be noticed, and of clean ones that may be warned about."""
SURE = 2000
"""Simulations from which a share is held against a bar as it is; below, its interval is."""
_BLOCK = 100  # simulations a file
_OURS, _TEXTBOOK, _LINEAR = "ask", "textbook", "linear ask"


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        tables: simulated tables of every family for `ask` and the textbook method.
        beside: of those, how many are also put to each other package and to linear `ask`.
        faulty: tables of every fault, and of every kind of clean one.
        families: which.
    """

    tables: int
    beside: int
    faulty: int
    families: tuple[str, ...] = tuple(FAMILIES)


SCALES = {"quick": Scale(40, 10, 30), "full": Scale(2000, 200, 400)}


class Found(NamedTuple):
    """What came out, by family and method, and of tables with and without faults.

    Attributes:
        intervals: float64[k, 4] each: estimate, low, high, truth; NaN where refused.
        reasons: of the first refusal, by family and method.
        noticed: bool[k] by fault.
        ignored: bool[k] by fault: whether who does not look covers the truth.
        alarmed: bool[k] by kind of clean table.
    """

    intervals: dict[tuple[str, str], NDArray[np.float64]]
    reasons: dict[tuple[str, str], str]
    noticed: dict[str, NDArray[np.bool_]]
    ignored: dict[str, NDArray[np.bool_]]
    alarmed: dict[str, NDArray[np.bool_]]


# -- play --------------------------------------------------------------------------------------


def asked(sample: Sample, form: Form = "auto") -> Answer:
    """What `ask` says to a sample's question; a refusal by error as an answer that says so."""
    query = parse(sample.question, sample.table.variables)
    try:
        return ask(query, sample.table, Beliefs(graph=sample.graph, form=form, draws=500))
    except UserError as error:
        return Answer(sample.question, None, str(error), refused=str(error))


def _number(answer: Answer) -> Interval:
    """NaN where there is none."""
    if answer.value is None or answer.low is None or answer.high is None:
        return NOTHING
    return answer.value, answer.low, answer.high


def _samples(work: Work[Any], name: str, draw: Family, numbers: range) -> Iterator[Sample]:
    """The tables of one name; each has a seed of its own, fixed by its number."""
    for number in numbers:
        yield draw(np.random.default_rng([work.seed, zlib.crc32(name.encode()), number]))


Asked = Callable[[Sample], tuple[Interval, str]]
"""An estimate, and why there is none."""


def _methods(family: str) -> dict[str, Asked]:
    """Everybody who is asked."""

    def ours(form: Form) -> Asked:
        def method(sample: Sample) -> tuple[Interval, str]:
            found = asked(sample, form)
            return _number(found), found.refused or ("" if found.value is not None else "no number")

        return method

    def theirs(estimate: Callable[[Sample], Interval]) -> Asked:
        def method(sample: Sample) -> tuple[Interval, str]:
            try:
                return estimate(sample), ""
            except Exception as error:  # whatever another package raises is no answer of its
                return NOTHING, f"{type(error).__name__}: {error}".splitlines()[0][:200]

        return method

    others = {name: theirs(method) for name, method in installed().items()}
    return {_OURS: ours("auto"), _TEXTBOOK: theirs(textbook(family)), _LINEAR: ours("linear")} | (
        others
    )


def _play(work: Work[Scale]) -> Found:
    scale = work.scale
    found = Found({}, {}, {}, {}, {})
    for name in RIVALS.keys() - installed().keys():
        work.say(f"{name} is not installed: left out")
    for family in scale.families:
        for method, estimate in _methods(family).items():
            count = scale.tables if method in (_OURS, _TEXTBOOK) else scale.beside
            parts = [
                _block(work, family, method, estimate, range(start, min(start + _BLOCK, count)))
                for start in range(0, count, _BLOCK)
            ]
            rows = np.concatenate([part["intervals"] for part in parts])
            found.intervals[family, method] = rows
            found.reasons[family, method] = next((r for p in parts for r in p["reasons"] if r), "")
        ours = found.intervals[family, _OURS]
        work.say(f"{family}: {len(ours):,} tables, {np.mean(_covers(ours)):.3f} covered")
    for name in FAULTS:
        part = _faulty(work, name)
        found.noticed[name], found.ignored[name] = part["noticed"], part["ignored"]
    for name in CLEAN:
        found.alarmed[name] = _clean(work, name)
    return found


def _block(
    work: Work[Scale], family: str, method: str, estimate: Asked, numbers: range
) -> dict[str, NDArray[Any]]:
    """Intervals of some tables: computed or found in their file."""

    def compute() -> dict[str, NDArray[Any]]:
        rows, reasons = [], []
        for sample in _samples(work, family, FAMILIES[family], numbers):
            interval, reason = estimate(sample)
            rows.append((*interval, sample.truth))
            reasons.append(reason)
        return {"intervals": np.array(rows), "reasons": np.array(reasons)}

    question = {"seed": work.seed, "first": numbers.start, "end": numbers.stop}
    return work.arrays(f"found/{family}-{method}-{numbers.start}.npz", question, compute)


def _faulty(work: Work[Scale], name: str) -> dict[str, NDArray[Any]]:
    fault = FAULTS[name]

    def compute() -> dict[str, NDArray[Any]]:
        tables = list(_samples(work, name, fault.draw, range(work.scale.faulty)))
        ignored = np.array([(*fault.ignoring(sample), sample.truth) for sample in tables])
        noticed = np.array([fault.noticed(asked(sample)) for sample in tables])
        return {"noticed": noticed, "ignored": _covers(ignored)}

    question = {"seed": work.seed, "tables": work.scale.faulty}
    return work.arrays(f"faults/{name}.npz", question, compute)


def _clean(work: Work[Scale], name: str) -> NDArray[np.bool_]:
    def compute() -> dict[str, NDArray[Any]]:
        found = [asked(s) for s in _samples(work, name, CLEAN[name], range(work.scale.faulty))]
        return {"alarmed": np.array([bool(a.warnings or a.refused) for a in found])}

    question = {"seed": work.seed, "tables": work.scale.faulty}
    return work.arrays(f"clean/{name}.npz", question, compute)["alarmed"]


# -- measure -----------------------------------------------------------------------------------


def _covers(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """bool[k] of float64[k, 4]: the truth lies in the interval, which has some width."""
    _, low, high, truth = rows.T
    covers: NDArray[np.bool_] = (low <= truth) & (truth <= high) & (high > low)
    return covers


def _share(flags: NDArray[np.bool_]) -> dict[str, Any]:
    return share(int(flags.sum()), len(flags)).to_json()


def measured(rows: NDArray[np.float64], reference: NDArray[np.float64]) -> dict[str, Any]:
    """Of one family and method.

    Args:
        rows: float64[k, 4]: estimate, low, high, truth.
        reference: float64[K >= k, 4], the textbook's on the same tables.

    Returns:
        covered: share of given intervals that hold the truth; length: mean over the textbook's on
        the same tables; answered: share with an interval; points: share with an estimate;
        bias: mean error of estimates; flat: intervals of width 0.
    """
    given = np.isfinite(rows[:, 1:3]).all(axis=1)
    point = np.isfinite(rows[:, 0])
    both = given & np.isfinite(reference[: len(rows), 1])
    own, theirs = rows[both], reference[: len(rows)][both]
    length = None
    if len(own):
        pair = [own[:, 2] - own[:, 1]], [theirs[:, 2] - theirs[:, 1]]
        length = ratios(*pair)[0].to_json()
    error = rows[point, 0] - rows[point, 3]
    return {
        "covered": _share(_covers(rows[given])) if given.any() else None,
        "length": length,
        "answered": float(given.mean()),
        "points": float(point.mean()),
        "bias": float(error.mean()) if point.any() else None,
        "flat": int((rows[given, 2] <= rows[given, 1]).sum()),
    }


def _measure(work: Work[Scale], found: Found) -> dict[str, Any]:
    families: dict[str, dict[str, Any]] = {}
    for (family, method), rows in found.intervals.items():
        numbers = measured(rows, found.intervals[family, _TEXTBOOK])
        reason = found.reasons[family, method]
        families.setdefault(family, {})[method] = numbers | ({"reason": reason} if reason else {})
    noticed = {
        name: {"noticed": _share(seen), "ignored": float(found.ignored[name].mean())}
        for name, seen in found.noticed.items()
    }
    every = np.concatenate(list(found.alarmed.values()))
    alarmed = {name: _share(rows) for name, rows in found.alarmed.items()}
    return {"families": families, "faults": noticed, "clean": alarmed | {
        "all": _share(every)}}  # fmt: skip


# -- judge -------------------------------------------------------------------------------------


def _within(found: dict[str, Any] | None, low: float, high: float) -> bool:
    """Whether a share keeps to a bar: by itself if it is of many, else by its interval."""
    if found is None or found["value"] is None:
        return False
    if found["n"] >= SURE:
        return bool(low <= found["value"] <= high)
    return bool(found["high"] >= low and found["low"] <= high)


def misses(family: str, own: dict[str, Any]) -> list[str]:
    """What one family's numbers of `ask` fall short of; nothing if all bars are kept."""
    fused = family.startswith("fusion")
    least, most = (COVERED_WORST, 1.0) if fused else COVERED
    found = []
    if own["answered"] < 1 - ALARMED:
        found.append(f"{1 - own['answered']:.0%} unanswered")
    if not _within(own["covered"], least, most):
        found.append("covers too few" if _few(own["covered"], least) else "covers too many")
    longest = FUSED_LENGTH if family == "fusion 0" else LONGEST
    if own["length"] is not None and (not fused or family == "fusion 0"):
        ends = own["length"]
        compared = ends["value"] if ends["n"] >= SURE else ends["low"]
        if compared is not None and compared > longest:
            found.append(f"longer than {longest:g} of the textbook's")
    if own["flat"]:
        found.append(f"{own['flat']} of width 0")
    return found


def _few(covered: dict[str, Any] | None, least: float) -> bool:
    return covered is None or covered["value"] is None or covered["value"] < least


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    lines, short = [], []
    for family, methods in values["families"].items():
        own = methods[_OURS]
        missed = misses(family, own)
        short += [f"{family}: {', '.join(missed)}"] if missed else []
        covered = told(own["covered"]) if own["covered"] else "no interval"
        length = told(own["length"], ".2f") if own["length"] else "unknown"
        theirs = told(methods[_TEXTBOOK]["covered"])
        lines.append(
            f"{family}: covers {covered} (textbook {theirs}), length {length} of the textbook's"
            f"{'; ' + ', '.join(missed) if missed else ''}."
        )
    fused = [v[_OURS]["covered"] for k, v in values["families"].items() if k.startswith("fusion")]
    if fused and all(fused):
        worst = min(fused, key=lambda found: found["value"])
        lines.append(f"Worst over strengths of a hidden cause: {told(worst)}.")
    for name, found in values["faults"].items():
        good = _within(found["noticed"], NOTICED, 1.0)
        short += [] if good else [f"{name} noticed in {found['noticed']['value']:.0%}"]
        lines.append(
            f"{name} (ignored, {found['ignored']:.0%} of intervals hold): noticed in "
            f"{told(found['noticed'])}."
        )
    alarms = values["clean"]["all"]
    short += [] if _within(alarms, 0.0, ALARMED) else [f"{alarms['value']:.0%} false alarms"]
    lines.append(f"Clean tables that are warned about: {told(alarms)}.")
    if short:
        return [*lines, f"Refutes the claim: {'; '.join(short)}."]
    sure = scale.tables >= SURE
    return [*lines, "Supports the claim." if sure else "Does not refute the claim; too few tables "
            "to support it."]  # fmt: skip


# -- draw --------------------------------------------------------------------------------------

_COLOURS = (BLUE, INK, ORANGE, GREEN, RED, PINK)


def _draw(scale: Scale, values: dict[str, Any]) -> Figure:
    """Coverage by family and method; beside it the shares of faults noticed."""
    families = list(values["families"])
    methods = list(dict.fromkeys(m for own in values["families"].values() for m in own))
    figure, [[left, right]] = reports.panels(1, 2, 12.5, 1.5 + 0.3 * len(families))
    for place, (method, colour) in enumerate(zip(methods, _COLOURS, strict=False)):
        for row, family in enumerate(families):
            found = values["families"][family].get(method, {}).get("covered")
            if found is None:
                continue
            at = row + 0.13 * (place - (len(methods) - 1) / 2)
            ends = [[found["low"]], [found["high"]]]
            reach = np.abs(np.array(ends) - found["value"])
            left.errorbar([found["value"]], [at], xerr=reach, fmt="o", markersize=3, color=colour,
                          label=method if row == 0 else None)  # fmt: skip
    left.axvspan(*COVERED, color=GREY, alpha=0.25)
    left.set_yticks(range(len(families)), families)
    left.invert_yaxis()
    left.set(xlabel="share of 95 % intervals that hold the truth", xlim=(-0.02, 1.02))
    left.legend(fontsize=7)
    shown = {**{k: v["noticed"] for k, v in values["faults"].items()}, **{
        f"clean: {k}": v for k, v in values["clean"].items()}}  # fmt: skip
    for row, (name, found) in enumerate(shown.items()):
        reach = np.abs(np.array([[found["low"]], [found["high"]]]) - found["value"])
        colour = GREY if name.startswith("clean") else BLUE
        right.errorbar([found["value"]], [row], xerr=reach, fmt="o", markersize=4, color=colour)
    right.axvline(NOTICED, color=GREY, linestyle="--", linewidth=1)
    right.axvline(ALARMED, color=GREY, linestyle=":", linewidth=1)
    right.set_yticks(range(len(shown)), list(shown))
    right.invert_yaxis()
    right.set(xlabel="share of tables noticed", xlim=(-0.02, 1.02))
    return figure


def _table(scale: Scale, values: dict[str, Any]) -> str:
    """Coverage, length and answered shares, as Markdown."""
    lines = ["| family | method | covers | length / textbook | answered | bias |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for family, methods in values["families"].items():
        for method, own in methods.items():
            covered = told(own["covered"]) if own["covered"] else "no interval"
            length = told(own["length"], ".2f") if own["length"] else ""
            bias = "" if own["bias"] is None else f"{own['bias']:+.3f}"
            lines.append(
                f"| {family} | {method} | {covered} | {length} | {own['answered']:.0%} | {bias} |"
            )
    lines += ["", "| fault | noticed | covers if ignored |", "|---|---|---|"]
    for name, found in values["faults"].items():
        lines.append(f"| {name} | {told(found['noticed'])} | {found['ignored']:.2f} |")
    lines += ["", "| clean tables | warned about |", "|---|---|"]
    lines += [f"| {name} | {told(found)} |" for name, found in values["clean"].items()]
    return "\n".join(lines) + "\n"


STUDY = Study(
    name="calibration",
    claim="""Of the 95 % intervals that `ask` gives, 95 % hold the truth, whatever kind of table it
        is asked about; they are no longer than those of the right textbook method; and a table on
        which the usual method would fail is not answered without a word.""",
    design=f"""Simulated tables of twelve families, seeds fixed by number: lines, curves,
        interactions, yes or no, counts, skewed amounts, clusters, autocorrelation, values missing
        at random, a two-arm trial of z = 2.7, an instrument, and 2,000 observations with 30
        experiments under a hidden cause of strengths {", ".join(f"{s:g}" for s in STRENGTHS)}.
        Each is put to `ask`, with the graph where the design gives one, to the textbook method for
        the family (statsmodels), and some of them to linear `ask` and to DoWhy, EconML and
        antecedent where these are installed. Then tables with one fault each, of a size that
        brings the intervals of who ignores it to half their coverage or less, and clean tables.""",
    refuted_if=f"""coverage lies outside {COVERED[0]} to {COVERED[1]} in a family (below
        {COVERED_WORST} for some strength of the hidden cause), intervals are longer than {LONGEST}
        of the textbook's ({FUSED_LENGTH} of those of experiments alone where nothing is hidden),
        one has width 0, a fault is noticed in fewer than {NOTICED:.0%} of tables, or more than
        {ALARMED:.0%} of clean tables are warned about.""",
    measures="""families: by method, share of intervals that cover, mean length over the
        textbook's, share answered, bias; faults: share noticed, and coverage of who ignores it;
        clean: share warned about""",
    scales=SCALES,
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="How often intervals hold, and faults are noticed",
    table=_table,
)
