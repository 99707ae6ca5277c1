"""How well graphs are found: directed F1 (edges of probability above a half) and what is certain.

`python benchmarks/structure.py [--systems S] [--networks FOLDER] [--rivals] [--quick]`

Simulated systems, seeds fixed: random graphs of at most two parents a variable; weights between a
half and two, of either sign; normal noise; observations, and experiments that set each variable to
two spreads from its mean. Mechanisms: straight lines, squares (of the variable in standard units),
tanh, sines; and tables of shares drawn from Dirichlet distributions. `--networks` names a folder
of .bif files (asia.bif, ... of the bnlearn repository), from which 2,000 rows and 50 experiments a
variable are drawn. `--rivals` runs, where they are installed, GIES (package `gies`: Gaussian, told
the targets; only of numbers) and GES (package `causal-learn`: BIC of numbers, BDeu of levels; only
of the rows in which nothing was set). An edge that they leave undirected counts as half an edge
each way. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from _sizes import sized

from seedo.inference import infer
from seedo.tables import Column, Table

MECHANISMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: x,
    "quadratic": lambda x: x**2,
    "tanh": lambda x: 2 * np.tanh(x),
    "sine": lambda x: 2 * np.sin(2 * x),
}


def random_graph(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """bool[n, n] (parent, child) and an order in which parents come first."""
    order = rng.permutation(n)
    graph = np.zeros((n, n), bool)
    for place in range(1, n):
        count = min(place, rng.integers(0, 3))
        graph[rng.choice(order[:place], count, replace=False), order[place]] = True
    return graph, order


def numbers(
    n: int, mechanism: str, observed: int, each: int, seed: int
) -> tuple[Table, np.ndarray]:
    """Rows of a random system of numbers, and its graph."""
    rng = np.random.default_rng(seed)
    graph, order = random_graph(n, rng)
    weights = rng.choice([-1, 1], (n, n)) * rng.uniform(0.5, 2, (n, n)) * graph
    target = np.r_[np.full(observed, -1), np.repeat(np.arange(n), each)]
    x = np.zeros((len(target), n))
    for j in order:
        mean = np.zeros(len(x))
        for i in np.flatnonzero(graph[:, j]):
            own = x[:observed, i]
            unit = (x[:, i] - own.mean()) / own.std() if mechanism == "quadratic" else x[:, i]
            mean += weights[i, j] * MECHANISMS[mechanism](unit)
        x[:, j] = mean + rng.normal(size=len(x))
        set_ = target == j
        own = x[:observed, j]
        x[set_, j] = own.mean() + rng.choice([-2.0, 2.0], set_.sum()) * own.std()
    return Table.from_rows([f"v{i}" for i in range(n)], x, target), graph


Shares = dict[str, tuple[list[str], np.ndarray]]
"""Of each variable its parents and the shares of its levels, the parents' levels first."""


def random_shares(n: int, seed: int) -> Shares:
    rng = np.random.default_rng(seed)
    graph, _ = random_graph(n, rng)
    counts = rng.integers(2, 4, n)
    found: Shares = {}
    for j in range(n):
        parents = np.flatnonzero(graph[:, j])
        table = rng.dirichlet(np.ones(counts[j]), tuple(counts[parents]))
        found[f"v{j}"] = ([f"v{i}" for i in parents], table)
    return found


def read_network(path: Path) -> Shares:
    """A .bif file: discrete variables and their tables of shares."""
    text = path.read_text()
    levels = {
        m[1]: [x.strip() for x in m[2].split(",")]
        for m in re.finditer(r"variable (\S+) \{\s*type discrete \[ \d+ \] \{ ([^}]*) \};", text)
    }
    found: Shares = {}
    block = r"probability \( ([^|)]*?)\s*(?:\| ([^)]*))?\) \{(.*?)\n\}"
    for m in re.finditer(block, text, re.DOTALL):
        child, parents = m[1].strip(), [x.strip() for x in m[2].split(",")] if m[2] else []
        table = np.zeros([len(levels[p]) for p in parents] + [len(levels[child])])
        for row in re.finditer(r"(?:\(([^)]*)\)|table) ([^;]*);", m[3]):
            given = [x.strip() for x in row[1].split(",")] if row[1] else []
            at = tuple(levels[p].index(x) for p, x in zip(parents, given, strict=True))
            table[at] = [float(x) for x in row[2].split(",")]
        found[child] = (parents, table)
    return {name: found[name] for name in levels}


def levels_of(shares: Shares, observed: int, each: int, seed: int) -> tuple[Table, np.ndarray]:
    """Rows of a system of named levels, and its graph."""
    rng = np.random.default_rng(seed)
    names, n = list(shares), len(shares)
    target = np.r_[np.full(observed, -1), np.repeat(np.arange(n), each)]
    x, graph = np.full((len(target), n), -1), np.zeros((n, n), bool)
    left = list(names)
    while left:
        name = next(v for v in left if not set(shares[v][0]) & set(left))
        left.remove(name)
        parents, table = shares[name]
        at = [names.index(p) for p in parents]
        graph[at, names.index(name)] = True
        p = np.broadcast_to(table[tuple(x[:, at].T)], (len(x), table.shape[-1]))
        j, count = names.index(name), table.shape[-1]
        x[:, j] = np.minimum((rng.random((len(x), 1)) > p.cumsum(1)).sum(1), count - 1)
        x[target == j, j] = rng.integers(0, count, (target == j).sum())
    columns = [Column(v, "yes/no" if shares[v][1].shape[-1] == 2 else "categorical",
                      levels=tuple(str(k) for k in range(shares[v][1].shape[-1])))
               for v in names]  # fmt: skip
    table = Table.from_rows(names, x.astype(float), target)
    return replace(table, columns=tuple(columns)), graph


