"""Time left of a comparison, against a made-up machine on which everything takes what it takes."""

import pytest

from seedo.lab._time_left import Ahead, Pace, time_left


def cell(player="fast", compiling=None, episodes=0, reading=0.0, size=1000):
    return Ahead(player, player.title(), compiling, episodes, reading, size)


@pytest.fixture
def pace():
    """A fast and a slow player; estimates take a second."""
    known = Pace()
    for player, compiles, plays in (("fast", 2.0, 0.001), ("slow", 10.0, 0.01)):
        known.note("compile", player, compiles)
        known.note("play", player, 128 * plays, 128)
        known.note("read", player, 1.0, 1000)
        known.note("read", "", 1.0, 1000)
    return known


def test_what_is_left_is_what_each_cell_still_takes_shared_by_the_threads(pace):
    fast, slow = cell(episodes=500), cell("slow", compiling=4.0, episodes=1000)
    assert time_left([fast, slow], pace, 1) == (pytest.approx(0.5 + 6 + 10 + 2), [])
    assert time_left([fast, slow], pace, 2)[0] == pytest.approx((0.5 + 6 + 10 + 2) / 2)
    assert time_left([], pace, 2) == (0.0, [])


def test_final_estimates_are_made_one_at_a_time(pace):
    assert time_left([cell()] * 6, pace, 4)[0] == pytest.approx(6.0)


def test_it_goes_by_what_was_done_lately(pace):
    for _ in range(5):  # the machine has become busy
        pace.note("play", "fast", 128 * 0.004, 128)
    assert time_left([cell(episodes=1000)], pace, 1)[0] == pytest.approx(4.0 + 1.0)


def test_one_slow_part_does_not_throw_it(pace):
    for took in (0.001, 0.001, 0.5):
        pace.note("play", "fast", 128 * took, 128)
    assert time_left([cell(episodes=1000)], pace, 1)[0] == pytest.approx(1.0 + 1.0)


def test_what_is_not_known_is_named_and_no_number_is_given(pace):
    left, awaited = time_left([cell(episodes=500), cell("new", compiling=0.0)], pace, 2)
    assert left is None
    assert awaited == ["the first episodes of New"]
    assert time_left([cell("new", episodes=9)], pace, 2)[1] == ["some more episodes of New"]
    assert time_left([cell()], Pace(), 2)[1] == ["a Bayes ratio"]


@pytest.mark.parametrize(
    ("late", "what"),
    [
        (cell(compiling=2.1, episodes=0), "the first episodes of Fast"),
        (cell(reading=1.1), "the Bayes ratio of Fast"),
    ],
)
def test_what_takes_longer_than_expected_is_waited_for_and_never_counts_below_nothing(
    pace, late, what
):
    assert time_left([cell("slow", episodes=5), late], pace, 2) == (None, [what])
