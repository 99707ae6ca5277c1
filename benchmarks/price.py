"""What it is worth to an imitator that its logs never show D acting on E, exactly.

    python benchmarks/price.py [--out docs/results/price.json] [--quick]

World `dag`, preset `linear`, 5 variables; noise variances 0.0001 to 1 with five experiments, two of
them with three; held out is every path from D to E, or the arrow alone (docs/transfer.md). A level
that is in the file, computed with these sizes, is not computed again. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from _sizes import sized

from seedo.episodes import write_atomic
from seedo.studies import priced

LEVELS = [(noise, 5) for noise in (0.0001, 0.01, 0.0625, 0.25, 1.0)] + [(0.01, 3), (1.0, 3)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=int, default=14_000, help="episodes; one in six counts")
    parser.add_argument("--unseen", type=int, default=1024, help="episodes of heldout-link")
    parser.add_argument("--draws", type=int, default=1024, help="of each history and kind of graph")
    parser.add_argument("--levels", type=int, default=len(LEVELS), help="only the first ones")
    parser.add_argument("--out", type=Path, default=None)
    given = sized(parser, train=512, unseen=32, draws=64, levels=1)
    sizes = {name: getattr(given, name) for name in ("train", "unseen", "draws")}
    levels: list[dict[str, Any]] = []
    if given.out is not None and given.out.exists():
        levels = json.loads(given.out.read_text())["levels"]
    for noise, experiments in LEVELS[: given.levels]:
        world = {"noise_variance": noise, "experiments": experiments}
        for held in ("path", "arrow"):
            question = {"world": world, "held": held, "sizes": sizes}
            if any(question.items() <= level.items() for level in levels):
                continue
            begun = time.process_time()
            found = priced(world, held, **sizes)
            levels = [one for one in levels if one["world"] != world or one["held"] != held]
            levels.append(question | found)
            price = found["train"]["price"]
            print(f"noise {noise:g}, {experiments} experiments, {held} held out: price"
                  f" {price['value']:.4f} [{price['low']:.4f}, {price['high']:.4f}] nats,"
                  f" {time.process_time() - begun:.0f} s CPU", flush=True)  # fmt: skip
            if given.out is not None:
                text = json.dumps({"levels": levels}, indent=1, sort_keys=True)
                write_atomic(given.out, text.encode() + b"\n")
    print(json.dumps({"levels": levels}))


if __name__ == "__main__":
    main()
