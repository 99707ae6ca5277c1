"""A review as a page and as a table for the terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from rich.table import Table

from seedo.evaluation import (
    BAYES,
    CANNOT_TELL,
    COSTS,
    UNTESTED,
    Frontier,
    Group,
    Review,
    Run,
    definitions,
)
from seedo.reports._estimates import NONE, escape, frame, rounded, short, text
from seedo.reports._figures import figures
from seedo.reports._frontier_figure import frontier_figures
from seedo.reports._page import page, write_page
from seedo.reports._players import sheet
from seedo.reports._regret_figure import shown_runs
from seedo.statistics import Estimate


def write_report(
    review: Review, path: str | os.PathLike[str], frontier: Frontier | None = None
) -> None:
    """Writes one HTML file that needs nothing else; whole or not at all.

    With a `frontier`, return against cost comes first among its figures.

    Raises:
        UserError: it cannot be written.
    """
    write_page(path, html(review, frontier))


def html(review: Review, frontier: Frontier | None = None) -> str:
    """The page; all text from logs is escaped."""
    return page(
        "report.html",
        {
            "estimate": text,
            "short": short,
            "config": _config,
            "counted": counted,
            "figure": rounded,
        },
        review=review,
        frontier=frontier,
        costs=COSTS,
        frontier_figures={
            title: Markup(svg)
            for title, svg in (frontier_figures(frontier) if frontier else {}).items()
        },
        columns=COLUMNS,
        strategies=any(run.follows for run in review.runs),
        # One run alone stands in the table above.
        sheets=[sheet(g) for g in review.groups if len(g.runs) > 1 or g.runs[0].spoken],
        # Figures are drawn here; matplotlib escapes the names in them.
        figures={title: Markup(svg) for title, svg in figures(review).items()},
        definitions=definitions(review, frontier),
        none=NONE,
    )


def _config(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


def counted(run: Run) -> str:
    """How many episodes, of how many people."""
    of = "" if run.participants is None else f" of {units(run)}"
    return f"{run.episodes:,}{of}"


def units(run: Run) -> str:
    """What the intervals rest on."""
    if run.participants is None:
        return f"{run.episodes:,}"
    return "1 person" if run.participants == 1 else f"{run.participants:,} people"


COLUMNS: tuple[tuple[str, Callable[[Run], Estimate], bool], ...] = (
    ("return ratio", lambda run: run.metrics.return_ratio, False),
    ("Bayes ratio", lambda run: run.metrics.bayes_ratio, False),
    ("normalised return", lambda run: run.metrics.normalised_return, False),
    ("action match", lambda run: run.metrics.action_match, True),
    ("oracle log-likelihood", lambda run: run.metrics.oracle_log_likelihood, False),
    ("distinct tested", lambda run: run.metrics.distinct_tested, False),
    ("cued set explored", lambda run: run.metrics.cued_set_explored, True),
    ("random floor", lambda run: run.metrics.random_floor, False),
)
"""Columns of the report's table of runs: title, estimate, whether in per cent."""


def table(review: Review) -> Table:
    """One row a run and, for each world and split, what to hold it against; fits 120 columns.

    Where no world says what its best is, returns stand for their shares of it.
    """
    all_metrics = [run.metrics for run in review.runs]
    shares = any(m.return_ratio.value is not None for m in all_metrics) or not any(
        m.mean_return.value is not None for m in all_metrics
    )
    apart = {row.runs: row.apart for group in review.groups for row in group.rows}
    said = (
        "Shares of the omniscient return (Bayes ratio: of the Bayes-optimal reader's); match: best "
        "actions taken; tested: different variables set; heuristic and Bayes: what these readers "
        "make of the same explorations."
        if shares
        else "Mean returns, not shares of what is possible: the world does not say what that is. "
        "Tested: different variables set."
    )
    if any(apart.values()):
        said += " * met other systems than the rest."
    made = frame(
        said,
        ["agent"],
        [
            "n",
            "return ratio [95 %]" if shares else "return [95 %]",
            "Bayes ratio [95 %]",
            "match",
            "tested",
            "heuristic",
            "Bayes",
        ],
    )
    for group in review.groups:
        made.add_section()
        made.add_row(escape(group.label), style="bold")
        for run in group.runs:
            m = run.metrics
            made.add_row(
                f"  {escape(run.agent)}",
                f"{units(run)} *" if apart[(run.path,)] else units(run),
                text(m.return_ratio if shares else m.mean_return),
                text(m.bayes_ratio),
                short(m.action_match, percent=True),
                NONE if m.distinct_tested.value is None else f"{m.distinct_tested.value:.2f}",
                NONE
                if m.best_heuristic is None
                else short(m.readers[m.best_heuristic].return_ratio),
                short(m.readers[BAYES].return_ratio),
            )
        for seeds in group.seeds:
            made.add_row(
                f"  {escape(seeds.agent)}, mean of seeds",
                f"{len(seeds.runs)} runs",
                text(seeds.return_ratio),
                text(seeds.bayes_ratio),
                style="italic",
            )
        for label, estimate in references(group) if shares else ():
            row = (f"  {label}", f"{estimate.n:,}", text(estimate))
            made.add_row(*row, style="dim")
    return made


