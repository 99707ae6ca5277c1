"""How often refuters cry wolf on sound analyses, and which of them notice broken ones.

`python benchmarks/refuters.py [--tables T] [--broken B] [--kept FOLDER] [--out FILE] [--quick]`

Simulated tables with a known effect, seeds fixed by number, each put to `ask` with refuters; sound
ones of `SOUND`, and those of `BROKEN`, whose fault nothing in the table names. Of each kind: how
often the interval misses the truth, whether `ask` by itself warns, and how often each refuter says
`noticed`, of the tables in which it applies.

`--kept` keeps the verdicts of every table, so that a run that was stopped goes on; `--out` writes
all shares as JSON. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _sizes import sized

from seedo.inference import Beliefs, KnownGraph, ask
from seedo.inference.refuters import Times
from seedo.statistics import share as share_of
from seedo.tables import Table

Array = np.ndarray
Drawn = tuple[Table, Beliefs, str, float]


def _table(columns: dict[str, Array], set_: str = "", unit: Array | None = None) -> Table:
    names = list(columns)
    values = np.column_stack([columns[name] for name in names]).astype(float)
    target = np.full(len(values), names.index(set_) if set_ else -1)
    made = Table.from_rows(names, values, target)
    if unit is None:
        return made
    from dataclasses import replace

    return replace(made, unit=unit.astype(np.int64), unit_name="class")


def _graph(*edges: str) -> KnownGraph:
    pairs = [tuple(edge.split(">")) for edge in edges]
    names = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    return KnownGraph(names, frozenset(pairs))  # type: ignore[arg-type]


def trial(rng: np.random.Generator) -> Drawn:
    x = rng.permutation(np.arange(120) % 2)
    y = 0.5 * x + rng.normal(size=120)
    return _table({"x": x, "y": y}, "x"), Beliefs(), "effect of x on y", 0.5


def dose(rng: np.random.Generator) -> Drawn:
    x = rng.uniform(0, 4, 200)
    y = 0.3 * x + rng.normal(size=200)
    return _table({"x": x, "y": y}, "x"), Beliefs(), "effect of x on y", 0.3


def yes_no(rng: np.random.Generator) -> Drawn:
    x = rng.permutation(np.arange(300) % 2)
    y = rng.random(300) < 0.3 + 0.2 * x
    return _table({"x": x, "y": y}, "x"), Beliefs(), "effect of x on y", 0.2


def adjusted(rng: np.random.Generator) -> Drawn:
    a, b = rng.normal(size=(2, 300))
    x = 0.7 * a - 0.5 * b + rng.normal(size=300)
    y = 0.4 * x + a + 0.5 * b + rng.normal(size=300)
    graph = _graph("a>x", "b>x", "a>y", "b>y", "x>y")
    return _table({"a": a, "b": b, "x": x, "y": y}), Beliefs(graph), "effect of x on y", 0.4


def instrument(rng: np.random.Generator) -> Drawn:
    z, u = rng.normal(size=(2, 400))
    x = 0.7 * z + u + rng.normal(size=400)
    y = 0.4 * x + u + rng.normal(size=400)
    graph = KnownGraph(("z", "x", "y"), frozenset({("z", "x"), ("x", "y")}),
                       frozenset({("x", "y")}))  # fmt: skip
    return _table({"z": z, "x": x, "y": y}), Beliefs(graph), "effect of x on y", 0.4


def _classes(rng: np.random.Generator, together: bool = True) -> tuple[Array, Array, Array]:
    unit = np.repeat(np.arange(60), 6)
    if not together:
        unit = rng.permutation(unit)
    x = rng.permutation(np.arange(60) % 2)[unit]
    y = 0.5 * x + 0.8 * rng.normal(size=60)[unit] + rng.normal(size=360)
    return unit, x, y


def classes(rng: np.random.Generator) -> Drawn:
    unit, x, y = _classes(rng)
    return _table({"x": x, "y": y}, "x", unit), Beliefs(), "effect of x on y", 0.5


def _wandering(rng: np.random.Generator, rows: int, stays: float) -> Array:
    x = np.zeros(rows)
    noise = rng.normal(size=rows)
    for t in range(1, rows):
        x[t] = stays * x[t - 1] + noise[t]
    return x


def in_time(rng: np.random.Generator) -> Drawn:
    x, noise = _wandering(rng, 300, 0.6), _wandering(rng, 300, 0.6)
    y = 0.4 * x + noise
    return _table({"x": x, "y": y}), Beliefs(_graph("x>y")), "effect of x on y", 0.4


def leak(rng: np.random.Generator) -> Drawn:
    x = rng.permutation(np.arange(200) % 2)
    y = rng.normal(size=200)
    coded = np.where((y > 0.5) & (rng.random(200) < 0.4), 1, x)
    return _table({"x": coded, "y": y}, "x"), Beliefs(), "effect of x on y", 0.0


def trending(rng: np.random.Generator) -> Drawn:
    """Both drift; treatment is yes or no, likelier later: no series that `ask` takes for one."""
    season = _wandering(rng, 300, 0.97)
    x = (np.arange(300) / 300 + 0.25 * rng.normal(size=300) > 0.5).astype(float)
    y = 0.3 * season + 0.3 * rng.normal(size=300)
    return _table({"x": x, "y": y}, "x"), Beliefs(), "effect of x on y", 0.0


def copied(rng: np.random.Generator) -> Drawn:
    """Each row four times with noise in the last digits, one after the other."""
    x, y = rng.uniform(0, 4, 80), rng.normal(size=80)
    x, y = (np.repeat(v, 4) + 1e-3 * rng.normal(size=320) for v in (x, y))
    return _table({"x": x, "y": y}, "x"), Beliefs(), "effect of x on y", 0.0


def copied_apart(rng: np.random.Generator) -> Drawn:
    table, beliefs, question, truth = copied(rng)
    return table.take(rng.permutation(table.rows)), beliefs, question, truth


def pupils(rng: np.random.Generator) -> Drawn:
    _, x, y = _classes(rng)
    y = y - 0.5 * x
    return _table({"x": x, "y": y}, "x"), Beliefs(), "effect of x on y", 0.0


def pupils_apart(rng: np.random.Generator) -> Drawn:
    _, x, y = _classes(rng, together=False)
    y = y - 0.5 * x
    return _table({"x": x, "y": y}, "x"), Beliefs(), "effect of x on y", 0.0


def wrong_level(rng: np.random.Generator) -> Drawn:
    """Schools were randomised, classes are said to be what is independent."""
    unit = np.repeat(np.arange(120), 4)
    school = unit // 6
    x = rng.permutation(np.arange(20) % 2)[school]
    y = 0.8 * rng.normal(size=20)[school] + rng.normal(size=480)
    return _table({"x": x, "y": y}, "x", unit), Beliefs(), "effect of x on y", 0.0


def hidden(rng: np.random.Generator) -> Drawn:
    a, u = rng.normal(size=(2, 300))
    x = 0.5 * a + 0.7 * u + rng.normal(size=300)
    y = a + 0.7 * u + rng.normal(size=300)
    table = _table({"a": a, "x": x, "y": y})
    return table, Beliefs(_graph("a>x", "a>y", "x>y")), "effect of x on y", 0.0


def drifting(rng: np.random.Generator) -> Drawn:
    """What the treatment does changes half way; the mean of all is asked for."""
    x = rng.permutation(np.arange(400) % 2)
    y = np.where(np.arange(400) < 200, 1.0, -1.0) * 0.6 * x + rng.normal(size=400)
    return _table({"x": x, "y": y}, "x"), Beliefs(), "effect of x on y", 0.0


SOUND: dict[str, Callable[[np.random.Generator], Drawn]] = {
    "two-arm trial, 120 rows": trial,
    "dose, 200 rows": dose,
    "yes or no, 300 rows": yes_no,
    "two confounders held, 300 rows": adjusted,
    "instrument, 400 rows": instrument,
    "60 classes named, 360 rows": classes,
    "noise that goes over, 300 rows": in_time,
}
BROKEN: dict[str, Callable[[np.random.Generator], Drawn]] = {
    "outcome leaks into the treatment's coding": leak,
    "treatment likelier later, outcome wanders": trending,
    "rows copied with a little noise, next to each other": copied,
    "rows copied with a little noise, apart": copied_apart,
    "classes treated, pupils independent, classes together": pupils,
    "classes treated, pupils independent, classes apart": pupils_apart,
    "schools treated, classes named": wrong_level,
    "hidden common cause": hidden,
    "effect that changes along the rows": drifting,
}


def one(draw: Callable[[np.random.Generator], Drawn], family: int, k: int, times: Times) -> Any:
    """What refuters say of one table, with their numbers."""
    table, beliefs, question, truth = draw(np.random.default_rng((family, k)))
    found = ask(question, table, beliefs, refute=times)
    if found.low is None or found.high is None:
        return {"refused": True}
    told = {r["refuter"]: {key: v for key, v in r.items() if key not in ("line", "refuter")}
            for r in found.refutations}  # fmt: skip
    return {"missed": not found.low <= truth <= found.high, "warned": bool(found.warnings),
            "refuters": told}  # fmt: skip


def summed(found: list[Any]) -> dict[str, Any]:
    """Shares of tables."""
    answered = [one for one in found if "refused" not in one]
    count = len(answered)
    share = {"tables": len(found), "refused": len(found) - count}
    if not count:
        return share
    noticed = {}
    names = dict.fromkeys(name for one in answered for name in one["refuters"])
    for name in names:
        said = [one["refuters"][name]["verdict"] for one in answered if name in one["refuters"]]
        said = [v for v in said if v not in ("does not apply", "stated")]
        if said:
            times = sum(v == "noticed" for v in said)
            noticed[name] = share_of(times, len(said)).to_json()
    some = sum(any(r["verdict"] == "noticed" for r in one["refuters"].values()) for one in answered)
    noticed["any"] = share_of(some, count).to_json()
    shares = {key: sum(one[key] for one in answered) / count for key in ("missed", "warned")}
    return {**share, **shares, "noticed": noticed}


def main(tables: int, broken: int, kept: Path | None, out: Path | None, quick: bool) -> None:
    times = Times(20, 20, 2, 4, 20) if quick else Times()
    kinds = {"sound": (SOUND, tables, 0), "broken": (BROKEN, broken, 100)}
    asked = [(draw, first + number, count) for families, count, first in kinds.values()
             for number, draw in enumerate(families.values())]  # fmt: skip
    told: dict[str, list[Any]] = {draw.__name__: _before(draw, kept) for draw, _, _ in asked}
    # A few tables of every kind in turn: a run that was stopped has some of each.
    for k in range(max(tables, broken)):
        for draw, seed, count in asked:
            mine = told[draw.__name__]
            if len(mine) <= k < count:
                mine.append(one(draw, seed, k, times))
                if kept is not None:
                    with (kept / f"{draw.__name__}.jsonl").open("a") as stream:
                        stream.write(json.dumps(mine[-1]) + "\n")
    found = {
        kind: {name: summed(told[draw.__name__][:count]) for name, draw in families.items()}
        for kind, (families, count, _) in kinds.items()
    }
    if out is not None:
        out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    print(json.dumps(found))


def _before(draw: Callable[[np.random.Generator], Drawn], kept: Path | None) -> list[Any]:
    """What an earlier run has kept."""
    file = None if kept is None else kept / f"{draw.__name__}.jsonl"
    if file is None or not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--broken", type=int, default=100)
    parser.add_argument("--kept", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=None)
    given = sized(parser, tables=1, broken=1)
    main(given.tables, given.broken, given.kept, given.out, given.quick)
