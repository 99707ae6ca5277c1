"""What it is worth to an imitator that its logs never show D acting on E, exactly.

    python benchmarks/price.py [--out docs/results/price.json] [--figure docs/transfer/price.svg]

World `dag`, preset `linear`: noise, number of experiments and of variables, do-values (`LEVELS`).
Held out is every path from D to E, or the arrow alone (docs/transfer.md). A level that is in the
file, computed with these sizes, is not computed again. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
from _sizes import sized

from seedo import reports
from seedo.episodes import write_atomic
from seedo.studies import priced

LEVELS: list[dict[str, Any]] = [
    *({"n": 5, "experiments": 5, "noise_variance": s2} for s2 in (0.0001, 0.01, 0.0625, 0.25, 1.0)),
    *({"n": 5, "experiments": 3, "noise_variance": s2} for s2 in (0.01, 1.0)),
    *({"n": 10, "experiments": 10, "noise_variance": s2} for s2 in (0.01, 0.25, 1.0)),
    *({"n": 5, "experiments": t, "noise_variance": 0.01} for t in (4, 10)),
    *({"n": 5, "experiments": 5, "noise_variance": 0.01, "do_values": values}
      for values in ([2.0], [-4.0, -2.0, -1.0, 1.0, 2.0, 4.0])),
]  # fmt: skip
"""Worlds: those of the map of study `transfer`, as far as the price can be computed."""

LARGE = {"train": 4, "unseen": 4}
"""What sizes are divided by with 10 variables, where an episode takes ten times as long."""


def drawn(levels: list[dict[str, Any]]) -> str:
    """SVG: the price, how often D is set for E where it cannot help, what is earned where it must
    be set; against the noise."""

    def along(n: int, experiments: int, held: str) -> tuple[list[float], list[dict[str, Any]]]:
        own = [x for x in levels if x["held"] == held and "do_values" not in x["world"]
               and (x["world"]["n"], x["world"]["experiments"]) == (n, experiments)]  # fmt: skip
        own.sort(key=lambda x: x["world"]["noise_variance"])
        return [x["world"]["noise_variance"] for x in own], own

    figure, axes = reports.panels(1, 3, 9.5, 3.6)
    price, wrong, earned = axes[0]
    for (n, experiments), marker in (((5, 5), "o"), ((5, 3), "^"), ((10, 10), "s")):
        for held, colour in (("path", reports.BLUE), ("arrow", reports.ORANGE)):
            noise, own = along(n, experiments, held)
            if not own:
                continue
            label = f"{held}, n = {n}, {experiments} experiments"
            look = {"color": colour, "marker": marker, "label": label,
                    "linestyle": "-" if n == experiments == 5 else ":"}  # fmt: skip
            reports.curve(price, noise, [x["train"]["price"] for x in own], **look)
    noise, own = along(5, 5, "path")
    players = (("imitator", reports.RED), ("unaware", reports.GREEN),
               ("largest-effect", reports.GREY))  # fmt: skip
    for name, colour in players:
        look = {"color": colour, "label": name}
        reports.curve(wrong, noise, [x["train"]["sets D"][name] for x in own], **look)
        reports.curve(earned, noise, [x["unseen"]["return"][name] for x in own], **look)
    for ax, title in ((price, "Price, nats per decision with goal E"),
                      (wrong, "Sets D for E in training"),
                      (earned, "Return on heldout-link")):  # fmt: skip
        ax.set_title(title)
        ax.set_xlabel("noise variance")
        ax.set_ylim(bottom=0)
        reports.log_scale(ax)
    for ax in (price, wrong, earned):
        ax.legend(loc="best", fontsize=7)
    return reports.svg(figure, "price", "The price of an exclusion, and what follows, by noise")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=int, default=14_000, help="episodes; one in six counts")
    parser.add_argument("--unseen", type=int, default=1024, help="episodes of heldout-link")
    parser.add_argument("--draws", type=int, default=1024, help="of each history and kind of graph")
    parser.add_argument("--levels", type=int, default=len(LEVELS), help="only the first ones")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--figure", type=Path, default=None, help="SVG to draw of all levels")
    given = sized(parser, train=512, unseen=32, draws=64, levels=1)
    sizes = {name: getattr(given, name) for name in ("train", "unseen", "draws")}
    levels: list[dict[str, Any]] = []
    if given.out is not None and given.out.exists():
        levels = json.loads(given.out.read_text())["levels"]
    for world in LEVELS[: given.levels]:
        large = LARGE if world["n"] > 5 else {}
        own = {name: size // large.get(name, 1) for name, size in sizes.items()}
        for held in ("path", "arrow"):
            question = {"world": world, "held": held, "sizes": own}
            if any(question.items() <= level.items() for level in levels):
                continue
            begun = time.process_time()
            found = priced(world, held, **own)
            levels = [one for one in levels if one["world"] != world or one["held"] != held]
            levels.append(question | found)
            price = found["train"]["price"]
            told = ", ".join(f"{name} {value}" for name, value in world.items())
            print(f"{told}, {held} held out: price"
                  f" {price['value']:.4f} [{price['low']:.4f}, {price['high']:.4f}] nats,"
                  f" {time.process_time() - begun:.0f} s CPU", flush=True)  # fmt: skip
            if given.out is not None:
                text = json.dumps({"levels": levels}, indent=1, sort_keys=True)
                write_atomic(given.out, text.encode() + b"\n")
    if given.figure is not None:
        with mpl.rc_context(reports.STYLE):
            write_atomic(given.figure, drawn(levels).encode())
    print(json.dumps({"levels": levels}))


if __name__ == "__main__":
    main()
