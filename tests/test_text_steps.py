"""The text understudy that is looked into says what the one on stage says of the same words."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seedo import abstraction, learning, play, worlds
from seedo.errors import UserError
from seedo.language.scenes import NONSENSE, Names
from seedo.language.text import logits, spelt, tokenizer, transcript, vocabulary

WORDS = NONSENSE[:3]


@pytest.fixture(scope="module")
def world():
    return worlds.make("dag", n=3, experiments=3)


@pytest.fixture(scope="module")
def opened(world):
    return learning.open_network("pretrained:dag-text", world, 1)


@pytest.fixture(scope="module")
def batch(world, opened):
    return play.episodes(world, opened[0], 2, "perform", 0, 24, systems=True)


@pytest.mark.parametrize("which", [0, 1])
def test_its_probabilities_are_those_of_the_transcript_token_by_token(which, opened, batch):
    network = (opened[0].network, opened[1])[which]
    said = abstraction.states(network, learning.batch_inputs(batch)).log_probs
    place = {piece: token for token, piece in enumerate(vocabulary())}
    lines = transcript(batch, 0, Names(WORDS, (0, 1, 2), (1, 1, 1)))
    acted = [k for k, line in enumerate(lines) if line.role == "assistant"]
    for step, at in enumerate(acted):
        told = "".join(map(spelt, lines[:at])) + "<|assistant|> do"
        ids = [tokenizer().encode(f"{told} {word}", add_special_tokens=False).ids for word in WORDS]
        score = logits(network.plan.plan, network.weights, jnp.asarray(ids))
        following = np.asarray(jax.nn.log_softmax(score, -1))
        for i, word in enumerate(WORDS):
            for v, piece in enumerate(("=-2.0", "=2.0")):
                both = following[i, -2, place[f" {word}"]] + following[i, -1, place[piece]]
                if step == 3 and i == batch.goal[0, step]:
                    both = -np.inf
                assert said[0, step, 2 * i + v] == pytest.approx(both, abs=2e-3)


@pytest.mark.slow
def test_it_plays_what_it_says_and_states_put_back_change_nothing(opened, batch):
    inputs = learning.batch_inputs(batch)
    found = abstraction.states(opened[0].network, inputs)
    chosen = found.log_probs.argmax(-1)
    played = 2 * batch.target + (batch.value > 0)
    assert (chosen == played).mean() > 0.98  # rounding may turn a tie
    at = abstraction.ready(opened[0].network, inputs, 3)
    assert len(found.layers) == 5
    for layer, state in enumerate(found.layers):
        again = abstraction.actions_with(opened[0].network, at, layer, state[:, 3])
        np.testing.assert_array_equal(again, chosen[:, 3])


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"n": 13}, "n: got 13"),
        ({"observations": 2}, "observations"),
        ({"experiments": 60}, "steps"),
    ],
)
def test_episodes_that_it_cannot_be_told_are_refused(settings, named):
    with pytest.raises(UserError, match=named):
        learning.open_network("pretrained:dag-text", worlds.make("dag", **settings), 0)
