"""Wishes as people type them: `X=0,1,2`, `X=0..5`, `kind=A, temp>80`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seedo.errors import UserError
from seedo.evaluation._advice_wishes import Wishes, wishes
from seedo.inference.graphs import one_number, pairs
from seedo.tables import Table


def read_wishes(
    table: Table,
    *,
    budget: int = 1,
    goal: str | None = None,
    can_set: Sequence[str] | None = None,
    values: Sequence[str] = (),
    ranges: Sequence[str] = (),
    constraints: Sequence[str] = (),
    avoid: Sequence[str] = (),
    costs: Sequence[str] = (),
    prefer: str | None = None,
    mark: str = "",
) -> Wishes:
    """Reads wishes from texts, one each.

    Args:
        table: rows that the advice will rest on.
        budget, goal, can_set, prefer: see `wishes`.
        values: what a variable can be set to, `X=0,1,2`.
        ranges: ends of what a factor can be set to, `X=0..5`.
        constraints: what settings have to keep, `2 a + b <= 3`.
        avoid: what must not come together, `kind=A, temp>80`.
        costs: of an experiment on a variable, `X=3`.
        mark: before the name of a field in an error, e.g. `--`.

    Raises:
        UserError: a text that cannot be read, or as for `wishes`.
    """
    return wishes(
        table,
        budget=budget,
        goal=goal,
        can_set=can_set,
        values={name: [v.strip() for v in own.split(",")]
                for name, _, own in pairs(f"{mark}values", values)},
        costs={name: one_number(f"{mark}cost", text, own)
               for name, text, own in pairs(f"{mark}cost", costs)},
        prefer=prefer,
        ranges={name: _ends(f"{mark}range", text, own)
                for name, text, own in pairs(f"{mark}range", ranges)},
        constraints=[*({"linear": text} for text in constraints),
                     *({"forbid": _banned(f"{mark}avoid", text)} for text in avoid)],
    )  # fmt: skip


def _ends(field: str, text: str, own: str) -> tuple[float, float]:
    """The ends of "0..5"."""
    low, dots, high = own.partition("..")
    try:
        if dots:
            return float(low), float(high)
    except ValueError:
        pass
    raise UserError(field, text, "write it like X=0..5")


def _banned(field: str, text: str) -> dict[str, str]:
    """The combination of "kind=A, temp>80" as a campaign's file has it."""
    found = {}
    for part in text.split(","):
        term = re.fullmatch(r"\s*(.+?)\s*(<=|>=|<|>|=)\s*(.+?)\s*", part)
        if term is None:
            raise UserError(field, text, 'write it like "kind=A, temp>80"')
        sign = "" if term[2] == "=" else term[2]
        found[term[1]] = f"{sign}{term[3]}"
    return found
