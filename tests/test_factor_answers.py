"""Questions to tables in which variables were set in every row."""

from __future__ import annotations

import re

import numpy as np
import pytest

from seedo.evaluation import advise_settings, wishes
from seedo.inference import Beliefs, GraphPrior, ask, infer, parse_graph
from seedo.inference.questions import _query as q
from seedo.inference.questions import answer
from seedo.inference.questions._factor_answers import answer_from_factors
from seedo.tables import Column, Table


def factorial(seed: int = 0, times: int = 6) -> Table:
    """A full two by two by two design; y = 2a - b + 1.5ab, nothing of c."""
    rng = np.random.default_rng(seed)
    design = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1]), -1).reshape(-1, 3)
    design = np.tile(design, (times, 1)).astype(float)
    a, b, _ = design.T
    y = 2 * a - b + 1.5 * a * b + 0.5 * rng.normal(size=len(a))
    hard = np.zeros((len(a), 4), bool)
    hard[:, :3] = True
    return Table.from_rows(("a", "b", "c", "y"), np.column_stack([design, y]), hard)


def test_nothing_causes_a_factor_and_every_effect_is_identified():
    posterior = infer(factorial(), draws=200)
    assert posterior.graph.edges[:, :3].max() == 0
    for factor in range(3):
        assert posterior.unidentified(factor, 3) == 0
    assert "nothing causes a, b, c" in " ".join(answer("does a cause y?", posterior).assumes)


def test_a_declared_factor_has_no_causes_either():
    rng = np.random.default_rng(1)
    x = rng.normal(size=60)
    table = Table.from_rows(("x", "y"), np.column_stack([x, x + rng.normal(size=60)]))
    marked = Table(**{**table.__dict__, "columns": (Column("x", role="factor"), Column("y"))})
    assert infer(table, draws=200).graph.edges[1, 0] > 0.2
    assert infer(marked, draws=200).graph.edges[1, 0] == 0


def test_what_is_stated_or_required_stays():
    factors = np.array([True, False, False])
    stated = np.full((3, 3), 0.5)
    stated[1, 0], stated[1, 2] = 1.0, 0.9
    found = GraphPrior(3, 2, stated).without_causes(factors)
    assert found.edge_probability is not None
    assert found.max_parents == 2
    assert found.edge_probability[1, 0] == 1
    assert found.edge_probability[2, 0] == 0
    assert found.edge_probability[1, 2] == 0.9
    plain = GraphPrior(3)
    assert plain.without_causes(np.zeros(3, bool)) is plain


@pytest.mark.parametrize(
    "question",
    ["effect of a on y", "effect of a on y from -1 to 1", "does c cause y?", "what raises y?",
     "what lowers y?", "what causes y?", "what should be tried next?", "E[y | do(a = 1, b = -1)]",
     "is there an edge from a to y?"],
)  # fmt: skip
def test_no_question_about_a_design_is_refused(question):
    assert not ask(question, factorial()).refused


@pytest.mark.parametrize(
    "question", ["does y cause a?", "effect of b on a", "what causes a?", "parents of c"]
)
def test_what_would_move_a_factor_is_not_made_up(question):
    found = ask(question, factorial())
    assert "was set in every row" in found.refused
    assert "would decide" not in found.answer


def test_the_best_settings_are_of_all_factors_together():
    """a = 1 and b = 1 give 2.5, a = 1 and b = -1 give 1.5: alone, b = -1 looks better."""
    found = ask("what raises y?", factorial())
    assert "a = 1, b = 1" in found.answer
    assert found.low <= 2.5 <= found.high
    found = ask("what lowers y?", factorial())
    assert "a = -1, b = 1" in found.answer
    assert found.low <= -4.5 <= found.high


def test_of_a_mixture_the_pure_parts_are_named():
    rng = np.random.default_rng(2)
    parts = rng.dirichlet([2, 2, 2], 80)
    y = parts @ [10, 4, 1] + 0.3 * rng.normal(size=80)
    hard = np.zeros((80, 4), bool)
    hard[:, :3] = True
    table = Table.from_rows(("polymer", "filler", "oil", "strength"),
                            np.column_stack([parts, y]), hard)  # fmt: skip
    said = ask("what raises strength?", table).answer
    found = re.search(r"polymer alone, \S+ \[(\S+), (\S+)\]", said)
    assert found is not None
    assert float(found[1]) <= 10 <= float(found[2])
    assert "vs oil +" in ask("effect of polymer on strength", table).answer


def test_a_known_graph_changes_nothing_about_that():
    graph = parse_graph("a -> y\nb -> y\nc -> y", ("a", "b", "c", "y"))
    assert not ask("effect of a on y", factorial(), Beliefs(graph)).refused


def test_tables_without_factors_are_left_to_others():
    free = Table.from_rows(("a", "b"), np.random.default_rng(0).normal(size=(20, 2)))
    assert answer_from_factors(q.BestIntervention("b", "raise"), free) is None


def test_what_raises_goes_by_experiments_where_observations_contradict_them():
    """A hidden cause makes more x look worse; setting it helps."""
    rng = np.random.default_rng(3)
    n, k = 800, 120
    u = rng.normal(size=n + k)
    x = 2 * u + rng.normal(size=n + k)
    x[n:] = rng.choice([-2.0, 0.0, 2.0], k)
    y = 1 + 0.8 * x - 3 * u + rng.normal(size=n + k)
    table = Table.from_rows(("x", "y"), np.column_stack([x, y]), np.repeat([-1, 0], [n, k]))
    found = ask("what raises y?", table)
    assert "do(x = 2)" in found.answer
    assert found.low <= 2.6 <= found.high


def test_a_best_level_between_others_is_not_the_end_of_what_was_tried():
    rng = np.random.default_rng(0)
    level = np.tile([1.0, 2.0, 3.0], 12)
    y = np.array([0.0, 3.0, 1.0])[level.astype(int) - 1] + 0.2 * rng.normal(size=36)
    hard = np.tile([True, False], (36, 1))
    for outcome, ends in ((y, False), (level + 0.2 * rng.normal(size=36), True)):
        table = Table.from_rows(("level", "y"), np.column_stack([level, outcome]), hard)
        found = advise_settings(table, wishes(table, goal="maximize y")).remarks()
        assert any("end of what was tried" in line for line in found) == ends