def judge(name: str, systems: list[tuple[Table, np.ndarray]]) -> dict[str, float]:
    """Prints and returns the mean F1, the edges called certain, the right ones, and seconds."""
    scores, certain, right, begun = [], 0, 0, time.process_time()
    for table, graph in systems:
        posterior = infer(table, draws=400)
        edges = posterior.graph.edges > 0.5
        total = edges.sum() + graph.sum()
        scores.append(2 * (edges & graph).sum() / total if total else 1.0)
        told = posterior.sober.edges * (1 - posterior.by_form)
        called = told >= 0.95 if posterior.fit.credible else edges & False
        certain, right = certain + int(called.sum()), right + int((called & graph).sum())
    seconds = (time.process_time() - begun) / len(systems)
    error = np.std(scores) / np.sqrt(len(scores))
    print(f"{name:<22} F1 {np.mean(scores):.2f} +- {error:.2f}   certain {certain}, right {right}"
          f"   {seconds:.1f} s CPU a table", flush=True)  # fmt: skip
    return {"f1": float(np.mean(scores)), "certain": certain, "right": right, "seconds": seconds}


def gies_graph(table: Table) -> np.ndarray | None:
    """float64[n, n], 1 for a directed edge, 1/2 each way for an undirected one."""
    import gies

    sets = [tuple(np.flatnonzero(row)) for row in table.hard]
    targets = sorted(set(sets))
    rows = [table.values[[one == own for one in sets]] for own in targets]
    found = gies.fit_bic(rows, [list(map(int, own)) for own in targets])[0] != 0
    return np.where(found & found.T, 0.5, found)


def ges_graph(table: Table) -> np.ndarray | None:
    """As `gies_graph`."""
    from causallearn.search.ScoreBased.GES import ges

    named = table.columns[0].named
    rows = table.values[table.observational]
    record = ges(rows, score_func="local_score_BDeu" if named else "local_score_BIC")
    ends = np.asarray(record["G"].graph)  # [i, j] is -1, and [j, i] is 1, for i -> j
    return np.where((ends == -1) & (ends.T == 1), 1.0, np.where((ends == -1) & (ends.T == -1),
                                                                0.5, 0.0))  # fmt: skip


RIVALS: dict[str, tuple[str, Callable[[Table], np.ndarray | None]]] = {
    "gies": ("gies", gies_graph),
    "ges": ("causallearn", ges_graph),
}


def judge_rivals(name: str, systems: list[tuple[Table, np.ndarray]]) -> dict[str, float]:
    """Prints and returns the mean F1 of each rival that is installed and can read the tables."""
    found = {}
    for rival, (package, find) in RIVALS.items():
        if find_spec(package) is None or (rival == "gies" and systems[0][0].columns[0].named):
            continue
        scores = []
        for table, graph in systems:
            edges = find(table)
            scores.append(2 * (edges * graph).sum() / max(edges.sum() + graph.sum(), 1))
        found[rival] = float(np.mean(scores))
        print(f"{name:<22} {rival:>5} F1 {found[rival]:.2f}", flush=True)
    return found


def main() -> None:
    """Prints one line for each kind of system."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=20)
    parser.add_argument("--largest", type=int, default=20, help="variables of straight lines")
    parser.add_argument(
        "--curved", type=int, default=10, help="variables of the others; 0 for none"
    )
    parser.add_argument("--networks", type=Path, help="folder of .bif files")
    parser.add_argument("--rivals", action="store_true", help="run other packages too")
    options = sized(parser, systems=1, largest=5, curved=4)
    seeds = range(options.systems)
    kinds: dict[str, list[tuple[Table, np.ndarray]]] = {}
    for n in [n for n in (5, 10, 20) if n <= options.largest]:
        kinds[f"linear n={n}"] = [numbers(n, "linear", 200, 20, seed) for seed in seeds]
    for mechanism in ("quadratic", "tanh", "sine") if options.curved else ():
        systems = [numbers(options.curved, mechanism, 300, 20, seed) for seed in seeds]
        kinds[f"{mechanism} n={options.curved}"] = systems
    if options.curved:
        shares = [levels_of(random_shares(options.curved, seed), 2000, 50, seed) for seed in seeds]
        kinds[f"levels n={options.curved}"] = shares
    for path in sorted(options.networks.glob("*.bif")) if options.networks else ():
        network = read_network(path)
        kinds[path.stem] = [levels_of(network, 2000, 50, s) for s in seeds]
    found: dict[str, dict[str, float]] = {}
    for name, systems in kinds.items():
        found[name] = judge(name, systems)
        if options.rivals:
            found[name] |= judge_rivals(name, systems)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
