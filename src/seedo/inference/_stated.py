"""What a user takes for granted about a table, in one place for all who ask."""

from __future__ import annotations

from collections.abc import Sequence

from seedo.errors import UserError
from seedo.inference.graphs import GraphPrior, KnownGraph, stated_prior
from seedo.inference.questions import Beliefs, Form
from seedo.inference.scores import NoiseModel
from seedo.tables import Table


def stated_beliefs(
    table: Table,
    *,
    graph: KnownGraph | None = None,
    require: Sequence[str] = (),
    forbid: Sequence[str] = (),
    believe: Sequence[str] = (),
    max_parents: int | None = None,
    prior: GraphPrior | None = None,
    model: NoiseModel | None = None,
    form: Form = "auto",
    draws: int = 2000,
    seed: int = 0,
    mark: str = "",
) -> Beliefs:
    """What was stated about a table, as questions need it.

    Args:
        table: rows that will be asked about.
        graph: if it is known; it settles all edges.
        require, forbid, believe, max_parents, mark: see `stated_prior`.
        prior: over graphs, where nothing is stated; None: uniform.
        model: of mechanisms and noise; None: that of the scores' default.
        form, draws, seed: see `Beliefs`.

    Raises:
        UserError: a statement that cannot be read, contradicts another, or stands beside a graph.
    """
    if graph is None:
        prior = stated_prior(
            table.variables, prior, require=require, forbid=forbid, believe=believe,
            max_parents=max_parents, mark=mark,
        )  # fmt: skip
        return Beliefs(None, prior, model, form, draws, seed)
    if require or forbid or believe or max_parents is not None:
        words = [f"{mark}{name}" for name in ("require", "forbid", "believe")]
        remedy = f"it settles all edges: leave out {', '.join(words)} and {_option(mark)}"
        raise UserError(f"{mark}graph", None, remedy)
    return Beliefs(graph, None, model, form, draws, seed)


def _option(mark: str) -> str:
    return f"{mark}max-parents" if mark else "max_parents"
