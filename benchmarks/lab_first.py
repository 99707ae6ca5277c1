"""Which system Watch opens with: `python benchmarks/lab_first.py`.

The first `--systems` of seed 0 are played by everyone whom Watch opens with. Kept are those on
which they come out in the order that they have on average over all of them, each at least `--apart`
above the one before; but nobody has to be worse than the expert, who knows the system. Scores are
shares of the way from a random action to the best one. Of these, that one is taken on which most is
at stake (best return less that of a random action). The last line is JSON.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from _sizes import sized

from seedo.lab._frames import lived
from seedo.lab._scenario import Scenario
from seedo.lab._worlds import shown_as
from seedo.worlds import configure


def main() -> None:
    """Prints the mean scores, then the systems that pass, then the choice as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=256)
    parser.add_argument("--apart", type=float, default=0.1)
    options = sized(parser, systems=3)
    shown = shown_as("dag")
    scores, ratio = {}, {}
    for name in shown.usual:
        # One by one, as the page plays them: a network that finds actions equally good may choose
        # another of them in a batch.
        lives = [lived(Scenario(configure(), index=i), name, lambda *_: None)
                 for i in range(options.systems)]  # fmt: skip
        returns, best, chance = np.array(
            [(live.returns, live.oracle_return, live.random_return) for live in lives]
        ).T
        stake = best - chance
        scores[name] = (returns - chance) / stake
        ratio[name] = float(returns.mean() / best.mean())
    order = sorted(ratio, key=lambda name: ratio[name])
    ranked = np.stack([scores[name] for name in order])
    learners = np.stack([scores[name] for name in order if name != "scripted:expert"])
    passed = np.flatnonzero((np.diff(learners, axis=0) >= options.apart).all(axis=0))
    print("mean return ratio:", ", ".join(f"{name} {ratio[name]:.3f}" for name in order))
    for index in passed:
        said = ", ".join(f"{score:.2f}" for score in ranked[:, index])
        print(f"system {index:3}: {said}; at stake {stake[index]:.2f}")
    chosen = int(passed[np.argmax(stake[passed])]) if len(passed) else None
    print(json.dumps({"systems": options.systems, "index": chosen, "ratio": ratio}))


if __name__ == "__main__":
    main()
