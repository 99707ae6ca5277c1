"""Sampled graphs are kept between commands: found again to the bit, and never trusted blindly."""

from __future__ import annotations

import numpy as np
import pytest

from seedo import programs
from seedo.inference import GraphPrior, UnknownNoise
from seedo.inference.exact import _kept
from seedo.inference.exact._graph_posterior import GraphPosterior
from seedo.inference.exact._kept import kept_posterior
from seedo.inference.scores import fuse
from seedo.tables import Table


def table(seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(80, 6))
    for j in range(1, 6):
        x[:, j] += 0.8 * x[:, j - 1]
    return Table.from_rows("abcdef", x)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.delenv("SEEDO_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(programs, "_kept", [tmp_path / "seedo" / "posteriors"])
    (tmp_path / "seedo" / "posteriors").mkdir(parents=True)
    return tmp_path / "seedo" / "posteriors"


@pytest.fixture
def samplings(monkeypatch):
    """How often graphs were sampled; by a stand-in, which is as different for other arguments."""
    calls = []

    def counted(scores, draws, seed, progress=None, max_sweeps=None):
        calls.append(draws)
        n, rng = scores.n, np.random.default_rng([seed, draws, len(calls)])
        graphs = np.triu(rng.random((draws, n, n)) < 0.5, 1)
        return GraphPosterior("summed", graphs.mean(0), graphs.mean(0) ** 2, graphs, -12.5, 3.25,
                              1.002, 512.5, True, 0.01)  # fmt: skip

    monkeypatch.setattr(_kept, "graph_posterior", counted)
    return calls


def same(one, other) -> None:
    for name, value in one.__dict__.items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


def test_a_second_time_it_is_read_and_is_the_same(place, samplings):
    scores = fuse(table(), UnknownNoise()).scores
    first = kept_posterior(scores, 200, 0)
    second = kept_posterior(scores, 200, 0)
    assert len(samplings) == 1
    same(first, second)
    assert len(list(place.iterdir())) == 1


def test_what_is_read_is_what_was_sampled(place):
    scores = fuse(table(), UnknownNoise()).scores
    first = kept_posterior(scores, 100, 0)
    assert first.method == "summed"
    same(first, kept_posterior(scores, 100, 0))


def test_whatever_changes_is_another_posterior(place, samplings):
    scores = fuse(table(), UnknownNoise()).scores
    stated = np.full((6, 6), 0.5)
    stated[0, 1] = 0.9
    kept_posterior(scores, 200, 0)
    kept_posterior(scores, 200, 1)
    kept_posterior(scores, 300, 0)
    kept_posterior(fuse(table(1), UnknownNoise()).scores, 200, 0)
    kept_posterior(fuse(table(), UnknownNoise(), GraphPrior(6, None, stated)).scores, 200, 0)
    assert len(samplings) == 5


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", "half", "pickle"])
def test_a_damaged_file_counts_as_none(place, samplings, damage):
    scores = fuse(table(), UnknownNoise()).scores
    first = kept_posterior(scores, 200, 0)
    (path,) = place.iterdir()
    if damage == "half":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "pickle":
        with path.open("wb") as file:
            np.savez(file, edges=np.array([object()], dtype=object))
    else:
        path.write_bytes(damage)
    second = kept_posterior(scores, 200, 0)
    assert len(samplings) == 2
    same(second, kept_posterior(scores, 200, 0))
    assert len(samplings) == 2
    assert (first.graphs != second.graphs).any()


def test_nothing_is_kept_unless_asked_for(tmp_path, monkeypatch, samplings):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setattr(programs, "_kept", [])
    scores = fuse(table(), UnknownNoise()).scores
    kept_posterior(scores, 200, 0)
    monkeypatch.setenv("SEEDO_CACHE", "0")
    programs.keep()
    kept_posterior(scores, 200, 0)
    assert programs.posteriors() is None
    assert not list(tmp_path.iterdir())
    assert len(samplings) == 2


def test_they_are_cleared_and_bounded_with_the_programs(place, samplings):
    kept_posterior(fuse(table(), UnknownNoise()).scores, 200, 0)
    assert programs.shrink(10**9, place) == 0
    assert programs.clear() > 0
    assert not list(place.iterdir())


def test_a_full_disk_is_no_reason_not_to_answer(place, samplings):
    place.rmdir()
    assert kept_posterior(fuse(table(), UnknownNoise()).scores, 200, 0).n == 6
