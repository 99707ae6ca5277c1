"""Exact posteriors over all DAGs against enumeration, closed forms and exact integers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from seedo import worlds
from seedo.errors import UserError
from seedo.inference.exact import _lattice
from seedo.inference.exact._lattice import LARGEST_LATTICE, LatticePosterior
from seedo.inference.scores._score_table import ScoreTable


def full_table(score: np.ndarray) -> ScoreTable:
    n = len(score)
    others = [[i for i in range(n) if i != j] for j in range(n)]
    return ScoreTable(np.array(others, np.int64).reshape(n, n - 1), score)


def random_scores(seed: int, n: int, kind: str) -> np.ndarray:
    rng = np.random.default_rng(seed)
    score = rng.normal(size=(n, 1 << (n - 1)))
    if kind == "thousands":
        # Two scales: parent sets thousands of nats apart, and close calls between some of them.
        return score + 3000 * rng.integers(-2, 3, size=score.shape) - 20000 * np.arange(n)[:, None]
    if kind == "forbidden":
        score[rng.random(score.shape) < 0.6] = -np.inf
        order = rng.permutation(n)
        for place, j in enumerate(order):  # one graph must stay possible
            score[j, code_of(j, [int(i) for i in order[:place]][:2])] = 1.0
    if kind == "sparse":
        score -= 6.0 * np.bitwise_count(np.arange(score.shape[1]))
    return score


def code_of(child: int, parents: list[int]) -> int:
    return sum(1 << (i - (i > child)) for i in parents)


class Enumerated:
    """Everything by listing all DAGs."""

    def __init__(self, score: np.ndarray) -> None:
        n = len(score)
        self.dags = worlds.enumerate_dags(n, n - 1).astype(bool)
        place = np.arange(n)[:, None] - (np.arange(n)[:, None] > np.arange(n))  # [parent, child]
        bit = np.where(np.eye(n, dtype=bool), 0, 1 << np.maximum(place, 0))
        self.code = (self.dags * bit).sum(1)  # [K, child]
        logs = score[np.arange(n), self.code].sum(1)
        self.log_evidence = logsumexp(logs)
        self.probability = np.exp(logs - self.log_evidence)
        log_probability = np.log(self.probability, where=self.probability > 0,
                                 out=np.zeros_like(logs))  # fmt: skip
        self.entropy_bits = -(self.probability @ log_probability) / math.log(2)
        reach = self.dags
        for _ in range(n):
            reach = reach | (reach.astype(int) @ self.dags.astype(int) > 0)
        self.reach = reach
        apart = ~reach & ~np.eye(n, dtype=bool)  # [ancestor, other]
        self.apart_code = (apart * bit.T).sum(2)  # [K, ancestor]
        self.shape = score.shape

    def mean(self, features: np.ndarray) -> np.ndarray:
        return np.einsum("k,kij->ij", self.probability, features.astype(float))

    def by_code(self, code: np.ndarray) -> np.ndarray:
        size = self.shape[1]
        return np.stack([np.bincount(c, self.probability, minlength=size) for c in code.T])


@pytest.mark.parametrize("kind", ["mild", "thousands", "forbidden", "sparse"])
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_everything_equals_full_enumeration(n, kind):
    for seed in range(3):
        score = random_scores(seed, n, kind)
        found, truth = LatticePosterior.from_scores(full_table(score)), Enumerated(score)
        assert found.log_evidence == pytest.approx(truth.log_evidence, rel=1e-13, abs=1e-10)
        assert found.entropy_bits() == pytest.approx(truth.entropy_bits, abs=1e-8)
        for value, expected in [
            (found.edge_marginals(), truth.mean(truth.dags)),
            (found.ancestor_marginals(), truth.mean(truth.reach)),
            (found.parent_set_marginals(), truth.by_code(truth.code)),
            (found.non_descendants, truth.by_code(truth.apart_code)),
        ]:
            np.testing.assert_allclose(value, expected, rtol=0, atol=1e-10)


def test_small_probabilities_keep_their_digits():
    score = random_scores(1, 5, "mild")
    score[2, [code for code in range(16) if code & 1]] -= 25  # 0 -> 2, hardly ever
    found, truth = LatticePosterior.from_scores(full_table(score)), Enumerated(score)
    expected = truth.mean(truth.dags)
    assert expected[0, 2] < 1e-9
    np.testing.assert_allclose(found.edge_marginals(), expected, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 7),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["mild", "thousands", "forbidden", "sparse"]),
)
def test_marginals_follow_a_renaming_of_the_variables_and_are_probabilities(n, seed, kind):
    score = random_scores(seed, n, kind)
    name = np.random.default_rng(seed).permutation(n)  # new name of each variable
    renamed = np.empty_like(score)
    for j in range(n):
        others = [i for i in range(n) if i != j]
        for code in range(1 << (n - 1)):
            parents = [int(name[i]) for k, i in enumerate(others) if code >> k & 1]
            renamed[name[j], code_of(int(name[j]), parents)] = score[j, code]
    one = LatticePosterior.from_scores(full_table(score))
    two = LatticePosterior.from_scores(full_table(renamed))
    at = np.ix_(name, name)
    edges, paths = one.edge_marginals(), one.ancestor_marginals()
    np.testing.assert_allclose(two.edge_marginals()[at], edges, rtol=0, atol=1e-9)
    np.testing.assert_allclose(two.ancestor_marginals()[at], paths, rtol=0, atol=1e-9)
    assert two.log_evidence == pytest.approx(one.log_evidence, rel=1e-12, abs=1e-9)
    np.testing.assert_allclose(one.parent_set_marginals().sum(1), 1, rtol=0, atol=1e-9)
    assert (edges >= 0).all()
    assert (edges <= paths + 1e-9).all()
    assert (paths + paths.T <= 1 + 1e-9).all()
    assert one.entropy_bits() >= 0


@pytest.mark.parametrize("n", range(10, 15))
def test_with_equal_scores_the_evidence_counts_the_labelled_dags(n):
    count = [1]  # Robinson (1973), in integers
    for m in range(1, n + 1):
        count.append(
            sum(
                (-1) ** (k + 1) * math.comb(m, k) * 2 ** (k * (m - k)) * count[m - k]
                for k in range(1, m + 1)
            )
        )
    assert count[4] == 543
    found = LatticePosterior.from_scores(full_table(np.zeros((n, 1 << (n - 1)))))
    assert found.log_evidence == pytest.approx(math.log(count[n]), abs=1e-10)
    assert found.entropy_bits() == pytest.approx(math.log2(count[n]), abs=1e-9)


def test_a_known_order_of_twelve_variables_leaves_independent_choices_of_parents():
    n, rng = 12, np.random.default_rng(4)
    order = rng.permutation(n)
    score = np.full((n, 1 << (n - 1)), -np.inf)
    evidence, edges = 0.0, np.zeros((n, n))
    for place, j in enumerate(order):
        before = [int(i) for i in order[:place]]
        codes = np.array([code_of(int(j), [i for k, i in enumerate(before) if s >> k & 1])
                          for s in range(1 << place)])  # fmt: skip
        logs = 2000 * rng.normal() + rng.normal(size=len(codes)) * 10.0 ** rng.integers(0, 5)
        score[j, codes] = logs
        evidence += logsumexp(logs)
        for i in before:
            edges[i, j] = np.exp(logsumexp(logs[(codes & code_of(int(j), [i])) > 0])
                                 - logsumexp(logs))  # fmt: skip
    found = LatticePosterior.from_scores(full_table(score))
    assert found.log_evidence == pytest.approx(evidence, rel=1e-12)
    np.testing.assert_allclose(found.edge_marginals(), edges, rtol=0, atol=1e-9)


def test_two_groups_without_edges_between_them_have_the_posteriors_of_each():
    small, large = random_scores(5, 4, "mild"), random_scores(6, 5, "sparse")
    score = np.full((9, 1 << 8), -np.inf)
    score[:4, :8] = small  # candidates of 0..3 begin with the rest of 0..3
    score[4:, (np.arange(16) << 4)] = large  # those of 4..8 with 0..3
    found = LatticePosterior.from_scores(full_table(score))
    truths = [Enumerated(small), Enumerated(large)]
    assert found.log_evidence == pytest.approx(sum(t.log_evidence for t in truths), abs=1e-10)
    assert found.entropy_bits() == pytest.approx(sum(t.entropy_bits for t in truths), abs=1e-8)
    edges, paths = np.zeros((9, 9)), np.zeros((9, 9))
    for truth, at in zip(truths, [slice(0, 4), slice(4, 9)], strict=True):
        edges[at, at], paths[at, at] = truth.mean(truth.dags), truth.mean(truth.reach)
    np.testing.assert_allclose(found.edge_marginals(), edges, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.ancestor_marginals(), paths, rtol=0, atol=1e-10)


def test_a_likely_empty_graph_the_worst_case_for_signs_keeps_nine_digits():
    n, weight = 12, math.exp(-8.0)
    size = np.bitwise_count(np.arange(1 << (n - 1))).astype(float)
    found = LatticePosterior.from_scores(full_table(np.tile(math.log(weight) * size, (n, 1))))
    assert found.deviation < 1e-9
    # DAGs with one and two edges, in units of the empty one, tell the rest to third order.
    pairs = n * (n - 1)
    two = math.comb(pairs, 2) - pairs // 2
    three_or_more = math.comb(pairs, 3) * weight**3
    expected = (pairs * weight + 2 * two * weight**2) / pairs / (
        1 + pairs * weight + two * weight**2
    )  # fmt: skip
    edges = found.edge_marginals()[~np.eye(n, dtype=bool)]
    assert np.ptp(edges) < 1e-9
    assert abs(edges.mean() - expected) < 4 * three_or_more / pairs


def test_progress_counts_up_to_its_total():
    seen: list[tuple[int, int]] = []
    score = np.zeros((7, 64))
    LatticePosterior.from_scores(full_table(score), lambda done, total: seen.append((done, total)))
    done = [d for d, _ in seen]
    assert done == sorted(done)
    assert seen[-1] == (2 * 3**7, 2 * 3**7)


def test_unusable_scores_are_refused_in_one_line(monkeypatch):
    def refused(table: ScoreTable, words: str) -> None:
        with pytest.raises(UserError, match=words) as caught:
            LatticePosterior.from_scores(table)
        assert "\n" not in str(caught.value)

    zeros = np.zeros((3, 4))
    refused(ScoreTable(np.array([[1], [0], [0]]), np.zeros((3, 2))), "candidates: got 1")
    many = LARGEST_LATTICE + 1
    refused(ScoreTable(np.zeros((many, many - 1), np.int64), np.zeros((many, 1))), "sample graphs")
    for bad in (np.nan, np.inf):
        refused(full_table(np.where(np.arange(4) == 2, bad, zeros)), "NaN")
    refused(full_table(np.where(np.arange(4) == 2, -1e9, zeros)), "spread")
    refused(full_table(np.where(np.arange(3)[:, None] == 1, -np.inf, zeros)), "of variable 1")
    refused(full_table(np.where(np.arange(4) == 0, -np.inf, zeros)), "every graph")
    monkeypatch.setattr(_lattice, "TOLERANCE", 0.0)
    refused(full_table(random_scores(0, 8, "sparse")), "precision")
