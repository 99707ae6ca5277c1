"""Exact beliefs over on/off systems, against enumeration by hand."""

from __future__ import annotations

from itertools import product
from math import log2

import numpy as np
import pytest

from seedo.errors import UserError
from seedo.inference.binary import (
    FREE,
    MOST_NODES,
    OFF,
    ON,
    Machine,
    entropy,
    every_dag,
    every_machine,
    every_outcome,
    every_setting,
    information,
    machine_likelihood,
    noisy_or,
    update,
)

CHAIN = np.array([[[0, 1, 0], [0, 0, 1], [0, 0, 0]]], bool)
FORK = np.array([[[0, 1, 1], [0, 0, 0], [0, 0, 0]]], bool)


def brute(graph, setting, background, strength):
    """Outcome -> probability, by drawing every coin that decides: one a node, one a link."""
    n = len(graph)
    links = [(i, j) for i in range(n) for j in range(n) if graph[i, j]]
    found = {}
    for own in product((0, 1), repeat=n):
        for works in product((0, 1), repeat=len(links)):
            chance = 1.0
            for coin in own:
                chance *= background if coin else 1 - background
            for coin in works:
                chance *= strength if coin else 1 - strength
            on = [coin if s == FREE else s for coin, s in zip(own, setting, strict=True)]
            for _ in range(n):
                for (i, j), coin in zip(links, works, strict=True):
                    if coin and on[i] and setting[j] == FREE:
                        on[j] = 1
            found[tuple(map(bool, on))] = found.get(tuple(map(bool, on)), 0.0) + chance
    return found


def test_there_are_as_many_graphs_as_are_known():
    assert [len(every_dag(n)) for n in (1, 2, 3, 4)] == [1, 3, 25, 543]
    with pytest.raises(UserError, match=f"use 1 to {MOST_NODES} nodes"):
        every_dag(MOST_NODES + 1)


@pytest.mark.parametrize(("background", "strength"), [(0.1, 0.8), (0.0, 1.0), (0.25, 0.0)])
def test_noisy_or_is_what_the_coins_of_nodes_and_links_do(background, strength):
    graphs, settings, outcomes = every_dag(3), every_setting(3), every_outcome(3)
    found = noisy_or(graphs, settings, background, strength)
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-12)
    for g in range(0, 25, 3):
        for i in range(0, 27, 4):
            truth = brute(graphs[g], settings[i], background, strength)
            expected = [truth.get(tuple(o), 0.0) for o in outcomes]
            np.testing.assert_allclose(found[i, g], expected, atol=1e-12)


def test_information_of_an_example_computed_by_hand():
    # A -> B -> C or A -> B, A -> C; A and B held on and off: only the fork can turn C on, with
    # probability 0.8; without background the outcome is on with 0.4 in all.
    settings = [[ON, OFF, FREE], [ON, FREE, FREE], [FREE, FREE, FREE]]
    likelihood = noisy_or(np.concatenate([CHAIN, FORK]), settings, 0.0, 0.8)
    found = information(np.array([0.5, 0.5]), likelihood)
    bits = -0.4 * log2(0.4) - 0.6 * log2(0.6) + 0.5 * (0.8 * log2(0.8) + 0.2 * log2(0.2))
    assert found[0] == pytest.approx(bits, abs=1e-9)
    # A on, B and C free. Chain: neither .2, B alone .16, both .64; fork: .04, .16, C alone .16,
    # both .64: what differs is neither (.2, .04) and C alone (0, .16).
    one = -0.12 * log2(0.12) + 0.5 * (0.2 * log2(0.2) + 0.04 * log2(0.04))
    other = -0.08 * log2(0.08) + 0.5 * 0.16 * log2(0.16)
    assert found[1] == pytest.approx(one + other, abs=1e-9)
    assert found[2] == pytest.approx(0, abs=1e-9)


def test_information_is_what_the_posterior_is_expected_to_lose_in_entropy():
    rng = np.random.default_rng(0)
    likelihood = noisy_or(every_dag(3), every_setting(3), 0.1, 0.8)
    belief = rng.dirichlet(np.ones(25))
    found = information(belief, likelihood)
    for i in range(0, 27, 5):
        after = 0.0
        for o in range(8):
            if (chance := belief @ likelihood[i, :, o]) > 0:
                after += chance * entropy(update(belief, likelihood[i, :, o]))
        assert found[i] == pytest.approx(entropy(belief) - after, abs=1e-12)
    both = information(np.stack([belief, np.full(25, 0.04)]), likelihood)
    np.testing.assert_allclose(both[0], found)
    held = (every_setting(3) != FREE).all(axis=1)
    np.testing.assert_allclose(both[:, held], 0, atol=1e-12)  # nothing is free to say anything


def test_machines_are_judged_by_what_makes_them_go():
    machines = every_machine(3, 2, 2)
    assert machines[:2] == [Machine((0, 1), False), Machine((0, 1), True)]
    assert len(every_machine(3)) == 3 + 2 * 3 + 2
    laid = every_outcome(3)
    likelihood = machine_likelihood(machines, laid)
    for i, row in enumerate(laid):
        for h, machine in enumerate(machines):
            a, b = (row[k] for k in machine.blickets)
            assert likelihood[i, h, 1] == float((a and b) if machine.together else (a or b))
    # One object alone goes under two of the six rules, all of them "any": log2 6 - expected.
    alone = information(np.full(6, 1 / 6), likelihood)[4]
    assert alone == pytest.approx(log2(6) - (2 * log2(2) + 4 * log2(4)) / 6, abs=1e-9)
    belief = update(np.full(6, 1 / 6), likelihood[4, :, 1])
    left = {machine for machine, chance in zip(machines, belief, strict=True) if chance}
    assert left == {m for m in machines if not m.together and 0 in m.blickets}
    with pytest.raises(UserError, match="impossible under every hypothesis"):
        update(belief, likelihood[0, :, 1])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"background": 1.5}, "background: got 1.5"),
        ({"strength": -0.1}, "strength: got -0.1"),
        ({"settings": [[2, 0, 0]]}, "settings"),
        ({"graphs": np.ones((1, 3, 3), bool)}, "graphs: one has a cycle"),
    ],
)
def test_bad_input_is_named(change, line):
    given = {"graphs": CHAIN, "settings": every_setting(3), "background": 0.1, "strength": 0.8}
    with pytest.raises(UserError, match=line):
        noisy_or(**(given | change))
