"""Seconds that `seedo ask` takes on tables of several sizes, beside scripts of other packages.

    python benchmarks/ask_speed.py

Everything is a process of its own, reading the table from a CSV file and importing what it needs.
Rows come from a random linear system; in a tenth of them a variable was set. Nobody is told the
graph. Of an effect `ask` compares the rows in which the cause was set and weighs what the others
add; the scripts regress on all other columns, which is wrong where a column is an effect. "second":
the same table is asked about another cause. "graph": which edges are certain, which the scripts do
not say; every run weighs the graphs afresh (a seed of its own), and counts the lines of progress on
stderr. CPU seconds count all threads. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.csv
from _sizes import sized

STATSMODELS = """
import sys, pandas, statsmodels.api as sm
rows = pandas.read_csv(sys.argv[1]).drop(columns="did")
x = sm.add_constant(rows.drop(columns=rows.columns[-1]))
fit = sm.OLS(rows.iloc[:, -1], x).fit(cov_type="HC2")
print(fit.params.iloc[1], *fit.conf_int().iloc[1])
"""
DOWHY = """
import sys, warnings, pandas, networkx
warnings.simplefilter("ignore")
from dowhy import CausalModel
rows = pandas.read_csv(sys.argv[1]).drop(columns="did")
cause, *others, outcome = rows.columns
arrows = [(o, e) for o in others for e in (cause, outcome)] + [(cause, outcome)]
model = CausalModel(rows, cause, outcome, graph=networkx.DiGraph(arrows))
found = model.estimate_effect(model.identify_effect(), "backdoor.linear_regression",
                              confidence_intervals=True)
print(found.value, found.get_confidence_intervals())
"""


def system(columns: int, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows float64[rows, columns] of a sparse linear system in causal order, and what was set
    in each: int[rows], -1 for nothing."""
    rng = np.random.default_rng(seed)
    weights = np.triu(rng.random((columns, columns)) < 3 / columns, 1) * rng.uniform(
        0.4, 1.0, (columns, columns)
    )
    target = np.where(rng.random(rows) < 0.1, rng.integers(0, columns, rows), -1)
    values = rng.normal(size=(rows, columns))
    for j in range(columns):
        own = values[:, j] + values @ weights[:, j]
        values[:, j] = np.where(target == j, 2 * values[:, j], own)
    return values, target


def write(path: Path, values: np.ndarray, target: np.ndarray) -> None:
    """A CSV file with a column `did`."""
    names = np.array([f"x{j}" for j in range(values.shape[1])] + [""])
    columns = {name: values[:, j] for j, name in enumerate(names[:-1])}
    pyarrow.csv.write_csv(pyarrow.table(columns | {"did": names[target]}), path)


def timed(words: list[str], limit: float) -> dict[str, float | str]:
    """Wall and CPU seconds of a process, or how it failed."""
    begun, before = time.perf_counter(), os.times()
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"failed": f"more than {limit:g} s"}
    seconds, after = time.perf_counter() - begun, os.times()
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["no word"])[-1][:200]}
    cpu = after.children_user - before.children_user
    cpu += after.children_system - before.children_system
    told = done.stderr.count("sampling graphs")
    return {"seconds": round(seconds, 2), "cpu": round(cpu, 2), "progress": told}


def measured(columns: int, rows: int, options: argparse.Namespace) -> dict:
    """One table: first and second question, the scripts, and ratios of CPU seconds to theirs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write(path, *system(columns, rows, options.seed))
        last = f"x{columns - 1}"
        command = [sys.executable, "-m", "seedo", "ask", str(path)]
        ends = ["--targets", "did", "--json"]
        afresh = ["--seed", str(time.time_ns() % 10**6)]
        found: dict = {
            "columns": columns,
            "rows": rows,
            "first": timed([*command, f"effect of x0 on {last}", *ends], options.limit),
            "second": timed([*command, f"effect of x1 on {last}", *ends], options.limit),
            "graph": timed([*command, "which edges are certain?", *afresh, *ends], options.limit),
        }
        for name, script in (("statsmodels", STATSMODELS), ("dowhy", DOWHY)):
            if find_spec(name) is not None:
                found[name] = timed([sys.executable, "-c", script, str(path)], options.limit)
    for name in ("statsmodels", "dowhy"):
        for part in ("first", "second"):
            own, theirs = found[part].get("cpu"), found.get(name, {}).get("cpu")
            if own and theirs:
                found[f"{part}_over_{name}"] = round(own / theirs, 2)
    return found


def main() -> None:
    """Prints all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tables",
        nargs="+",
        default=["4x100", "5x1000000", "20x1000", "45x20000"],
        help="COLUMNSxROWS each",
    )
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for one process")
    parser.add_argument("--seed", type=int, default=0)
    options = sized(parser, tables=["3x60"])
    report = []
    for text in options.tables:
        columns, rows = map(int, text.split("x"))
        report.append(measured(columns, rows, options))
        print(report[-1], flush=True)
    print(json.dumps({"benchmark": "ask_speed", "tables": report}))


if __name__ == "__main__":
    main()
