"""What is known is played again in one go, to the same steps as one by one."""

import jax
import numpy as np
import pytest

from seedo import worlds
from seedo.play import Live, live_batch, origin

KNOWN = {
    "dag": [(0, 2.0), (-1, 0.0), (1, -2.0), (3, 2.0), (2, 2.0), (0, -2.0)],
    "blicket": [(0, 1.0), (2, 1.0), (-1, 0.0), (0, 0.0)],
    "rooms": [(0, float(t % 8)) for t in range(60)],
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("before", [0, 2])
def test_following_is_acting_step_by_step(name, before):
    world = worlds.make(name)
    single, whole = (Live(world, 5, "perform", 3) for _ in range(2))
    for action in KNOWN[name]:
        if not single.finished:
            single.act(*action)
    for action in KNOWN[name][:before]:
        whole.act(*action)
    whole.follow(KNOWN[name][before:])
    assert (whole.step, whole.finished) == (single.step, single.finished)
    assert whole.rewards == single.rewards
    assert whole.returns == single.returns
    for field in ("seen", "rows", "state"):
        one, other = (jax.tree.leaves(getattr(live, field)) for live in (single, whole))
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=1e-5)
    if not whole.finished:
        whole.act(-1)  # and on from there


def test_an_episode_that_ends_is_followed_to_its_end_and_no_further():
    world = worlds.make("rooms", level="basic", limit=3)
    live = Live(world, 1, "perform", 0)
    live.follow([(-1, 0.0)] * 50)
    assert live.finished
    assert live.step == 3
    with pytest.raises(RuntimeError):
        live.follow([(-1, 0.0)])
    assert live_batch(origin(world, "x", 1), [live]).steps == world.spec.steps
