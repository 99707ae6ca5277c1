"""What can be read off raw worlds, and done with it.

    python benchmarks/raw_worlds.py --folder raw --out raw-worlds.json

Rendering speed (one call of many steps, everything else off); for every drawing of five variables
the abstraction learnt from logs of random play with every knob set, tested on systems never
watched; agents that play through it beside the same agents told the variables, on the same
systems; intervals of effects asked of what was read, against the truth; and how often the number
of variables and the knobs that move two are right, over worlds drawn at random (of drawings that
do not vary by themselves). The same command goes on with what is in --folder; --drawings takes
some alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from _sizes import sized

from seedo import abstraction, play, worlds
from seedo.episodes import Dataset, write_atomic, write_batch
from seedo.inference import Beliefs, ask, infer, log_rows
from seedo.inference.exact import batch_rows
from seedo.statistics import mean, ratio, share
from seedo.worlds.raw import DRAWINGS, HANDS

PLAYERS = ("bayes:eig", "pretrained:dag", "pretrained:dag-plain")
ASKED = 20
"""Experiments of a system that is asked about, each knob as often."""

IMAGINED = 200
"""Experiments of a system a step of which is imagined otherwise."""


def main() -> None:
    given = arguments()
    folder = Path(given.folder)
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {
        "command": "benchmarks/raw_worlds.py", "watched": given.watched, "steps": given.steps,
        "updates": given.updates, "drawings": {}, "counts": [],
    }  # fmt: skip
    some = given.drawings
    parts = [(f"speed-{d}", lambda d=d: speed(d)) for d in some]
    parts += [(f"learnt-{d}", lambda d=d: learnt(d, folder, given)) for d in some]
    parts += [(f"acting-{d}", lambda d=d: acting(folder / f"abs-{d}", given)) for d in some]
    parts += [(f"asking-{d}", lambda d=d: asking(folder / f"abs-{d}", given)) for d in some]
    parts += [(f"imagined-{d}", lambda d=d: imagined(d, folder, given)) for d in some]
    parts += [(f"count-{i}", lambda i=i: counted(i, folder, given)) for i in range(given.worlds)]
    for name, job in parts:
        path = folder / f"{name}.json"
        if not path.is_file():
            write_atomic(path, json.dumps(job()).encode())
        figures = json.loads(path.read_text())
        print(name, json.dumps(figures)[:600], flush=True)
        kind, _, which = name.partition("-")
        if kind == "count":
            found["counts"].append(figures)
        else:
            found["drawings"].setdefault(which, {})[kind] = figures
    right = [one["right"] for one in found["counts"]]
    hands = [one["hands right"] for one in found["counts"]]
    if right:
        found["number of variables right"] = share(sum(right), len(right)).to_json()
        found["knobs right"] = share(sum(hands), len(hands)).to_json()
    if given.out:
        write_atomic(Path(given.out), json.dumps(found, indent=1, sort_keys=True).encode())


def speed(drawing: str) -> float:
    """Steps a second, the best of five calls, without the noise of what is shown."""
    world = worlds.make("raw", drawing=drawing)
    size = 8192
    x = 2 * jax.random.normal(jax.random.key(2), (size, world.spec.n))
    keys = jax.random.split(jax.random.key(3), size)
    shown = jax.jit(jax.vmap(world.drawing.draw))
    shown(x, keys).block_until_ready()
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        shown(x, keys).block_until_ready()
        seconds.append(time.perf_counter() - began)
    return size / min(seconds)


def learnt(drawing: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    world = worlds.make("raw", drawing=drawing)
    logs = folder / f"logs-{drawing}"
    random = play.find_player("scripted:random", world)
    play.watch(world, random, given.watched, 0, logs, resume=True)
    began = time.process_time()
    found = abstraction.abstract(
        logs, folder / f"abs-{drawing}", steps=given.steps, updates=given.updates
    )
    return found.to_json() | {"cpu_seconds": time.process_time() - began}


def acting(path: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Returns through the abstraction, of those of the same player told the variables."""
    through, told = worlds.make(f"through:{path}"), worlds.make("dag")
    figures = {}
    for name in PLAYERS:
        player = play.find_player(name, told)
        seen, true = (
            play.simulate(world, player, 11, "perform", 0, given.episodes)
            for world in (through, told)
        )
        assert np.allclose(seen.oracle_return, true.oracle_return)
        figures[name] = {
            "through": ratio(seen.returns, seen.oracle_return).to_json(),
            "told": ratio(true.returns, true.oracle_return).to_json(),
            "of told": ratio(seen.returns, true.returns).to_json(),
        }
    return figures


