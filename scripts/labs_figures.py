"""The figures of docs/labs.md, from the product alone.

    python scripts/labs_figures.py [PLAYER ...]

Plays each player on the recorded reactor and on the simulator of the examples, reviews the logs and
writes what `seedo review --out` draws of them to docs/labs/.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from seedo import evaluation, experimenters, play, reports, worlds

ROOT = Path(__file__).resolve().parents[1]
PLAYERS = ("random", "sobol", "one-factor", "response-surface")
WALKS = {
    "reactor": ("recorded:examples/reactor/suzuki.csv", {"runs": 25}, 40),
    "simulator": ("external:reactor:stirred_tank", {"runs": 25}, 20),
}
TITLE = "Best setting found"


def main(players: tuple[str, ...]) -> None:
    """Write every figure."""
    os.chdir(ROOT)
    sys.path.append(str(ROOT / "examples/simulator"))
    for name, (world, settings, episodes) in WALKS.items():
        with tempfile.TemporaryDirectory() as folder:
            made = worlds.make(world, **settings)
            runs = []
            for i, player in enumerate(players):
                runs.append(Path(folder) / str(i))
                who = experimenters.find_player(player, made)
                play.perform(made, who, episodes, 0, runs[-1], name=player)
            found = evaluation.review(runs)
            drawn = reports.figures(found)[TITLE]
        out = ROOT / "docs/labs" / f"{name}.svg"
        out.write_text(drawn)
        for run in found.runs:
            print(name, run.agent, [run.regret.after(n).value for n in (5, 10, 20, 25)],
                  run.regret.best[-1])  # fmt: skip


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or PLAYERS)