def less_table(review: Review) -> Table | None:
    """Every row less the one that its group is held against, on the systems that both met; None
    where nobody is."""
    groups = [group for group in review.groups if any(row.less for row in group.rows)]
    if not groups:
        return None
    made = frame(
        "Less the player named, on the systems that both met, with the same noise.",
        ["player"],
        ["systems", "return [95 %]", "return ratio [95 %]", "exploit regret [95 %]"],
    )
    for group in groups:
        made.add_section()
        made.add_row(f"{escape(group.label)}: less {escape(group.against)}", style="bold")
        for row in group.rows:
            if row.less:
                names = ("return", "return_ratio", "exploit_regret")
                found = (row.less.get(name) for name in names)
                cells = (NONE if e is None else text(e) for e in found)
                made.add_row(f"  {escape(row.label)}", f"{row.paired:,}", *cells)
    return made


def matrix(review: Review) -> Table:
    """Who explored (a row) × who reads (a column): return ratios."""
    names = list(dict.fromkeys(name for group in review.groups for name in group.readers))
    made = frame(
        "Return ratios of readers (columns) of the same explorations (rows).", ["explored by"],
        [escape(name) for name in ("itself", *names)],
    )  # fmt: skip
    for group in review.groups:
        made.add_section()
        made.add_row(escape(group.label), style="bold")
        for run in group.runs:
            readers = run.metrics.readers
            cells = [short(readers[n].return_ratio) if n in readers else NONE for n in names]
            made.add_row(f"  {escape(run.agent)}", short(run.metrics.return_ratio), *cells)
    return made


def beside_table(review: Review) -> Table | None:
    """People less others on the same systems, one row a pair of runs; None where there are none."""
    pairs = [pair for group in review.groups for pair in group.beside]
    if not pairs:
        return None
    made = frame(
        "Difference in shares of the omniscient return on the same systems and noise; "
        "intervals over people.",
        ["people", "less"],
        ["systems", "participants", "difference [95 %]"],
    )
    for pair in pairs:
        shown = pair.difference.reason if pair.difference.value is None else text(pair.difference)
        made.add_row(
            escape(pair.people),
            escape(pair.other),
            f"{pair.systems:,}",
            f"{pair.participants:,}",
            shown,
        )
    return made


def mixed_table(review: Review) -> Table | None:
    """Levels and differences of the mixed model of each group; None where nobody asked."""
    groups = [group for group in review.groups if group.mixed]
    if not groups:
        return None
    made = frame(
        "Mixed model: scores as shares of the mean omniscient return; intervals over other people "
        "and other systems.",
        ["player"],
        ["people", "episodes", "score [95 %]"],
    )
    for group in groups:
        if (own := group.mixed) is None:
            continue
        made.add_section()
        made.add_row(escape(group.label), style="bold")
        if own.reason:
            made.add_row(f"  none: {escape(own.reason)}")
            continue
        for level in own.levels:
            people = f"{level.people:,}" if level.people else NONE
            cells = (people, f"{level.episodes:,}", text(level.score))
            made.add_row(f"  {escape(level.player)}", *cells)
        for pair in own.differences:
            names = f"  {escape(pair.people)} less {escape(pair.other)}"
            made.add_row(names, "", "", text(pair.difference))
        made.add_row(f"  {escape(own.model)}", style="dim")
        spread = ", ".join(f"{name} {value:.3f}" for name, value in own.spread.items())
        made.add_row(f"  standard deviations: {escape(spread)}", style="dim")
    return made


