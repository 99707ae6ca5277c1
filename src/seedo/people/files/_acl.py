"""Interventions on three or four nodes, test by test: the tables of `acl_source`.

Bramley, Lagnado & Speekenbrink (2015), Conservative forgetful scholars; Bramley, Dayan, Griffiths &
Lagnado (2017), Formalizing Neurath's ship: https://github.com/neilbramley/acl_source, folder data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from seedo.errors import UserError
from seedo.people.files._r_tables import Rows, r_tables
from seedo.people.files._trials import GRAPH, Trial

_PEOPLE = ("upi", "upi_num")
_NEEDED = ("prob_num", "test", "into1", "acto1", "sar", "pow")
_LETTERS = "ABCDE"
_HELD = {-1.0: 0.0, 0.0: np.nan, 1.0: 1.0}  # off, free, on


def read_acl(file: Path) -> list[Trial]:
    """Every person's problems (`prob_num`), a row a test: `into1`, ... what was done to each node
    (1 on, -1 off, 0 free), `acto1`, ... what came of it, `graph_orig` the truth and `belief_orig`
    the graph drawn then (matrices, column by column), `sar` and `pow` how often a node comes on by
    itself and how often a link works. A table with another `stage` than `test` is practice.

    Raises:
        UserError: no such table, or a cell of it cannot be; names column and row.
    """
    seen = []
    for columns in r_tables(file):
        seen.append(", ".join(list(columns)[:6]))
        person = next((name for name in _PEOPLE if name in columns), None)
        if person is None or not {*_NEEDED} <= columns.keys():
            continue
        rows = Rows(file, columns)
        if "stage" in columns and set(rows.texts("stage")) != {"test"}:
            continue
        return _read(rows, person)
    remedy = f"no table of test trials: needs columns {_PEOPLE[0]}, {', '.join(_NEEDED)}"
    raise UserError(str(file), "; ".join(seen)[:200] or None, remedy)


def _read(rows: Rows, person: str) -> list[Trial]:
    people, problem, test = rows.texts(person), rows.texts("prob_num"), rows.whole("test")
    nodes = rows.whole("n_nodes", (2, 3, 4)) if "n_nodes" in rows.columns else np.full(len(test), 3)
    trials: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(people, problem, strict=True)):
        trials.setdefault(key, []).append(row)
    for places in trials.values():
        places.sort(key=lambda row: test[row])
        if [*test[places]] != [*range(1, len(places) + 1)]:
            remedy = "tests of a person's problem are numbered 1, 2, 3, ... once each"
            raise rows.wrong("test", places[0], remedy)
        if len({*nodes[places]}) > 1:
            raise rows.wrong("n_nodes", places[-1], "the same for all tests of a problem")
    most = int(nodes.max())
    held = np.full((len(test), most), np.nan, np.float32)
    on = np.full((len(test), most), np.nan, np.float32)
    for node in range(most):
        there = nodes > node
        done = rows.part(there).whole(f"into{node + 1}", (-1, 0, 1))
        held[there, node] = [_HELD[float(cell)] for cell in done]
        on[there, node] = rows.part(there).whole(f"acto{node + 1}", (0, 1))
    wrong = (np.isfinite(held) & (held != on)).any(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        node = int(np.argmax(np.isfinite(held[row]) & (held[row] != on[row])))
        raise rows.wrong(f"acto{node + 1}", row, "what is held on is on, what is held off is off")
    drawn = {name: _links(rows, name, nodes) for name in ("graph_orig", "belief_orig")}
    rates = {"background": rows.numbers("sar"), "strength": rows.numbers("pow")}
    seconds = rows.numbers("time_test") if "time_test" in rows.columns else None
    found = []
    for (name, _), places in trials.items():
        n, first = int(nodes[places[0]]), places[0]
        system: dict[str, Any] = {"kind": GRAPH}
        system |= {key: float(rate[first]) for key, rate in rates.items()}
        if (truth := drawn["graph_orig"]) is not None:
            system["links"] = truth[first]
        said = [_said(row, drawn["belief_orig"], seconds) for row in places]
        letters = tuple(_LETTERS[:n])
        found.append(Trial(name, letters, held[places, :n], on[places, :n], system, said))
    return found


def _said(row: int, drawn: list[Any] | None, seconds: Any) -> dict[str, Any]:
    said: dict[str, Any] = {} if drawn is None else {"links": drawn[row]}
    if seconds is not None and np.isfinite(seconds[row]):
        said["seconds"] = float(seconds[row])
    return said


def _links(rows: Rows, name: str, nodes: Any) -> list[list[list[str]]] | None:
    """Each row's links as pairs of letters; None if there is no such column."""
    if name not in rows.columns:
        return None
    found: list[list[list[str]]] = [[]] * len(nodes)
    for n in sorted({*nodes.tolist()}):
        places = np.flatnonzero(nodes == n)
        matrices = rows.part(nodes == n).flags(name, n * n).reshape(-1, n, n).transpose(0, 2, 1)
        for place, matrix in zip(places, matrices, strict=True):
            found[place] = [[_LETTERS[i], _LETTERS[j]] for i, j in np.argwhere(matrix)]
    return found
