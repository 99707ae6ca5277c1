"""What people's tests told them, under every definition that the data's authors' code offers.

`acl_source` has one expected entropy (`choose_int.R`), and rates of links that are arguments: those
of the files (`sar`, `pow`), the defaults of `likelihood.R` (0.1, 0.9), and those of the example in
`choose_int.R` (0.1, 0.8). Tests of three nodes; means over tests, in bits.

    python benchmarks/people_definitions.py people/ [--out definitions.json]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from _sizes import sized

from seedo.episodes import Dataset
from seedo.inference.binary import FREE, entropy, every_dag, every_setting, information, noisy_or
from seedo.people.choices import from_graphs, histories, simulate

NODES = 3
RATES = {
    "rates of the file": None,
    "background 0.1, strength 0.9": (0.1, 0.9),
    "background 0.1, strength 0.8": (0.1, 0.8),
}


def told(parts):
    """Mean bits a test: expected of the chosen, the best and a random intervention (any; only those
    that leave a node free), and by how much beliefs became surer in fact; the share by test."""
    chosen, best, random, free, fell = [], [], [], [], []
    for part in parts:
        bits = information(part.beliefs[:, :-1], part.likelihood)
        chosen.append(np.take_along_axis(bits, part.chosen[..., None], axis=-1)[..., 0])
        best.append(bits.max(axis=-1))
        random.append(bits.mean(axis=-1))
        free.append(bits[..., (part.settings == FREE).any(axis=1)].mean(axis=-1))
        left = entropy(part.beliefs)
        fell.append(left[:, :-1] - left[:, 1:])
    chosen, best, random, free, fell = map(np.concatenate, (chosen, best, random, free, fell))
    return {
        "chosen": chosen.mean(), "best": best.mean(), "random": random.mean(),
        "random with a node free": free.mean(), "fall in entropy": fell.mean(),
        "share of the best by test": (chosen.mean(axis=0) / best.mean(axis=0)).tolist(),
        "mean of each test's share": (chosen / np.maximum(best, 1e-12)).mean(axis=0).tolist(),
    }  # fmt: skip


def logs(folder):
    """Name and histories of every log of tests of three nodes below a folder."""
    for log in sorted(path.parent for path in folder.rglob("manifest.json")):
        batch = Dataset(log).read()
        if batch.n == NODES and "hypotheses" not in (batch.system or ["hypotheses"])[0]:
            yield str(log.relative_to(folder)), list(histories(batch))


def made_up():
    """Four who choose at random."""
    rng = np.random.default_rng(0)
    person = np.arange(4).astype(str)
    part = from_graphs(every_dag(NODES), every_setting(NODES), 0.1, 0.8, person, np.arange(4))
    yield "made up", [simulate(part, "random", 0.0, 6, rng)]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "data", type=Path, nargs="?", help="folder of logs: seedo import --format acl"
    )
    options.add_argument("--out", type=Path)
    given = sized(options)
    if given.data is None and not given.quick:
        options.error("give a folder of logs: seedo import --format acl FILES --out FOLDER")
    found = {}
    for name, own in logs(given.data) if given.data else made_up():
        for label, rates in RATES.items():
            parts = own
            if rates is not None:
                parts = [replace(p, likelihood=noisy_or(p.graphs, p.settings, *rates)) for p in own]
            found.setdefault(name, {})[label] = told(parts)
    text = json.dumps(found, indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