def asking(path: Path, given: argparse.Namespace) -> dict[str, Any]:
    """How often 95 % intervals of total effects hold them, and how wide they are."""
    settings = {"experiments": ASKED, "exploits": 1}
    worlds_of = {
        "through": worlds.make(f"through:{path}", **settings),
        "told": worlds.make("dag", **settings),
    }
    figures = {}
    for name, world in worlds_of.items():
        player = play.find_player("scripted:rotation+random", world)
        batch = play.episodes(world, player, 5, "perform", 0, given.asked, systems=True)
        weights = np.array([json.loads(text)["weights"] for text in batch.system])
        truth = np.linalg.inv(np.eye(batch.n) - weights)
        held, width = [], []
        for row in range(batch.rows):
            table = batch_rows(batch.take(slice(row, row + 1))).table
            beliefs = Beliefs()
            posterior = infer(table)
            for i, j in itertools.permutations(range(batch.n), 2):
                question = f"effect of {table.variables[i]} on {table.variables[j]}"
                answer = ask(question, table, beliefs, weigh=lambda p=posterior: p)
                if answer.low is None or answer.high is None:
                    continue
                held.append(answer.low <= truth[row, i, j] <= answer.high)
                width.append(answer.high - answer.low)
        asked = batch.rows * batch.n * (batch.n - 1)
        figures[name] = {
            "held": share(int(np.sum(held)), len(held)).to_json(),
            "answered": len(held) / asked,
            "width": mean(width).to_json(),
        }
    return figures


def imagined(drawing: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """What steps would have shown had a knob been set otherwise, against what they would have."""
    logs = folder / f"imagined-{drawing}"
    world = worlds.make(f"through:{folder / f'abs-{drawing}'}", experiments=IMAGINED, exploits=1)
    random = play.find_player("scripted:random", world)
    play.watch(world, random, given.imagined, 7, logs, resume=True)
    names, apart, held, covered, refused = world.spec.variables, [], 0, [], []
    for episode in range(given.imagined):
        had, outcome = names[episode % len(names)], names[(episode + 1) % len(names)]
        question = f"what would {outcome} have been had {had} been 2 in episode {episode} step 9?"
        found = abstraction.imagine(Dataset(logs), question, log_rows(logs, episode).table)
        if found.shot is None:
            refused.append(found.refused)
            continue
        apart.append(found.shot.apart**2)
        held += found.shot.apart <= found.shot.within
        covered.append(found.shot.to_json()["covered"])
    figures = {"asked": given.imagined, "refused": refused, "noise": world.shows["raw_noise"]}
    if not apart:
        return figures
    return figures | {
        "apart": float(np.sqrt(np.mean(apart))),
        "median apart": float(np.sqrt(np.median(apart))),
        "held": share(held, len(apart)).to_json(),
        "numbers held": mean(covered).to_json(),
    }


def counted(index: int, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """One world drawn at random: is the number of variables right, and what knobs move?"""
    rng = np.random.default_rng([index, 77])
    steady = [name for name in DRAWINGS if worlds.raw.drawing(name, 3, 0).steady]
    drawing = str(rng.choice(steady))
    hands = HANDS[index % 3]
    n = int(rng.integers(3, 7))
    unset = n - 1 if index % 2 and n > 3 else None
    world = worlds.make("raw", drawing=drawing, n=n, hands=hands, drawing_seed=index)
    player = play.find_player("scripted:random", world)
    batch = play.episodes(world, player, index, "watch", 0, given.counted)
    if unset is not None:  # a log in which nobody ever touched the last knob
        batch = batch.take(np.flatnonzero(~(batch.target == unset).any(axis=1)))
    logs, out = folder / f"count-{index}-logs", folder / f"count-{index}-abs"
    write_batch(logs, batch, {"stream": "watch"}, batch.rows // 10 + 1)
    found = abstraction.abstract(logs, out, updates=given.updates)
    alone = [knob.name for knob in found.knobs if knob.separable]
    first = {"single": 0, "wide": 1, "joint": 2}[hands]
    known = [name for i, name in enumerate(world.spec.variables) if i != unset]
    return {
        "drawing": drawing, "hands": hands, "n": n, "unset": unset, "found": found.variables,
        "right": found.variables == n, "separable": alone, "steps": int(batch.rows * batch.steps),
        "hands right": alone == known[first:], "unexplained": found.unexplained,
    }  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", default="raw", help="keep logs and abstractions here")
    parser.add_argument("--out", help="JSON file to write")
    parser.add_argument("--drawings", nargs="+", choices=DRAWINGS, default=list(DRAWINGS))
    parser.add_argument("--watched", type=int, default=8000)
    parser.add_argument("--steps", type=int, default=40_000)
    parser.add_argument("--updates", type=int, default=6000)
    parser.add_argument("--episodes", type=int, default=1000, help="played through each")
    parser.add_argument("--asked", type=int, default=60, help="systems, 20 effects each")
    parser.add_argument("--imagined", type=int, default=60, help="steps, of a system each")
    parser.add_argument("--worlds", type=int, default=30, help="whose variables are counted")
    parser.add_argument("--counted", type=int, default=3000, help="episodes of each of them")
    return sized(
        parser,
        watched=400,
        steps=1500,
        updates=200,
        episodes=20,
        asked=1,
        imagined=2,
        worlds=2,
        counted=400,
    )


if __name__ == "__main__":
    main()
