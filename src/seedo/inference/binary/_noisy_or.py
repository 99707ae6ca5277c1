"""What noisy-OR graphs of on/off nodes do when some nodes are held on or off."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedo.errors import UserError, is_number
from seedo.inference.binary._graphs import reachable

FREE = -1
"""A node that is left to its causes."""
OFF = 0
"""A node that is held off, or is off."""
ON = 1
"""A node that is held on, or is on."""


def every_setting(n: int) -> NDArray[np.int8]:
    """int8[3^n, n]: every way to leave nodes free, hold them off or hold them on."""
    return np.array(list(product((FREE, OFF, ON), repeat=n)), np.int8)


def every_outcome(n: int) -> NDArray[np.bool_]:
    """bool[2^n, n]; row k has node i on where bit n - 1 - i of k is set."""
    return np.array(list(product((False, True), repeat=n)), np.bool_)


def noisy_or(
    graphs: NDArray[np.bool_], settings: ArrayLike, background: float, strength: float
) -> NDArray[np.float64]:
    """Probability of each outcome of each intervention under each graph.

    A free node is off with probability (1 - background) (1 - strength)^k, k of its direct causes
    being on; a held node is what it is held at (Cheng 1997; Bramley, Lagnado & Speekenbrink 2015).
    Background 0 and strength 1 make the system deterministic: any cause that is on turns it on.

    Args:
        graphs: bool[G, n, n], acyclic.
        settings: [I, n] of FREE, OFF and ON.
        background: from 0 to 1, how often a node comes on by itself.
        strength: from 0 to 1, how often a cause that is on turns its effect on.

    Returns:
        float64[I, G, 2^n], outcomes in the order of `every_outcome`; sums to 1 over them.

    Raises:
        UserError: a rate outside 0 to 1, a graph with a cycle, or a setting of another kind.
    """
    for name, rate in (("background", background), ("strength", strength)):
        if not is_number(rate) or not 0 <= rate <= 1:
            raise UserError(name, rate, "use a probability, 0 to 1")
    if reachable(graphs).diagonal(axis1=1, axis2=2).any():
        raise UserError("graphs", None, "one has a cycle: give acyclic graphs")
    n = graphs.shape[-1]
    held = np.asarray(settings)
    if held.ndim != 2 or held.shape[1] != n or not np.isin(held, (FREE, OFF, ON)).all():
        raise UserError("settings", held.shape, f"give [interventions, {n}] of -1, 0 and 1")
    on = every_outcome(n)  # [O, n]
    active = np.einsum("oi,gij->goj", on.astype(np.int64), graphs.astype(np.int64))
    off = (1 - background) * (1 - strength) ** active  # [G, O, n]; 0^0 is 1
    free = np.where(on, 1 - off, off)
    fixed = (held[:, None] == on).astype(np.float64)  # [I, O, n]
    found = np.ones((len(held), len(graphs), len(on)))
    for node in range(n):
        left = (held[:, node] == FREE)[:, None, None]
        found *= np.where(left, free[None, :, :, node], fixed[:, None, :, node])
    return found
