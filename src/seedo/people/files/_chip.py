"""One node turned on to tell two graphs apart: the chip task.

Nussenbaum, Cohen, Davis, Halpern, Gureckis & Hartley (2020), Causal information-seeking strategies
change across childhood and adolescence: https://github.com/hartleylabnyu/causal_interventions,
analysis/processed_data/chip_task_data_processed.Rda.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from seedo.errors import UserError
from seedo.people.files._r_tables import Rows, r_tables
from seedo.people.files._trials import GRAPH, Trial

STRENGTH = 0.8
"""How often a link works in this task; nothing comes on by itself."""
_NEEDED = ("SubID", "nodeCondition", "NodeClick", "struc1", "struc2", "struc1Number",
           "TrueStrucNum", "SideTrueStruc", "StrucSelected", "node1outcome")  # fmt: skip
_LETTERS = "ABCD"


def read_chip(file: Path) -> list[Trial]:
    """Every person's chips, one choice each: `NodeClick` is the node turned on, `node1outcome`, ...
    what came of it, `struc1` and `struc2` the two graphs (row i, column j: i causes j).

    Raises:
        UserError: no such table, or a cell of it cannot be; names column and row.
    """
    seen = []
    for columns in r_tables(file):
        seen.append(", ".join(list(columns)[:6]))
        if {*_NEEDED} <= columns.keys():
            return _read(Rows(file, columns))
    remedy = f"no table of the chip task: needs columns {', '.join(_NEEDED)}"
    raise UserError(str(file), "; ".join(seen)[:200] or None, remedy)


def _read(rows: Rows) -> list[Trial]:
    people = rows.texts("SubID")
    groups = rows.texts("ageGroup") if "ageGroup" in rows.columns else [""] * len(people)
    nodes, clicked = rows.whole("nodeCondition", (3, 4)), rows.whole("NodeClick", (1, 2, 3, 4))
    side, chosen = rows.whole("SideTrueStruc", (1, 2)), rows.whole("StrucSelected", (1, 2))
    first = rows.whole("TrueStrucNum") == rows.whole("struc1Number")
    graphs = [rows.texts(name) for name in ("struc1", "struc2")]
    on = np.full((len(people), 4), np.nan, np.float32)
    for node in range(4):
        if f"node{node + 1}outcome" in rows.columns:
            on[:, node] = rows.numbers(f"node{node + 1}outcome")
    extra = {
        key: rows.numbers(name)
        for key, name in (("confidence", "ConfRating"), ("seconds", "RTNodeClick"))
        if name in rows.columns
    }
    found = []
    for row, person in enumerate(people):
        n, node = int(nodes[row]), int(clicked[row]) - 1
        if node >= n:
            raise rows.wrong("NodeClick", row, f"this chip has {n} nodes")
        held = np.full((1, n), np.nan, np.float32)
        held[0, node] = 1.0
        told = [_links(rows, f"struc{k + 1}", row, graphs[k][row], n) for k in (0, 1)]
        right = 0 if first[row] else 1
        said: dict[str, Any] = {"links": told[right if chosen[row] == side[row] else 1 - right]}
        said |= {key: float(each[row]) for key, each in extra.items() if np.isfinite(each[row])}
        system = {"kind": GRAPH, "links": told[right], "hypotheses": told,
                  "background": 0.0, "strength": STRENGTH, "may_hold": "one on"}  # fmt: skip
        found.append(Trial(person, tuple(_LETTERS[:n]), held, on[row : row + 1, :n], system,
                           [said], groups[row].lower()))  # fmt: skip
    return found


def _links(rows: Rows, name: str, row: int, text: str, n: int) -> list[list[str]]:
    digits = re.findall(r"\d+", text)
    if len(digits) != n * n or not {*digits} <= {"0", "1"}:
        raise rows.wrong(name, row, f"give {n} x {n} of 0 and 1, as [0 1 0; 0 0 1; 0 0 0]")
    matrix = np.array(digits, np.int64).reshape(n, n)
    return [[_LETTERS[i], _LETTERS[j]] for i, j in np.argwhere(matrix)]