def information_table(review: Review) -> Table | None:
    """What experiments were expected to tell, one row a run; None where nobody asked."""
    runs = [run for run in review.runs if run.information]
    if not runs:
        return None
    made = frame(
        "Bits about the graph that a step of exploring was expected to tell; share: of what the "
        "best experiment would have; above random: 0 chooses like chance, 1 like the best.",
        ["agent"],
        ["n", "bits [95 %]", "best", "random", "share [95 %]", "above random [95 %]", "left"],
    )
    for group in review.groups:
        made.add_section()
        made.add_row(escape(group.label), style="bold")
        for run in group.runs:
            if (own := run.information) is None:
                continue
            if (reason := own.bits.reason) and own.bits.value is None:
                made.add_row(f"  {escape(run.agent)}", NONE, escape(reason))
                continue
            made.add_row(
                f"  {escape(run.agent)}",
                f"{own.episodes:,}",
                text(own.bits),
                *(f"{e.value:.3f}" for e in (own.best_bits, own.random_bits)),
                text(own.information_ratio),
                text(own.bits_above_random),
                short(own.bits_left),
            )
    return made


def strategies_table(review: Review) -> Table | None:
    """Which strategies predict each run's choices; None where nobody asked."""
    if not any(run.follows for run in review.runs):
        return None
    made = frame(
        "Strategies: bits a choice beyond random, of choices not fitted to; attributed: people (or "
        "the agent) whom their own choices give it with 95 % probability.",
        ["player"],
        ["choices", "bits [95 %]", "attributed"],
    )
    for group in review.groups:
        made.add_section()
        made.add_row(escape(group.label), style="bold")
        for run in group.runs:
            if run.follows is None:
                continue
            kinds = {"experiments": run.follows.experiments, "answers": run.follows.answers}
            for kind, own in kinds.items():
                title = f"  {escape(run.agent)}: {kind}"
                if own.reason:
                    made.add_row(title, NONE, escape(own.reason))
                    continue
                made.add_row(title, f"{own.choices:,}")
                for name, count in own.attributed.items():
                    bits = text(own.bits[name]) if name in own.bits else NONE
                    if name == CANNOT_TELL and run.participants is None and count:
                        name += f": {', '.join(own.followers[0].open)}"
                    made.add_row(f"    {name}", "", bits, f"{count:,}" if count else NONE)
                for name, why in own.missing.items():
                    made.add_row(f"    {name}", "", escape(why))
    return made


def regret_table(review: Review) -> Table | None:
    """How good the best setting was after some runs, one row a run; None where none are chosen."""
    runs = [run for run in review.runs if run.regret]
    if not runs:
        return None
    shown = shown_runs(runs)
    made = frame(
        "Best: found in all runs. Then its regret: 0 is the best setting there is, 1 is chance. "
        "Area: mean over all runs. Kept: of the setting kept in the end.",
        ["player"],
        ["n", "best", *(f"after {n}" for n in shown), "area [95 %]", "kept [95 %]"],
    )
    for group in review.groups:
        if not any(run.regret for run in group.runs):
            continue
        made.add_section()
        made.add_row(escape(group.label), style="bold")
        for run in group.runs:
            if run.regret is not None:
                best = rounded(run.regret.best[-1].value)
                cells = [best, *(short(run.regret.after(n)) for n in shown)]
                whole = (text(run.regret.area), text(run.regret.kept))
                made.add_row(f"  {escape(run.agent)}", units(run), *cells, *whole)
    return made


def frontier_table(frontier: Frontier) -> Table:
    """Return and costs of every run; for each cost whether it is in the Pareto set."""
    made = frame(
        "Pareto set for experiments, FLOPs and ms alone: yes; open: the interval of the "
        f"difference reaches 0; no. FLOPs: XLA's count. Measured on {frontier.machine}.",
        ["player"],
        ["return [95 %]", "return ratio [95 %]", "exp.", "FLOPs", "ms", "in numbers"],
    )
    made.add_column("Pareto", no_wrap=True)
    for group in frontier.groups:
        made.add_section()
        made.add_row(escape(group.label), style="bold")
        for point in group.points:
            speed = point.speed
            made.add_row(
                f"  {escape(point.agent)}",
                text(point.returns),
                text(point.return_ratio),
                rounded(point.experiments.value),
                rounded(point.flops),
                rounded(speed.single if speed else None),
                rounded(speed.batched if speed else None),
                "/".join(point.pareto[name] or NONE for name in COSTS),
            )
    return made


def references(group: Group) -> list[tuple[str, Estimate]]:
    """What the runs of a group are held against, lowest first."""
    if all(run.regret for run in group.runs):
        return []  # settings are measured by their regret
    best = group.best_heuristic
    found = [("random floor", group.references["random"])]
    if best is not None:
        found.append((f"best: {best}", group.references[best]))
    if UNTESTED in group.references:
        found.append(("without experiments", group.references[UNTESTED]))
    if group.read:
        found.append(("Bayes reader", group.references[BAYES]))
    return [*found, ("omniscient ceiling", group.references["oracle"])]
